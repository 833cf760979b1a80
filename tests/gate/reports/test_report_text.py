"""The text report: whole outputs, and what it does with what it must not obey."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.display import width_of
from git_skillmesh.gate.model import FailOn, Report
from git_skillmesh.gate.reports.excerpt import excerpt
from git_skillmesh.gate.reports.text import render
from git_skillmesh.learnings.model import Severity, State
from git_skillmesh.learnings.reading import Problem
from testing.reports import BASE, HEAD, finding, full_report, hostile_report

FULL = """\
message of cccccccccccc
  note subject-length
    Short subjects
    the subject has more than 72 characters
        │ Add everything
    learned in: git skillmesh show 3f2a9c1e

db/schema.sql
  warning migrate (blocks)
    A change of the schema has a migration
    db/schema.sql is changed and nothing in db/migrations/ is
    learned from: cccccccccccc

src/api.py
  3:1 warning skillmesh:ignore-without-reason
    An ignore needs a reason
    skillmesh: ignore[no-print] says no reason
      3 │ # skillmesh: ignore[no-print]
        │ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    fix: say why after the bracket
  7:1 warning no-print
    Log, do not print
      7 │ print(
        │ ^^^^^^
      8 │     value,
      9 │ )
    learned in: git skillmesh show 3f2a9c1e

src/net/client.py
  12:5 error bounded-retries (blocks)
    Retry a bounded number of times
    this loop retries for ever
     12 │     while True: retry()
        │     ^^^^^^^^^^^
    fix: use retry_with_backoff(limit=5)
    learned in: git skillmesh show 3f2a9c1e
  40:2 error bounded-retries (blocks)
    Retry a bounded number of times
    this loop retries for ever
     40 │     while True: retry(again)
        │     ^^^^^^^^^^

Learnings that this change touches
  no-print  edited  warn → block
    .skillmesh/learnings/no-print.yaml:14: block needs two examples
    backtest: fired on 3 of 1,204 commits, 0 mistaken
  no-eval  added  proposed

Learnings at the base that cannot be used; mend or remove their files
  .skillmesh/learnings/odd.yaml:3: unknown field: matchr

Excused in the code
  src/net/poll.py:3:5  bounded-retries: polls a local socket, which cannot be
    down

Not looked at
  dist/app.min.js: larger than 1 MB
  src/deep.py (bounded-retries): nested too deep

About the changed code
  src/net/client.py:12  conversation 3f2a9c1e/12: Make the client survive a
    restart (made the lines 12-19 that this change replaces)

3 blocking, 3 warnings, 1 excused, 1 broken rule, 1 to mend, 2 not looked at
5 files, 12 learnings; exit code 1"""


def test_everything_at_eighty_columns() -> None:
    assert render(full_report()) == FULL
    assert max(width_of(line) for line in FULL.splitlines()) <= 80


def test_nothing_found() -> None:
    report = Report(BASE, HEAD, learnings=1, files=3)
    assert render(report) == "nothing found\n3 files, 1 learning; exit code 0"


@pytest.mark.parametrize(
    ("fail_on", "state", "broken", "code"),
    [
        (FailOn.BLOCK, State.BLOCK, False, 1),
        (FailOn.BLOCK, State.BLOCK, True, 1),
        (FailOn.BLOCK, State.WARN, False, 0),
        (FailOn.BLOCK, State.WARN, True, 10),
        (FailOn.WARN, State.WARN, True, 1),
        (FailOn.NEVER, State.BLOCK, False, 0),
        (FailOn.NEVER, State.BLOCK, True, 10),
    ],
)
def test_the_summary_tells_the_exit_code(
    fail_on: FailOn, state: State, broken: bool, code: int
) -> None:
    problems = (Problem("x.yaml", 1, "no"),) if broken else ()
    report = Report(BASE, HEAD, (finding(state=state),), broken=problems, learnings=1, files=1)
    assert report.exit_code(fail_on) == code
    assert render(report, fail_on=fail_on).endswith(f"1 file, 1 learning; exit code {code}")


def test_source_lines_give_context() -> None:
    report = Report(BASE, HEAD, (finding("a.py", 2, text="ignored", columns=(1, 4), fix=""),))
    shown = render(report, sources={"a.py": ["before()", "one(two)", "after()", "far()"]})
    assert (
        shown
        == """\
