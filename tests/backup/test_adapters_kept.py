"""Adapters and the state of training, in a backup and out of it."""

import json
import shutil
from pathlib import Path

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.serving import adapters_folder
from testing.adapters import name_of, write_adapter
from testing.backups import opened
from testing.commands import call
from tests.backup.conftest import Kept

NAME = name_of(1)


def test_adapters_come_back_when_they_are_asked_for(kept: Kept, tmp_path: Path) -> None:
    repo = kept.repo
    folder = adapters_folder(discover(repo.path), load(discover(repo.path)))
    folder.mkdir()
    write_adapter(folder, NAME)
    (folder / "judgements").mkdir()
    (folder / "judgements" / f"{NAME}.json").write_text("{}")
    (folder / "active.json").write_text(json.dumps({"manifest": {"adapter": NAME}}))
    (folder / ".lock").write_text("")
    (folder / "notes.txt").write_text("mine")
    nightly = repo.common_dir / "skillmesh-nightly"
    nightly.mkdir()
    (nightly / "trained.txt").write_text("a\n")
    (nightly / "lock").write_text("")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    small, whole = tmp_path / "small.tar", tmp_path / "whole.tar"
    assert call(repo.path, "backup", str(small)).stdout.endswith(", 1 adapter (names only)\n")
    assert call(repo.path, "backup", "--adapters", str(whole)).stdout.endswith(", 1 adapter\n")
    beside = {f"adapters/judgements/{NAME}.json", "adapters/active.json", "training/trained.txt"}
    held = {name for name in opened(small.read_bytes()) if name[:8] in ("adapters", "training")}
    assert held == beside
    assert f"adapters/{NAME}/adapter_model.safetensors" in opened(whole.read_bytes())

    shutil.rmtree(folder)
    shutil.rmtree(nightly)
    done = call(repo.path, "restore", str(whole))
    assert f"  adapters     left out: {NAME}\n" in done.stdout
    assert not folder.exists()
    assert not nightly.exists()
    done = call(repo.path, "restore", "--adapters", "--json", str(small))
    assert json.loads(done.stdout)["adapters"] == {
        "adapters": [], "files": [f"judgements/{NAME}.json", "trained.txt"],
        "left": ["active.json"],  # what it names is not there
    }  # fmt: skip
    done = call(repo.path, "restore", "--adapters", str(whole))
    assert f"  adapters     brought back: {NAME}; written: active.json\n" in done.stdout
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    kept_files = {path for path in before if path.name not in (".lock", "notes.txt")}
    assert {path: after[path] for path in kept_files} == {path: before[path] for path in kept_files}
    assert {path.name for path in after.keys() - before.keys()} == set()
    assert (nightly / "trained.txt").read_text() == "a\n"
    assert "adapters" not in call(repo.path, "restore", "--adapters", str(whole)).stdout
