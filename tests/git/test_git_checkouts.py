"""Working trees, and the name at the origin."""

from pathlib import Path

import pytest

from git_skillmesh.git.checkouts import only_worktree, origin_name, worktrees
from git_skillmesh.git.repository import discover
from testing.repos import make_repo


def test_working_trees(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "x"})
    tree = repo.worktree(tmp_path / "other tree", "other")
    assert worktrees(discover(tree.path)) == [str(repo.path), str(tree.path)]


@pytest.mark.parametrize("name", ["repo", "a repo.git"])
def test_one_working_tree_is_named_without_git_as_git_names_it(tmp_path: Path, name: str) -> None:
    repo = make_repo(tmp_path, name, bare=name.endswith(".git"))
    said = repo.git("worktree", "list", "--porcelain").splitlines()[0].removeprefix("worktree ")
    assert only_worktree(discover(repo.path)) == said
    assert worktrees(discover(repo.path)) == [said]


@pytest.mark.parametrize(
    "url",
    ["https://forge.example/me/lamp.git", "git@forge.example:me/lamp", "/src/lamp/", "host:lamp"],
)
def test_the_name_at_the_origin(tmp_path: Path, url: str) -> None:
    repo = make_repo(tmp_path, files={"a": "x"})
    assert origin_name(discover(repo.path)) == ""
    repo.git("remote", "add", "origin", url)
    assert origin_name(discover(repo.path)) == "lamp"
