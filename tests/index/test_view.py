"""What a query sees: the working tree, with or without the right to write the index."""

import os
from pathlib import Path

import pytest

from git_skillmesh.index.locks import exclusive
from git_skillmesh.index.store import Store
from git_skillmesh.index.view import NoIndexError
from testing.indexing import COMMITTED, WORKING_TREE, ask, index, opened, places, view_of
from testing.repos import Repo, make_repo


def function(name: str) -> str:
    return f"def {name}(value):\n    return value\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(
        tmp_path, files={"a.py": function("committed_a"), "b.py": function("committed_b")}
    )
    index(made)
    return made


def test_changed_untracked_and_deleted_files_are_as_on_disk(repo: Repo) -> None:
    repo.write("a.py", function("changed_a"))
    repo.write("new dir/c.py", function("untracked_c"))
    (repo.path / "b.py").unlink()
    answer = ask(repo, "value", WORKING_TREE)
    assert sorted(places(answer)) == ["a.py:1 changed_a", "new dir/c.py:1 untracked_c"]
    assert {hit.path: hit.changed for hit in answer.hits} == {"a.py": True, "new dir/c.py": True}
    assert sorted(places(ask(repo, "value", COMMITTED))) == [
        "a.py:1 committed_a",
        "b.py:1 committed_b",
    ]


def test_ignored_files_links_and_fifos_are_not_read(repo: Repo) -> None:
    repo.write(".git/info/exclude", "ignored.py\n")
    repo.write("ignored.py", function("ignored"))
    (repo.path / "link.py").symlink_to("/etc/passwd")
    os.mkfifo(repo.path / "pipe.py")
    assert {hit.path for hit in ask(repo, "value passwd root", WORKING_TREE).hits} == {
        "a.py",
        "b.py",
    }


def test_a_busy_index_still_answers_for_changed_files(repo: Repo) -> None:
    repo.write("a.py", function("changed_a"))
    lock = Store(opened(repo)[0]).folder / "index.lock"
    with exclusive(lock):
        answer = ask(repo, "changed_a", WORKING_TREE)
    assert places(answer)[0] == "a.py:1 changed_a"
    assert answer == ask(repo, "changed_a", WORKING_TREE)


def test_what_a_query_read_is_kept_for_the_next_commit(repo: Repo) -> None:
    repo.write("a.py", function("changed_a"))
    ask(repo, "changed_a", WORKING_TREE)
    repo.commit("as it is")
    assert index(repo).report.files == 0


def test_a_commit_without_hooks_is_caught_up(repo: Repo) -> None:
    repo.commit("more", {"c.py": function("committed_c"), "a.py": None})
    answer = ask(repo, "value", COMMITTED)
    assert sorted(places(answer)) == ["b.py:1 committed_b", "c.py:1 committed_c"]
    assert answer.behind == 0


def test_a_large_gap_is_counted_and_gives_no_stale_hit(repo: Repo) -> None:
    files: dict[str, str | bytes | None] = {f"d/{n}.py": function(f"later_{n}") for n in range(250)}
    repo.commit("many", {**files, "a.py": function("changed_a")})
    answer = ask(repo, "value", COMMITTED)
    assert (answer.behind, places(answer)) == (251, ["b.py:1 committed_b"])
    index(repo)
    assert ask(repo, "later_77", COMMITTED).behind == 0


def test_a_large_repository_without_index_says_so(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {f"{n}.py": function(f"f_{n}") for n in range(250)}
    large = make_repo(tmp_path, files=files)
    with pytest.raises(NoIndexError):
        view_of(large)


def test_an_empty_repository_and_a_bare_one(tmp_path: Path) -> None:
    empty = make_repo(tmp_path, "empty")
    assert ask(empty, "anything", WORKING_TREE).hits == ()
    empty.write("first.py", function("not_committed"))
    assert places(ask(empty, "not_committed", WORKING_TREE)) == ["first.py:1 not_committed"]
    empty.commit()
    bare = empty.clone(tmp_path / "bare.git", "--bare")
    assert places(ask(bare, "not_committed", COMMITTED)) == ["first.py:1 not_committed"]


def test_worktrees_share_the_index_and_see_their_own_files(repo: Repo, tmp_path: Path) -> None:
    other = repo.worktree(tmp_path / "other", "topic")
    other.commit("topic", {"a.py": function("topic_a")})
    other.write("b.py", function("dirty_b"))
    assert sorted(places(ask(other, "value", WORKING_TREE))) == ["a.py:1 topic_a", "b.py:1 dirty_b"]
    assert sorted(places(ask(repo, "value", WORKING_TREE))) == [
        "a.py:1 committed_a",
        "b.py:1 committed_b",
    ]
    assert not (other.git_dir / "skillmesh").exists()
