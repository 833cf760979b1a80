"""What became of lines: kept, changed, moved with their file, gone with it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from git_skillmesh.gate.fates import AddedLine, Fate, Fates
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo

BODY = "".join(f"line {number}\n" for number in range(1, 21))
FIRST = "one = 1\ntwo = 2\nthree = 3\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"other.txt": "x\n"})


def fates(repo: Repo, commit: str, path: str = "a.py", first: str = FIRST) -> list[Fate]:
    """Return the fates at HEAD of the lines of a file that a commit added."""
    lines = [
        AddedLine(commit, path, number, text.encode())
        for number, text in enumerate(first.splitlines(), 1)
    ]
    found = Fates(discover(repo.path), repo.head).of(lines, commit)
    return [found[line] for line in lines]


def add(repo: Repo, files: Mapping[str, str | bytes | None]) -> str:
    return repo.commit("add", files)


def test_untouched_lines_are_kept_wherever_they_move(repo: Repo) -> None:
    commit = add(repo, {"a.py": FIRST})
    repo.commit("above", {"a.py": BODY + FIRST})
    assert fates(repo, commit) == [Fate.KEPT] * 3


def test_changed_and_removed_lines(repo: Repo) -> None:
    commit = add(repo, {"a.py": FIRST})
    repo.commit("change", {"a.py": "one = 1\ntwo = 22\n"})
    assert fates(repo, commit) == [Fate.KEPT, Fate.CHANGED, Fate.CHANGED]


def test_a_line_that_is_taken_out_and_put_back_is_another_one(repo: Repo) -> None:
    commit = add(repo, {"a.py": FIRST})
    repo.commit("out", {"a.py": "one = 1\nthree = 3\n"})
    repo.commit("back", {"a.py": FIRST})
    assert fates(repo, commit) == [Fate.KEPT, Fate.CHANGED, Fate.KEPT]


def test_white_space_is_no_change(repo: Repo) -> None:
    commit = add(repo, {"a.py": FIRST})
    repo.commit("indent", {"a.py": "if x:\n    one = 1\n    two=2\n    three = 3\n"})
    assert fates(repo, commit) == [Fate.KEPT] * 3


def test_renames_are_followed_one_after_the_other(repo: Repo) -> None:
    commit = add(repo, {"a.py": FIRST + BODY})
    repo.git("mv", "a.py", "b.py")
    repo.commit("rename")
    repo.commit("change", {"b.py": "one = 1\ntwo = 22\nthree = 3\n" + BODY})
    (repo.path / "sub").mkdir()
    repo.git("mv", "b.py", "sub/c d.py")
    repo.commit("rename again")
    # Another file has the old name now.
    repo.commit("new", {"a.py": FIRST})
    assert fates(repo, commit) == [Fate.KEPT, Fate.CHANGED, Fate.KEPT]


def test_a_deleted_file_says_nothing(repo: Repo) -> None:
    commit = add(repo, {"a.py": FIRST})
    repo.commit("delete", {"a.py": None})
    assert fates(repo, commit) == [Fate.GONE] * 3


def test_a_branch_that_was_merged(repo: Repo) -> None:
    base = add(repo, {"a.py": BODY})
    repo.git("checkout", "--quiet", "-b", "side")
    commit = repo.commit("side", {"a.py": FIRST + BODY})
    repo.git("checkout", "--quiet", "main")
    repo.commit("main", {"a.py": BODY + "end\n"})
    repo.git("merge", "--quiet", "--no-edit", "side")
    merged = repo.head
    repo.commit("change", {"a.py": "one = 1\ntwo = 22\nthree = 3\n" + BODY + "end\n"})
    assert fates(repo, commit) == [Fate.KEPT, Fate.CHANGED, Fate.KEPT]
    lines = [AddedLine(merged, "a.py", n, text) for n, text in ((1, b"one = 1"), (2, b"two = 2"))]
    tip = Fates(discover(repo.path), repo.head, first_parent=True)
    assert list(tip.of(lines, base).values()) == [Fate.KEPT, Fate.CHANGED]


def test_many_lines_of_a_file_are_blamed_at_once(repo: Repo) -> None:
    first = "".join(f"value_{number} = {number}\n" for number in range(500))
    commit = add(repo, {"a.py": first})
    changed = first.replace("value_77 = 77", "value_77 = 0")
    repo.commit("change", {"a.py": changed})
    expected = [Fate.CHANGED if number == 77 else Fate.KEPT for number in range(500)]
    assert fates(repo, commit, first=first) == expected


def test_paths_as_strange_as_git_allows(repo: Repo) -> None:
    name = 'naïve "dir"\n/tab\there:*.py'
    commit = add(repo, {name: FIRST})
    assert fates(repo, commit, name) == [Fate.KEPT] * 3


def test_no_lines_ask_nothing(repo: Repo) -> None:
    assert Fates(discover(repo.path), repo.head).of([], repo.head) == {}
