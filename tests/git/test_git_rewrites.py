"""What git says of rewritten commits, and where they still are."""

from pathlib import Path

import pytest

from git_skillmesh.git import rewrites
from git_skillmesh.git.repository import discover
from testing.repos import make_repo

A, B, C = "a" * 40, "b" * 40, "c" * 40


def test_pairs_are_taken_once(tmp_path: Path) -> None:
    rewrites.leave_pairs(tmp_path / "state", f"{A} {B}\n{A} {C} extra\nnonsense\n".encode())
    rewrites.leave_pairs(tmp_path / "state", f"{B} {C}\n".encode())
    with rewrites.pairs_left(tmp_path / "state") as pairs:
        assert pairs == [(A, B), (A, C), (B, C)]
    with rewrites.pairs_left(tmp_path / "state") as pairs:
        assert pairs == []
    with rewrites.pairs_left(tmp_path / "nowhere") as pairs:
        assert pairs == []


def test_pairs_of_a_run_that_failed_come_again(tmp_path: Path) -> None:
    rewrites.leave_pairs(tmp_path, f"{A} {B}\n".encode())
    with pytest.raises(KeyError), rewrites.pairs_left(tmp_path):
        raise KeyError
    rewrites.leave_pairs(tmp_path, f"{B} {C}\n".encode())
    with rewrites.pairs_left(tmp_path) as pairs:
        assert pairs == [(A, B), (B, C)]
    assert list(tmp_path.iterdir()) == []


def test_what_a_branch_does_not_have(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "1\n"})
    lost = repo.commit("lost")
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.git("checkout", "--quiet", "-b", "side")
    side = repo.commit("side")
    repo.git("checkout", "--quiet", "main")
    head = repo.commit("main")
    repo.git("notes", "--ref=skillmesh", "add", "-m", "x", head)
    repo.git("notes", "--ref=skillmesh", "add", "-f", "-m", "y", head)
    found = rewrites.unmerged(discover(repo.path), head)
    assert set(found) == {lost, side}
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("update-ref", "-d", "ORIG_HEAD")
    assert set(rewrites.unmerged(discover(repo.path), head)) == {side}
    assert set(rewrites.unmerged(discover(repo.path), head, [lost, A])) == {lost, side}


def test_patch_ids_do_not_see_what_is_near(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "1\n2\n3\n"})
    one = repo.commit("one", {"a.py": "1\n2\nnew\n3\n"})
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.commit("other", {"a.py": "0\n1\n2\n3\n"})
    two = repo.commit("two", {"a.py": "0\n1\n2\nnew\n3\n"})
    three = repo.commit("three", {"a.py": "0\n1\n2\nnew\n3\nmore\n"})
    empty = repo.commit("empty")
    found = rewrites.patch_ids(discover(repo.path), [one, two, three, empty])
    assert set(found) == {one, two, three}
    assert found[one] == found[two] != found[three]


def test_tips_are_branches_and_worktrees(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "1\n"})
    alone = {"refs/heads/main": repo.head, f"HEAD of {repo.path}": repo.head}
    assert rewrites.tips(discover(repo.path)) == alone
    repo.git("checkout", "--quiet", "--detach")
    assert rewrites.tips(discover(repo.path)) == alone
    repo.git("checkout", "--quiet", "--orphan", "unborn")
    assert rewrites.tips(discover(repo.path)) == {"refs/heads/main": repo.git("rev-parse", "main")}
    repo.git("checkout", "--quiet", "main")
    linked = repo.worktree(tmp_path / "linked", "side")
    linked.git("checkout", "--quiet", "--detach")
    head = linked.commit("detached")
    found = rewrites.tips(discover(repo.path))
    assert found == {
        "refs/heads/main": repo.head,
        "refs/heads/side": repo.head,
        f"HEAD of {repo.path}": repo.head,
        f"HEAD of {linked.path}": head,
    }
