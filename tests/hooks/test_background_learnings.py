"""After a commit the learnings that it brings are searchable, and in the collection."""

from pathlib import Path

import pytest

from git_skillmesh.chroma.target import target_of
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.background import run_background
from git_skillmesh.index.learnings import state_of_learnings
from git_skillmesh.learnings.model import FOLDER
from git_skillmesh.learnings.writing import write_learning
from testing.chroma_rows import stored
from testing.environment import processes_started
from testing.learnings import learning
from testing.repos import make_repo

ONE = learning("pause", "Do not sleep in tests")


def test_a_commit_of_one_file_starts_git_a_dozen_times(tmp_path: Path) -> None:
    """What of git's files the program reads itself, and what two steps need, is asked for once."""
    files = {"a.py": "def one():\n    return 1\n", ".gitattributes": "*.c linguist-vendored\n"}
    repo = make_repo(tmp_path, files=files)
    for count in range(2):
        repo.commit("more", {"a.py": f"def more():\n    return {count}\n"})
        repository, before = discover(repo.path), processes_started()
        run_background(repository, load(repository, {"chroma.impl": "off"}), lambda _: None)
    assert processes_started() - before <= 11


@pytest.mark.parametrize("impl", ["persistent", "off"])
def test_learnings_follow_head(tmp_path: Path, impl: str) -> None:
    files = {ONE.path: write_learning(ONE), f"{FOLDER}/half.yaml": "learning_id: half\n"}
    repo = make_repo(tmp_path, files=files)
    repository, said = discover(repo.path), list[str]()
    config = load(repository, {"chroma.impl": impl})
    run_background(repository, config, said.append)
    assert state_of_learnings(repository).behind == 0
    assert "read 2 files of learnings" in said
    assert f"learning left out: {FOLDER}/half.yaml:1: title is missing" in said
    target = target_of(config, repository)
    assert (target is None) == (impl == "off")
    if target is not None:
        rows = stored(target, "derived_learnings_v1").values()
        assert [row["metadata"]["learning_id"] for row in rows] == ["pause"]
        assert "Chroma: 1 learnings written, 0 deleted" in said
