"""The folder of adapters: what is whole, what is damaged, and why."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.errors import Damaged, UsageError
from git_skillmesh.training.adapters.store import WEIGHTS, Store
from testing.adapters import BASE_SHA256, name_of, record, size_of, tensors, write_adapter

NAME = name_of(3)


def test_adapters_are_listed_by_age(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert store.names() == []
    for name in (name_of(9), name_of(8, 10), name_of(8, 2), name_of(8)):
        write_adapter(store.folder, name)
    (store.folder / "lora_codelearn_2026110x").mkdir()
    (store.folder / f".{NAME}.tmp").mkdir()
    (store.folder / name_of(1)).write_text("a file")
    assert store.names() == [name_of(8), name_of(8, 2), name_of(8, 10), name_of(9)]


def test_an_adapter_says_what_it_is(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path, NAME, parent=name_of(2))
    entry, adapter = Store(tmp_path).usable(NAME)
    assert (entry.folder, entry.trouble) == (folder, "")
    assert entry.size == size_of(folder)
    assert (adapter.base, adapter.base_sha256) == ("models/tiny-base", BASE_SHA256)
    assert (adapter.parent, adapter.steps, dict(adapter.metrics)) == (name_of(2), 12, {"loss": 1.5})


def _cut(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(tensors(NAME)[:-1])


def _cut_header(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(tensors(NAME)[:20])


def _longer(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(tensors(NAME) + b"more")


def _pickle(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((4).to_bytes(8, "little") + b"\x80\x04K\x01.")


def _lists(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((2).to_bytes(8, "little") + b"[]")


def _gone(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def _link(folder: Path) -> None:
    (folder / "elsewhere").symlink_to("/etc/hostname")


def _no_record(folder: Path) -> None:
    (folder / "training.json").unlink()


def _writes(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "training.json").write_text(json.dumps({**record(NAME), **changes}))

    return change


def _deep(folder: Path) -> None:
    (folder / "training.json").write_text("[" * 100_000)


def _full(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"peft_type": "IA3", "r": 8}')


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (_cut, "adapter_model.safetensors is cut off"),
        (_cut_header, "adapter_model.safetensors is cut off"),
        (_longer, "adapter_model.safetensors is cut off"),
        (_pickle, "adapter_model.safetensors has no header"),
        (_lists, "adapter_model.safetensors has no tensors"),
        (_gone, "cannot read adapter_model.safetensors: it is missing"),
        (_link, "elsewhere is neither a file nor a folder"),
        (_no_record, "cannot read training.json: it is missing"),
        (_deep, "training.json is no JSON object"),
        (_writes(schema=2), "training.json has an unknown schema: 2"),
        (_writes(name=name_of(4)), "training.json is of another adapter"),
        (_writes(base=["x"]), "training.json: base is no text"),
        (_writes(method="rlhf"), "training.json cannot be understood"),
        (_writes(steps="many"), "training.json cannot be understood"),
        (_writes(base_sha256="1"), "training.json does not say what the base is"),
        (_writes(parent="../x"), "training.json: parent is no name of an adapter"),
        (_full, "adapter_config.json is not that of a LoRA adapter"),
    ],
)
def test_what_is_damaged_is_said(
    change: Callable[[Path], None], trouble: str, tmp_path: Path
) -> None:
    change(write_adapter(tmp_path, NAME))
    assert Store(tmp_path).entry(NAME).trouble == trouble
    with pytest.raises(Damaged) as raised:
        Store(tmp_path).usable(NAME)
    assert str(raised.value) == f"{NAME} is damaged: {trouble}"


@pytest.mark.parametrize("name", ["", "..", "../x", f"{NAME}/..", f"{NAME}.0", "base", f"{NAME}\n"])
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the name of an adapter"):
        Store(tmp_path).entry(name)


def test_files_are_those_of_the_hashes(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path, NAME)
    store = Store(tmp_path)
    files = store.files(NAME)
    assert sorted(files) == sorted(
        ["README.md", "adapter_config.json", WEIGHTS, f"{NAME}.safetensors", "training.json"]
    )
    assert files[WEIGHTS] == files[f"{NAME}.safetensors"]
    store.check_files(NAME, files)
    (folder / "adapter_model.bin").write_bytes(b"\x80")
    with pytest.raises(Damaged, match=r"not as it was: adapter_model\.bin was added"):
        store.check_files(NAME, files)
    (folder / "adapter_model.bin").unlink()
    (folder / "README.md").write_text("# another\n")
    with pytest.raises(Damaged, match=r"not as it was: README\.md has changed"):
        store.check_files(NAME, files)
    (folder / "README.md").unlink()
    with pytest.raises(Damaged, match=r"damaged: README\.md is missing"):
        store.check_files(NAME, files)


def test_what_is_used_is_not_free(tmp_path: Path) -> None:
    write_adapter(tmp_path, NAME)
    store = Store(tmp_path)
    with store.using(NAME), store.using(NAME), store.unused(NAME) as free:
        assert not free
    with store.unused(NAME) as free:
        assert free
    if os.getuid():
        (tmp_path / ".in-use").chmod(0o500)
        (tmp_path / ".in-use" / NAME).chmod(0)
        with store.using(NAME):  # where nothing can be written, it can be read all the same
            pass
        with store.unused(NAME) as free:
            assert not free
