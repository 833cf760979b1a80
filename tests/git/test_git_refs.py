"""Refs by pattern, notes whatever their fan-out, working trees, the name at the origin."""

from pathlib import Path

import pytest

from git_skillmesh.git.refs import matching_refs, notes_of, origin_name, worktrees
from git_skillmesh.git.repository import discover
from testing.repos import make_repo


def test_refs_by_pattern(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "x"})
    repo.git("branch", "entire/checkpoints/v1")
    repository = discover(repo.path)
    assert matching_refs(repository, "refs/heads/entire/checkpoints/") == {
        "refs/heads/entire/checkpoints/v1": repo.head
    }
    assert matching_refs(repository, "refs/notes/ai") == {}


def test_notes_with_and_without_fan_out(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "x"})
    repo.git("notes", "--ref=ai", "add", "-m", "hello", "HEAD")
    blob = repo.git("notes", "--ref=ai", "list", "HEAD")
    assert notes_of(discover(repo.path), "refs/notes/ai") == {repo.head: blob}

    head = repo.head
    inner = repo.git("mktree", stdin=f"100644 blob {blob}\t{head[2:]}\n")
    tree = repo.git(
        "mktree", stdin=f"040000 tree {inner}\t{head[:2]}\n100644 blob {blob}\tREADME\n"
    )
    repo.git("update-ref", "refs/notes/deep", repo.git("commit-tree", "-m", "x", tree))
    assert notes_of(discover(repo.path), "refs/notes/deep") == {head: blob}


def test_working_trees(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "x"})
    tree = repo.worktree(tmp_path / "other tree", "other")
    assert worktrees(discover(tree.path)) == [str(repo.path), str(tree.path)]


@pytest.mark.parametrize(
    "url",
    ["https://forge.example/me/lamp.git", "git@forge.example:me/lamp", "/src/lamp/", "host:lamp"],
)
def test_the_name_at_the_origin(tmp_path: Path, url: str) -> None:
    repo = make_repo(tmp_path, files={"a": "x"})
    assert origin_name(discover(repo.path)) == ""
    repo.git("remote", "add", "origin", url)
    assert origin_name(discover(repo.path)) == "lamp"
