"""Labelled commits are read as they are, and the measures count right."""

from pathlib import Path

from benchmarks.modification_types import (
    by_keywords,
    by_rules,
    labelled,
    labelled_in,
    quality,
    thresholds,
)
from git_skillmesh.sessions.edits_as_diff import FileChange, Place
from git_skillmesh.sessions.modification import KINDS, Modification
from testing.repos import make_repo

FIX, TEST, STYLE = Modification.BUGFIX, Modification.TEST, Modification.STYLE


def test_commits_that_name_their_type(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "one\ntwo\n", "old.md": "x\n" * 9})
    repo.write("a.py", "one\n2\nthree\n-- dashes\n")
    repo.git("mv", "old.md", "new.md")
    repo.git("add", "-A")
    repo.git("commit", "-m", "fix(core)!: count on (#12)")
    repo.write("b.py", "x\n")
    repo.git("add", "-A")
    repo.git("commit", "-m", "Add b")
    repo.git("rm", "-q", "a.py")
    repo.git("commit", "-m", "chore: drop a", "--author", "dependabot[bot] <b@x>")
    (found,) = labelled(repo.path, 10)
    assert (found.project, found.label, found.text) == (tmp_path.name, FIX, "count on")
    assert found.changes == (
        FileChange("a.py", 3, 1, (Place(("two",), ("2", "three", "-- dashes"), 2),)),
        FileChange("new.md", 0, 0, (), "old.md"),
    )
    assert [one.label for one in labelled_in([repo.path])] == [FIX]


def test_baselines() -> None:
    code = FileChange("a.py", 1, 1, (Place(("x = 1",), ("x = 2",), 1),))
    assert by_keywords("speed it up") == Modification.OPTIMISATION
    assert by_keywords("hello") is None
    assert by_rules("hello", [FileChange("test_a.py", 1, 0)]) == TEST
    assert by_rules("hello", [code]) == FIX
    spaced = FileChange("a.py", 1, 1, (Place(("x=1",), ("x = 1",), 1),))
    assert by_rules("crash", [spaced]) == STYLE


def test_measures() -> None:
    right = [FIX, FIX, TEST, STYLE]
    found = quality(right, [FIX, TEST, TEST, FIX])
    assert found["accuracy"] == 0.5
    assert found["f1"]["bugfix"] == 0.5
    assert found["f1"]["test"] == 0.667
    assert found["macro_f1"] == round((0.5 + 0.667) / len(KINDS), 3)
    assert found["confusion"]["bugfix"]["test"] == 1
    sure = [0.9 if kind == FIX else 0.0 for kind in KINDS]
    unsure = [0.35 if kind == TEST else 0.0 for kind in KINDS]
    rows = thresholds([FIX, FIX], [sure, unsure])
    assert rows[0] == [0.0, 1.0, 0.5]
    assert rows[2] == [0.4, 0.5, 1.0]