a.py
  2:1 error bounded-retries (blocks)
    Retry a bounded number of times
    this loop retries for ever
      1 │ before()
      2 │ one(two)
        │ ^^^
      3 │ after()

1 blocking
0 files, 0 learnings; exit code 1"""
    )


def test_lines_that_the_source_does_not_have_are_taken_from_the_finding() -> None:
    report = Report(BASE, HEAD, (finding("a.py", 9, text="kept", columns=(1, 5)),))
    assert "      9 │ kept\n        │ ^^^^\n" in render(report, sources={"a.py": ["short"]})


def test_a_long_match_is_cut() -> None:
    text = "\n".join(f"line {number}" for number in range(1, 41))
    report = Report(BASE, HEAD, (finding("a.py", 1, end_line=40, text=text, columns=(1, 8)),))
    shown = render(report)
    assert "      5 │ line 5\n        │ … 35 more lines\n" in shown
    assert "line 6" not in shown


def test_colour_marks_and_nothing_else_changes() -> None:
    coloured = render(full_report(), colour=True)
    assert "\x1b[31merror\x1b[0m" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.splitlines()] == FULL.splitlines()


def test_nothing_hostile_reaches_the_terminal() -> None:
    shown = render(hostile_report())
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown) == []
    assert "␛]0;owned␇" in shown
    assert "<U+202E>txt.exe<U+2066>" in shown


def test_the_order_of_findings_is_no_matter() -> None:
    report = full_report()
    turned = Report(
        report.base, report.head, report.findings[::-1], learnings=12, files=5, about=report.about
    )
    kept = Report(
        report.base, report.head, report.findings, learnings=12, files=5, about=report.about
    )
    assert render(turned) == render(kept)


def test_findings_that_only_warn_are_no_failure() -> None:
    warning = finding(state=State.WARN, severity=Severity.NOTE)
    shown = render(Report(BASE, HEAD, (warning,)))
    assert "  12:5 note bounded-retries\n" in shown
    assert shown.endswith("\n1 warning\n0 files, 0 learnings; exit code 0")


@pytest.mark.parametrize(
    ("line", "column", "end_column", "shown", "carets"),
    [
        ("abc def", 5, 8, "abc def", "    ^^^"),
        ("\tabc", 2, 5, "    abc", "    ^^^"),
        ("日本 x", 4, 5, "日本 x", "     ^"),
        ("日本 x", 1, 3, "日本 x", "^^^^"),
        ("abc", 4, 4, "abc", "   ^"),
        ("", 1, 1, "", "^"),
        ("abc", 0, 0, "abc", ""),
        ("x" * 100, 90, 95, "…" + "x" * 17, "      " + " " + "^^^^^"),
        ("x" * 100, 1, 101, "x" * 19 + "…", "^" * 19),
    ],
)
def test_carets_stand_below_what_they_mean(
    line: str, column: int, end_column: int, shown: str, carets: str
) -> None:
    assert excerpt(line, column, end_column, 20) == (shown, carets)


@settings(max_examples=200)
@given(
    st.text(st.characters(exclude_characters="\n"), max_size=80),
    st.integers(0, 90),
    st.integers(0, 90),
    st.integers(20, 60),
)
def test_no_line_is_wider_than_it_may_be(line: str, column: int, more: int, width: int) -> None:
    shown, carets = excerpt(line, column, column + more, width)
    assert width_of(shown) <= width
    assert len(carets) <= width
    assert ("^" in carets) == (column > 0)
