"""Which lines commits brought, compared with `git blame`."""

from pathlib import Path

import pytest

from git_skillmesh.git.added import Addition, added_between, added_lines
from git_skillmesh.git.repository import discover
from testing.histories import History
from testing.repos import Repo, make_repo

BASE = "".join(f"{number}\n" for number in range(1, 21))


def added(repo: Repo, rev: str = "HEAD") -> list[tuple[str, str, list[tuple[int, int]]]]:
    oid = repo.git("rev-parse", rev)
    found = added_lines(discover(repo.path), [oid])[oid]
    for each in found:
        there = repo.run("rev-parse", "-q", "--verify", f"{oid}:{each.path}").stdout.strip()
        assert each.blob == there
    return [(each.path, each.old_path, each.ranges) for each in found]


@pytest.mark.parametrize(
    "name", ["a.py", "with space.py", 'quo"te.py', "tab\there.py", "ünï.py", "back\\slash", "a\nb"]
)
def test_every_name(tmp_path: Path, name: str) -> None:
    repo = make_repo(tmp_path, files={name: BASE})
    repo.commit("change", {name: BASE.replace("5\n", "five\nand more\n", 1)})
    assert added(repo) == [(name, name, [(5, 6), (16, 17)][:1])]
    repo.commit("gone", {name: None})
    assert added(repo) == [(name, name, [])]


def test_a_rename_brings_only_what_it_changes(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": BASE})
    repo.git("mv", "a.py", "b.py")
    repo.commit("rename", {"b.py": BASE + "21\n"})
    assert added(repo) == [("b.py", "a.py", [(21, 21)])]
    assert added(repo, "HEAD~1") == [("a.py", "", [(1, 20)])]


def test_a_merge_brings_what_no_parent_had(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": BASE})
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit("side", {"a.py": BASE.replace("7\n", "side\n", 1)})
    repo.git("checkout", "--quiet", "main")
    repo.commit("main", {"a.py": BASE.replace("7\n", "main\n", 1)})
    assert repo.run("merge", "side").returncode == 1
    repo.write("a.py", BASE.replace("7\n", "main\nside\nby hand\n", 1))
    repo.git("commit", "--quiet", "--all", "-m", "merge")
    assert added(repo) == [("a.py", "a.py", [(9, 9)])]


def test_what_is_no_text(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.bin": b"\0\1", "b.py": "++ b/x\n-- a/x\n@@ -1 +1 @@\n"})
    (repo.path / "link").symlink_to("b.py")
    repo.commit("link")
    assert added(repo, "HEAD~1") == [("b.py", "", [(1, 3)])]
    assert added(repo) == []


def test_a_commit_whose_objects_are_missing_is_left_out(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": BASE})
    repo.commit("second", {"a.py": BASE + "x\n"})
    repo.commit("third", {"a.py": None, "b.py": "1\n"})
    lost = repo.git("rev-parse", "HEAD~1:a.py")
    (repo.common_dir / "objects" / lost[:2] / lost[2:]).unlink()
    commits = repo.git("rev-list", "HEAD").split()
    found = added_lines(discover(repo.path), commits)
    assert set(found) == {commits[2]}


def test_between_two_commits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": BASE})
    repo.commit("second", {"a.py": "new\n" + BASE})
    repo.commit("third", {"a.py": "new\n" + BASE + "end\n"})
    found = added_between(discover(repo.path), "HEAD~2", "HEAD")
    blob = repo.git("rev-parse", "HEAD:a.py")
    assert found == [Addition("a.py", "a.py", blob, [(1, 1), (22, 22)])]


def test_it_is_what_blame_says(tmp_path: Path) -> None:
    """Over a random history, merges and renames included; no line is there twice."""
    world = History(tmp_path, 11)
    for _ in range(8):
        world.step()
    blamed = world.blamed()
    found = added_lines(discover(world.repo.path), {commit for commit, *_ in blamed})
    ranges = {
        (commit, each.path): set(each.lines()) for commit, all_ in found.items() for each in all_
    }
    telling = [each for each in blamed if len(each[3]) > 5]
    assert len(telling) > 20
    assert [each for each in telling if each[2] not in ranges.get((each[0], each[1]), set())] == []
