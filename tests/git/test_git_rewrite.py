"""Rewriting history: the paths are gone everywhere, all else is as git would have written it."""

from pathlib import Path

from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.repository import discover
from git_skillmesh.git.rewrite import Rewritten, without_paths
from testing.repos import Repo, make_repo


def rewritten(repo: Repo, *paths: str) -> Rewritten:
    with ObjectDatabase(discover(repo.path)) as db:
        found = without_paths(db, "HEAD", paths)
        db.writer.flush()
    repo.git("fsck", "--strict", "--no-dangling")
    return found


def make_history(tmp_path: Path) -> Repo:
    """Return a repository with a merge: the secret came on a branch and changed after it."""
    repo = make_repo(tmp_path, files={"a": "1\n", "d/e/kept": "k\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("with a secret", {"d/e/secret/x": "s\n", "d/e/secret/y": "s\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("on main", {"b": "2\n"})
    repo.git("merge", "-q", "--no-edit", "side")
    repo.commit("change it", {"d/e/secret/x": "t\n", "a": "3\n"})
    return repo


def test_paths_are_gone_and_the_rest_stays(tmp_path: Path) -> None:
    repo = make_history(tmp_path)
    first = repo.git("rev-parse", "side")
    found = rewritten(repo, "d/e/secret", "not/there")
    assert (found.commits, found.first) == (3, (first,))
    assert "secret" not in repo.git("rev-list", "--objects", found.tip)
    shape = "--format=%s|%an|%at|%cn|%ct|%p"
    before = repo.git("log", "--topo-order", shape, "HEAD").splitlines()
    after = repo.git("log", "--topo-order", shape, found.tip).splitlines()
    assert [line.rpartition("|")[0] for line in before] == [
        line.rpartition("|")[0] for line in after
    ]
    assert repo.git("ls-tree", "-r", "--name-only", found.tip) == "a\nb\nd/e/kept"
    assert repo.git("rev-parse", f"{found.tip}~2") == repo.git("rev-parse", "HEAD~2")
    assert repo.git("show", f"{found.tip}:a") == "3"


def test_one_after_the_other_is_the_same_as_both_at_once(tmp_path: Path) -> None:
    repo = make_history(tmp_path)
    both = rewritten(repo, "d/e/secret", "b").tip
    repo.git("reset", "-q", "--hard", rewritten(repo, "b").tip)
    assert rewritten(repo, "d/e/secret").tip == both
    repo.git("reset", "-q", "--hard", both)
    assert rewritten(repo, "d/e/secret", "b") == Rewritten(both, 0, ())


def test_a_history_without_anything_left(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a/b": "1\n"})
    found = rewritten(repo, "a/b")
    assert repo.git("ls-tree", "-r", found.tip) == ""
    assert found.commits == 1


def test_a_file_where_a_folder_was_expected_stays(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    assert rewritten(repo, "a/b/c") == Rewritten(repo.head, 0, ())
