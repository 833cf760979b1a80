"""After a commit the worker links it; what goes wrong there stops nothing else."""

import os
from pathlib import Path

import pytest

from git_skillmesh.config import load
from git_skillmesh.errors import ReadOnly
from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.background import run_background
from testing.linking import by_line, commit, remember, wrote
from testing.repos import Repo, make_repo

TEXT = "def first_function():\n    return compute_first()\n"


def run(repo: Repo) -> list[str]:
    """Return what the log says."""
    said: list[str] = []
    repository = discover(repo.path)
    config = load(repository, {"chroma.impl": "off"}, os.environ)
    run_background(repository, config, said.append)
    return said


def test_a_commit_is_linked_before_it_is_indexed(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    remember(repo, "s", wrote(1, "a.py", None, TEXT))
    commit(repo, 2, {"a.py": TEXT})
    assert run(repo)[:2] == ["linked 1 of 1 commits", "indexed 1 files, 1 chunks"]
    assert by_line(repo, "a.py") == {1: "s-1 edit", 2: "s-1 edit"}
    assert run(repo)[0] == "indexed 0 files, 0 chunks"


def test_without_conversations_there_is_no_cache(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": TEXT})
    assert run(repo)[0] == "indexed 1 files, 1 chunks"
    assert not (repo.state_dir / "linking.db").exists()


def test_what_goes_wrong_stops_nothing_else(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    remember(repo, "s", wrote(1, "a.py", None, TEXT))
    commit(repo, 2, {"a.py": TEXT})
    (repo.state_dir / "linking.db").mkdir(parents=True)
    said: list[str] = []
    repository = discover(repo.path)
    with pytest.raises(ReadOnly):
        run_background(
            repository, load(repository, {"chroma.impl": "off"}, os.environ), said.append
        )
    assert said[0] == (
        "commits are not linked: the cache of links cannot be written: unable to open database file"
    )
    assert said[1] == "indexed 1 files, 1 chunks"
