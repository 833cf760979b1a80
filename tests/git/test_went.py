"""Who took lines of a file away: through changes, new names, merges and deletion."""

from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.git.went import taken_away
from testing.repos import Repo, make_repo

BODY = "".join(f"line {number} of many\n" for number in range(1, 13))


def without(*numbers: int) -> str:
    lines = BODY.splitlines(keepends=True)
    return "".join(line for at, line in enumerate(lines, 1) if at not in numbers)


def gone(repo: Repo, made: str, path: str, head: str = "") -> dict[int, str | None]:
    return taken_away(discover(repo.path), made, head or repo.head, path, range(1, 13), 20)


@pytest.mark.parametrize("name", ['a "file"\tof\nours.txt', "plain.txt", "[a]*.txt"])
def test_a_new_name_is_followed_until_the_file_is_deleted(tmp_path: Path, name: str) -> None:
    repo = make_repo(tmp_path, files={"other.txt": "x\n"})
    made = repo.commit("made", {name: BODY})
    first = repo.commit("take two", {name: without(2)})
    renamed = repo.commit("rename, take five", {name: None, "src/moved.txt": without(2, 5)})
    third = repo.commit("take seven", {"src/moved.txt": without(2, 5, 7)})
    assert gone(repo, made, name) == {2: first, 5: renamed, 7: third}
    repo.commit("unrelated", {"other.txt": "y\n"})
    deleted = repo.commit("delete", {"src/moved.txt": None})
    again = repo.commit("another of this name", {name: "new\n"})
    rest = dict.fromkeys((1, 3, 4, 6, 8, 9, 10, 11, 12), deleted)
    assert gone(repo, made, name) == {**rest, 2: first, 5: renamed, 7: third}
    assert again == repo.head


def test_a_merge_that_brings_the_deletion_is_named(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"o.txt": "x\n"})
    made = repo.commit("made", {"b.txt": BODY})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("delete beside", {"b.txt": None})
    repo.git("checkout", "-q", "main")
    repo.commit("unrelated", {"o.txt": "y\n"})
    assert gone(repo, made, "b.txt") == {}
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    assert gone(repo, made, "b.txt") == dict.fromkeys(range(1, 13), repo.head)
