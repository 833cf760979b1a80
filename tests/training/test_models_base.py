"""Where a base is, and what makes it another one; no weights are loaded here."""

from pathlib import Path

import pytest

from git_skillmesh.errors import Unavailable, UsageError
from git_skillmesh.training.models import base_folder, hash_of


def base_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.mark.parametrize("name", ["", "no", "./no/model", "/no/model", "a/b/c", "a/../b", "-a/b"])
def test_no_model_there(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no model at "):
        base_folder(name)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    base = base_in(tmp_path / "base")
    assert base_folder(str(base)) == base
    (base / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"there are no weights \(\*.safetensors\)"):
        base_folder(str(base))
    (base / "config.json").unlink()
    with pytest.raises(UsageError, match=r"there is no config.json"):
        base_folder(str(base))


def test_a_hub_id_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub", reason="needs git-skillmesh[train]")
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(Unavailable) as caught:
        base_folder("someone/model")
    assert str(caught.value) == (
        "cannot get someone/model from the hub: "
        "HF_HUB_OFFLINE is set and the cache does not have it"
    )


def test_the_hash_of_a_base(tmp_path: Path) -> None:
    base = base_in(tmp_path / "base")
    first = hash_of(base)
    (base / "README.md").write_text("words")
    (base / "chat_template.jinja").write_text("{{ messages }}")
    assert hash_of(base) == first
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        other = base_in(tmp_path / name)
        (other / name).write_text("other")
        assert hash_of(other) != first
