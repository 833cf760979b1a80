"""What the edits of an exchange come to, counted and compared with real git on whole files."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.sessions.edits_as_diff import FileChange, Place, changes_of, diff_summary
from git_skillmesh.sessions.model import Act, Edit, Exchange, ToolCall
from testing.repos import run


def made(*edits: Edit) -> Exchange:
    """An exchange with a call for each edit."""
    calls = (ToolCall(f"c{n}", "Edit", Act.EDIT, edits=(edit,)) for n, edit in enumerate(edits))
    return Exchange("e", "prompt", "response", tools=tuple(calls))


def numbers(*edits: Edit) -> dict[str, tuple[int, int, bool]]:
    """Path → added, removed, exact."""
    return {c.path: (c.added, c.removed, c.is_exact) for c in changes_of(made(*edits))}


def numstat(folder: Path, before: str, after: str) -> tuple[int, int]:
    for name, text in (("before", before), ("after", after)):
        (folder / name).write_bytes(text.encode())
    words = ("git", "diff", "--no-index", "--numstat", "--", "before", "after")
    said = run(*words, cwd=folder).stdout.split()
    return (int(said[0]), int(said[1])) if said else (0, 0)


def test_a_fragment_and_a_new_file() -> None:
    new = Edit("b.py", None, "x\ny\n", whole=True, line=1)
    (one, two) = changes_of(made(Edit("a.py", "a\nold\nz", "a\nnew\nnewer\nz", line=7), new))
    assert one == FileChange(
        "a.py", 2, 1, (Place(("old",), ("new", "newer"), 8, 0, 1),), pieces=("a\nnew\nnewer\nz\n",)
    )
    assert two == FileChange(
        "b.py", 2, 0, (Place((), ("x", "y"), 1),), is_new=True, is_exact=True,
        pieces=("x\ny\n",),
    )  # fmt: skip


def test_what_an_edit_takes_back_counts_for_nothing() -> None:
    there, back = Edit("a", "one\n", "two\n", line=3), Edit("a", "two\n", "one\n", line=3)
    assert changes_of(made(there, back)) == ()
    untold = (
        Edit("a", "one = 1 + 1\n", "two = 2 + 2\n"),
        Edit("a", "two = 2 + 2\n", "one = 1 + 1\n"),
    )
    assert changes_of(made(*untold)) == ()


def test_an_edit_of_what_was_written_counts_once() -> None:
    first = Edit("a", "b\n", "1\n2\n3\n", line=10)
    inside = Edit("a", "2\n", "two\n", line=11)
    around = Edit("a", "z\n1\ntwo\n", "z\none\n2\n", line=9)
    assert numbers(first, inside) == {"a": (3, 1, False)}
    assert numbers(first, inside, around) == {"a": (3, 1, False)}
    both = Edit("a", "2\n3\nrest\n", "rest 2\n", line=11)
    assert numbers(first, both) == {"a": (2, 2, False)}


def test_an_edit_above_moves_what_is_below() -> None:
    below = Edit("a", "x\n", "y\n", line=10)
    above = Edit("a", "t\n", "t\nu\nv\n", line=1)
    again = Edit("a", "y\n", "x\n", line=12)
    assert numbers(below, above, again) == {"a": (2, 0, False)}


def test_the_same_text_elsewhere_is_not_what_was_written() -> None:
    assert numbers(Edit("a", "x\n", "y\n", line=1), Edit("a", "y\n", "z\n", line=5)) == {
        "a": (2, 2, False)
    }


def test_files_come_and_go() -> None:
    new = Edit("a", None, "1\n2\n", whole=True)
    gone = Edit("a", "1\n2\n", None, whole=True)
    assert changes_of(made(new, gone)) == ()
    assert numbers(gone) == {"a": (0, 2, True)}
    assert changes_of(made(gone))[0].is_gone
    assert numbers(Edit("a", whole=True)) == {"a": (0, 0, False)}
    assert numbers(Edit("a", "x\n", "y\nz\n", line=1), Edit("a", whole=True)) == {
        "a": (0, 1, False)
    }
    assert numbers(gone, Edit("a", None, "1\n3\n", whole=True)) == {"a": (1, 1, True)}


def test_a_renamed_file_is_one_file() -> None:
    edit = Edit("old", "1\n2\n3\n", "1\ntwo\n3\n", whole=True)
    moved = Edit("new", "3\n", "three\n", moved_from="old")
    (change,) = changes_of(made(edit, moved))
    assert (change.path, change.moved_from, change.added, change.removed) == ("new", "old", 2, 2)
    (alone,) = changes_of(made(Edit("new", "", "", moved_from="old")))
    assert (alone.moved_from, alone.added, alone.removed) == ("old", 0, 0)


def test_what_somebody_else_changed_in_between_is_theirs() -> None:
    first = Edit("a", "1\n", "1\n2\n", whole=True)
    second = Edit("a", "0\n1\n2\n", "0\n1\n2\n3\n", whole=True)
    assert numbers(first, second) == {"a": (2, 0, False)}


def test_islands_are_taken_out_of_the_whole_that_follows() -> None:
    island = Edit("a", "two\n", "2\n", line=2)
    whole = Edit("a", "one\n2\nthree\n", "one\n2\n3\n", whole=True)
    assert numbers(island, whole) == {"a": (2, 2, True)}


def test_binary_files_have_no_lines() -> None:
    assert numbers(Edit("a", "x\n\0", "y\n\0z\n", whole=True)) == {"a": (0, 0, True)}
    assert changes_of(made(Edit("a", "x\0", "x\0", whole=True))) == ()


class Author:
    """Writes a file by edits; every line is its own, so that there is only one shortest diff."""

    def __init__(self, rng: random.Random, rows: int) -> None:
        self.rng = rng
        self.count = 0
        self.rows = [self.line() for _ in range(rows)]

    def line(self) -> str:
        self.count += 1
        return f"line {self.count}\n"

    def edit(self) -> Edit:
        rng, rows = self.rng, self.rows
        first = rng.randrange(len(rows))
        last = min(first + rng.randrange(1, 7), len(rows))
        lead, trail = rng.randrange(3), rng.randrange(3)
        old = rows[first:last]
        middle = [self.line() for _ in range(rng.randrange(5))]
        new = old[:lead] + middle + (old[max(lead, len(old) - trail) :] if trail else [])
        rows[first:last] = new
        before, after = "".join(old), "".join(new)
        if new and rng.random() < 0.5:  # agents leave out the last line end
            before, after = before.removesuffix("\n"), after.removesuffix("\n")
        return Edit("f", before, after, line=first + 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 10**9), st.integers(5, 60), st.integers(1, 12))
def test_edits_of_fragments_add_up_to_what_git_counts(
    tmp_path: Path, seed: int, rows: int, edits: int
) -> None:
    author = Author(random.Random(seed), rows)
    before = "".join(author.rows)
    done = [author.edit() for _ in range(edits) if author.rows]
    (total,) = changes_of(made(*done)) or (FileChange("f", 0, 0),)
    assert (total.added, total.removed) == numstat(tmp_path, before, "".join(author.rows))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 40), st.integers(0, 8))
def test_edits_of_a_whole_file_are_counted_as_git_does(
    tmp_path: Path, seed: int, rows: int, edits: int
) -> None:
    rng = random.Random(seed)
    base = "".join(f"l{rng.randrange(6)}\n" for _ in range(rows))
    author = Author(rng, rows=0)
    author.rows = [f"l{rng.randrange(6)}\n" for _ in range(rows)] or ["only\n"]
    whole = Edit("f", base, "".join(author.rows), whole=True, line=1)
    done = [whole, *(author.edit() for _ in range(edits) if author.rows)]
    (total,) = changes_of(made(*done)) or (FileChange("f", 0, 0, is_exact=True),)
    assert total.is_exact
    assert (total.added, total.removed) == numstat(tmp_path, base, "".join(author.rows))


def test_the_summary_names_the_largest_first() -> None:
    changes = [
        FileChange("src/b.py", 1, 1),
        FileChange("src/a.py", 30, 2),
        FileChange("old\x1b[31m.py", 0, 9, is_gone=True),
    ]
    assert diff_summary(changes) == (
        "3 files, +31 \u221212: src/a.py +30 \u22122; old?[31m.py (deleted) +0 \u22129; "
        "src/b.py +1 \u22121"
    )
    assert diff_summary(changes[:1]) == "1 file, +1 \u22121: src/b.py +1 \u22121"
    assert diff_summary([]) == ""
    many = [FileChange(f"f{n:02}", 1, 0) for n in range(13)]
    assert diff_summary(many).endswith("f09 +1 \u22120; 3 more")


@pytest.mark.parametrize("line", [0, 5])
def test_many_edits_take_time_in_proportion(line: int) -> None:
    edits = [Edit("f", f"a{n}\n", f"b{n}\n", line=line and line + 9 * n) for n in range(3000)]
    assert numbers(*edits) == {"f": (3000, 3000, False)}
