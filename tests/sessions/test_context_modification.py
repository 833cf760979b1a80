"""Which kind of change it was: what is told, what paths and lines say, and what is left open."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions import modification
from git_skillmesh.sessions.edits_as_diff import FileChange, Place
from git_skillmesh.sessions.model import Act, Exchange, ToolCall
from git_skillmesh.sessions.modification import (
    KINDS,
    Modification,
    Weights,
    chances_of,
    likely,
    modification_of,
    told_type,
    weights,
)
from git_skillmesh.sessions.modification_features import (
    diff_features,
    kind_of_path,
    text_features,
)


def commit(message: str, *more: str) -> Exchange:
    """An exchange whose agent commits once with each of these command lines."""
    calls = (
        ToolCall(f"c{n}", "Bash", Act.BASH, line, commits=("1a2b3c4",))
        for n, line in enumerate((message, *more))
    )
    return Exchange("x", "", "", tools=tuple(calls))


def change(path: str, removed: str = "", added: str = "", is_new: bool = False) -> FileChange:
    place = Place(tuple(removed.splitlines()), tuple(added.splitlines()), 1)
    return FileChange(path, len(place.added), len(place.removed), (place,), is_new=is_new)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('git commit -m "feat(scan): retry"', Modification.FEATURE),
        ("git add -A && git commit -am 'fix!: no more loss'", Modification.BUGFIX),
        ("git commit -m \"$(cat <<'EOF'\nperf: read once\n\nWhy.\nEOF\n)\"",
         Modification.OPTIMISATION),
        ("git commit --message='docs: say how'", Modification.DOCUMENTATION),
        ("git commit -m style:\\ indent", None),
        ("git commit -m 'Fix: the loss'", None),
        ("git commit -m 'scan: retry'", None),
        ("git commit --amend --no-edit", None),
        ("git commit -m 'ci: cache'", Modification.CONFIG),
    ],
)  # fmt: skip
def test_a_commit_message_may_tell_the_type(line: str, kind: Modification | None) -> None:
    assert told_type(commit(line)) == kind


def test_most_commits_count_and_only_those_that_were_made() -> None:
    lines = ("git commit -m 'docs: a'", "git commit -m 'fix: b'", "git commit -m 'fix: c'")
    assert told_type(commit(*lines)) == Modification.BUGFIX
    assert told_type(commit(*lines[:2])) == Modification.DOCUMENTATION
    refused = ToolCall("c", "Bash", Act.BASH, "git commit -m 'fix: b'")
    assert told_type(Exchange("x", "", "", tools=(refused,))) is None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/scan.py", "code"), ("lib/contest.rb", "code"), ("cmd/latest/main.go", "code"),
        ("tests/test_scan.py", "test"), ("scan_test.go", "test"), ("src/__tests__/a.js", "test"),
        ("spec/a_spec.rb", "test"), ("src/a.test.tsx", "test"), ("FooTests.cs", "test"),
        ("conftest.py", "test"), ("tests/README.md", "test"), ("test/run.bats", "test"),
        ("README.md", "documentation"), ("docs/conf.py", "documentation"),
        ("LICENSE", "documentation"), ("CHANGELOG.rst", "documentation"),
        ("package.json", "config"), (".github/workflows/ci.yml", "config"), ("go.sum", "config"),
        ("Makefile", "config"), (".gitignore", "config"), ("vite.config.ts", "config"),
        ("requirements-dev.txt", "config"), ("Dockerfile", "config"), ("Cargo.lock", "config"),
    ],
)  # fmt: skip
def test_what_files_are_for(path: str, kind: str) -> None:
    assert kind_of_path(path) == kind


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("Fix the crash", {"~text", "~repair", "~repair first", "~problem"}),
        ("please add a test", {"~text", "~add", "~test"}),
        ("Behebe den Fehler", {"~text", "~repair", "~repair first"}),
        ("修复崩溃", {"~text", "~repair", "~problem"}),
        ("добавь тесты", {"~text", "~add", "~add first", "~test"}),
        ("Añade documentación", {"~text", "~add", "~add first", "~document"}),
        ("address the prefix", {"~text"}),
        ("", set()),
    ],
)
def test_words_hint_in_several_languages(text: str, hints: set[str]) -> None:
    assert set(text_features(text)) == hints


@pytest.mark.parametrize(
    ("asked", "changes", "kind"),
    [
        ("yes please", [change("README.md", "", "More words.")], Modification.DOCUMENTATION),
        ("ok", [change("tests/test_a.py", "", "def test_a():\n    assert 1")], Modification.TEST),
        ("do it", [change(".github/workflows/ci.yml", "v: 1", "v: 2")], Modification.CONFIG),
        ("Fix the crash when the file is empty",
         [change("a.py", "  return x[0]", "  if not x:\n    return None\n  return x[0]"),
          change("test_a.py", "", "def test_empty():\n    assert f([]) is None")],
         Modification.BUGFIX),
        ("Add support for reading archives",
         [change("archive.py", "", "import tarfile\n\nclass Archive:\n    def read(self):\n"
                 "        return tarfile.open(self.path)\n" * 5, is_new=True),
          change("README.md", "", "Archives are read, too.")],
         Modification.FEATURE),
        ("Extract the parser into its own module and simplify",
         [change("a.py", "def parse(x):\n    return int(x)\n" * 9, "from .p import parse"),
          change("p.py", "", "def parse(x):\n    return int(x)\n" * 9, is_new=True)],
         Modification.REFACTOR),
    ],
)  # fmt: skip
def test_plain_cases(asked: str, changes: list[FileChange], kind: Modification) -> None:
    edited = Exchange("x", asked, "")
    assert modification_of(edited, asked, "", changes) == kind


def test_where_nothing_speaks_the_kind_is_unknown() -> None:
    assert modification_of(Exchange("x", "", ""), "Fix the bug", "Done", []) == "unknown"
    edited = Exchange("x", "", "", tools=(ToolCall("c", "Edit", Act.EDIT),))
    assert modification_of(edited, "go on", "", []) == "unknown"
    assert likely({}) == "unknown"


def test_shares_and_looks_of_changes() -> None:
    reformatted = change("a.js", "f('a')\nif (x) y()", 'f("a");\nif (x)\n  y();')
    assert diff_features([reformatted])["cosmetic"] == 1.0
    bumped = change("package.json", '"v": "1.2.3"', '"v": "1.3.0"')
    assert diff_features([bumped])["all numbers"] == 1.0
    assert diff_features([bumped])["only manifest"] == 1.0
    moved = [change("a.py", "def f():\n    pass"), change("b.py", "", "  def f():\n      pass")]
    assert diff_features(moved)["moved"] == 1.0


def test_the_shipped_weights_are_complete() -> None:
    document = json.loads(Path(modification.__file__).with_name("modification.json").read_bytes())
    assert set(document) == {"about", "kinds", "least", "least_by_words", "start", "weights"}
    assert sorted(document["kinds"]) == sorted(KINDS)
    assert {len(row) for row in document["weights"].values()} == {len(KINDS)}
    known = {*diff_features([change("a.py", "x", "y")]), *text_features("Fix a test")}
    assert known <= set(document["weights"])


@given(st.dictionaries(st.sampled_from(sorted(weights().values)), st.floats(0, 2), max_size=20))
def test_chances_add_up(features: dict[str, float]) -> None:
    chances = chances_of(features, weights())
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= 0


def test_the_least_likelihood_decides() -> None:
    lean = [1.0 if kind == Modification.TEST else 0.0 for kind in KINDS]
    sure = Weights({"diff": lean, "~text": lean}, [0.0] * len(KINDS), 0.2, 0.9)
    assert likely({"diff": 1.0}, sure) == Modification.TEST
    assert likely({"~text": 1.0}, sure) == Modification.UNKNOWN
