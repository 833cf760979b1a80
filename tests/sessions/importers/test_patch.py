"""apply_patch: every kind of file header, several hunks, ends of files, odd paths."""

import pytest

from git_skillmesh.sessions.importers.patch import edits_of_patch
from git_skillmesh.sessions.importers.places import Place
from git_skillmesh.sessions.importers.records import Misfit
from git_skillmesh.sessions.model import Edit
from testing.transcripts import ROOTS, TOP

PLACE = Place(ROOTS, TOP, TOP)


def edits(*lines: str) -> list[Edit]:
    return edits_of_patch("\n".join(["*** Begin Patch", *lines, "*** End Patch"]), PLACE)


def test_several_files_and_hunks() -> None:
    assert edits(
        "*** Update File: a.py",
        "@@ class A:",
        "@@     def f(self):",
        " kept",
        "-one",
        "-two",
        "+1",
        "@@",
        "+at the end",
        "*** End of File",
        f"*** Delete File: {TOP}/b.py",
        "*** Update File: /elsewhere/c.py",
        "-c",
    ) == [
        Edit("a.py", "one\ntwo\n", "1\n"),
        Edit("a.py", "", "at the end\n"),
        Edit("b.py", whole=True),
        Edit("/elsewhere/c.py", "c\n", ""),
    ]


def test_a_moved_file() -> None:
    moved = ["*** Update File: a.py", "*** Move to: lib/b.py"]
    assert edits(*moved) == [Edit("lib/b.py", "", "", moved_from="a.py")]
    assert edits(*moved, "@@", "-x", "+y") == [Edit("lib/b.py", "x\n", "y\n", moved_from="a.py")]


def test_a_header_inside_added_text_begins_no_file() -> None:
    assert edits("*** Add File: a.md", "+*** Add File: b.md", "+x") == [
        Edit("a.md", None, "*** Add File: b.md\nx\n", whole=True, line=1)
    ]


def test_a_patch_without_end_and_text_without_patch() -> None:
    assert edits_of_patch("*** Begin Patch\n*** Add File: a\n+x", PLACE) == [
        Edit("a", None, "x\n", whole=True, line=1)
    ]
    assert edits_of_patch("no patch", PLACE) == []
    with pytest.raises(Misfit, match="not a path"):
        edits("*** Delete File: a\0b")
