"""Refs: moved by one at a time, without hooks, and asked who else holds a commit."""

from pathlib import Path

import pytest

from git_skillmesh.errors import Busy
from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.process import GitFailed
from git_skillmesh.git.refs import (
    RefMoved,
    expire_reflog,
    is_ancestor,
    list_refs,
    move_ref,
    only_in,
    prune_expiry,
    read_ref,
    refs_holding,
    until_moved,
)
from git_skillmesh.git.repository import discover
from testing.environment import processes_started
from testing.repos import Repo, make_repo

REF = "refs/skillmesh/memory"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repo.commit("second", {"a": "2\n"})
    return repo


def test_a_ref_moves_only_from_where_it_was_seen(repo: Repo) -> None:
    repository = discover(repo.path)
    first, second = repo.git("rev-parse", "HEAD~"), repo.head
    assert read_ref(repository, REF) is None
    with pytest.raises(RefMoved):
        move_ref(repository, REF, second, first, "test")
    move_ref(repository, REF, first, None, "test")
    with pytest.raises(RefMoved):
        move_ref(repository, REF, second, None, "test")
    with pytest.raises(RefMoved):
        move_ref(repository, REF, first, second, "test")
    move_ref(repository, REF, second, first, "test")
    assert read_ref(repository, REF) == second
    with pytest.raises(GitFailed):
        move_ref(repository, "not a ref", second, None, "test")


def test_where_a_ref_stands_makes_no_difference(repo: Repo, tmp_path: Path) -> None:
    """In a file of its own, in the file of packed refs, in the folder that worktrees share."""
    before = processes_started()
    assert read_ref(discover(repo.path), REF) is None
    assert processes_started() == before + 1  # which has found the repository
    linked = discover(repo.worktree(tmp_path / "linked", "topic").path)
    repo.git("update-ref", REF, "HEAD~")
    assert read_ref(linked, REF) == repo.git("rev-parse", "HEAD~")
    repo.git("pack-refs", "--all")
    assert not (repo.git_dir / REF).exists()
    assert read_ref(linked, REF) == repo.git("rev-parse", "HEAD~")
    repo.git("symbolic-ref", REF, "refs/heads/main")
    assert read_ref(linked, REF) == repo.head
    repo.git("update-ref", "--no-deref", "-d", REF)
    assert read_ref(linked, REF) is None


def test_refs_that_are_not_there_are_listed_without_git(repo: Repo) -> None:
    repository, folder = discover(repo.path), "refs/skillmesh/remotes"
    before = processes_started()
    assert list_refs(repository, folder) == {}
    assert processes_started() == before
    repo.git("update-ref", f"{folder}/origin/memory", "HEAD")
    there = {f"{folder}/origin/memory": repo.head}
    assert list_refs(repository, folder) == list_refs(repository, "refs/skillmesh/*/*/*") == there
    repo.git("pack-refs", "--all", "--prune")
    assert list_refs(repository, folder) == there
    with ObjectDatabase(repository) as db:
        assert [db.tip(name) is None for name in (REF, f"{folder}/origin/memory")] == [True, False]


def test_a_lock_of_somebody_else_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def third_time() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise RefMoved("at")
        return "moved"

    assert until_moved(third_time, REF) == "moved"

    monkeypatch.setattr("git_skillmesh.git.refs._PATIENCE_SECONDS", 0.05)

    def never() -> None:
        raise RefMoved("fatal: Unable to create 'x.lock': File exists.\n")

    with pytest.raises(Busy) as failed:
        until_moved(never, REF)
    assert str(failed.value) == (
        f"another process keeps {REF}: fatal: Unable to create 'x.lock': File exists."
    )


def test_what_a_ref_holds(repo: Repo) -> None:
    repository = discover(repo.path)
    first, second = repo.git("rev-parse", "HEAD~"), repo.head
    repo.git("update-ref", REF, first)
    assert list_refs(repository) == {"refs/heads/main": second, REF: first}
    assert list_refs(repository, "refs/skillmesh") == {REF: first}
    assert refs_holding(repository, [first]) == ["refs/heads/main", REF]
    assert refs_holding(repository, [second]) == ["refs/heads/main"]
    assert refs_holding(repository, []) == []
    assert is_ancestor(repository, first, second)
    assert is_ancestor(repository, first, first)
    assert not is_ancestor(repository, second, first)


def test_a_log_is_forgotten_where_there_is_one(repo: Repo) -> None:
    repository = discover(repo.path)
    expire_reflog(repository, REF)
    repo.git("config", "core.logAllRefUpdates", "always")
    move_ref(repository, REF, repo.head, None, "one")
    move_ref(repository, REF, repo.git("rev-parse", "HEAD~"), repo.head, "two")
    assert repo.git("log", "-g", "--format=%gs", REF).splitlines() == ["two", "one"]
    expire_reflog(repository, REF)
    assert repo.git("reflog", "show", REF) == ""
    assert repo.git("reflog", "show", "main") != ""


def test_what_only_an_old_commit_holds(repo: Repo) -> None:
    repository = discover(repo.path)
    old = repo.git("commit-tree", "HEAD^{tree}", "-m", "lost")
    repo.git("update-ref", REF, "HEAD~")
    assert only_in(repository, old, REF) == {old}
    assert only_in(repository, repo.head, REF) == frozenset()
    assert prune_expiry(repository) == "2.weeks.ago"
    repo.git("config", "gc.pruneExpire", "now")
    assert prune_expiry(repository) == "now"
