"""Workflow commands: whole outputs, the limits, and that nothing can forge one."""

from git_skillmesh.gate.model import FailOn, Finding, Report
from git_skillmesh.gate.reports.github import render
from git_skillmesh.learnings.model import Severity, State
from testing.reports import BASE, HEAD, finding, full_report, hostile_report

FULL = """\
::error title=bounded-retries%3A Retry a bounded number of times,file=src/net/client.py,\
line=12,endLine=12,col=5,endColumn=16::this loop retries for ever%0A\
Fix: use retry_with_backoff(limit=5)%0ALearned in: git skillmesh show 3f2a9c1e
::error title=bounded-retries%3A Retry a bounded number of times,file=src/net/client.py,\
line=40,endLine=40,col=2,endColumn=12::this loop retries for ever%0A\
Fix: use retry_with_backoff(limit=5)%0ALearned in: git skillmesh show 3f2a9c1e
::error title=migrate%3A A change of the schema has a migration,file=db/schema.sql::\
db/schema.sql is changed and nothing in db/migrations/ is
::error title=A learning cannot be used,file=.skillmesh/learnings/odd.yaml,line=3,endLine=3::\
unknown field: matchr
::warning title=skillmesh%3Aignore-without-reason%3A An ignore needs a reason,file=src/api.py,\
line=3,endLine=3,col=1,endColumn=30::skillmesh: ignore[no-print] says no reason%0A\
Fix: say why after the bracket
::warning title=no-print%3A Log%2C do not print,file=src/api.py,line=7,endLine=9::\
Log, do not print%0ALearned in: git skillmesh show 3f2a9c1e
::notice title=subject-length%3A Short subjects::message of cccccccccccc: \
the subject has more than 72 characters%0ALearned in: git skillmesh show 3f2a9c1e
::warning title=Learning no-print is edited,file=.skillmesh/learnings/no-print.yaml,\
line=14,endLine=14::block needs two examples
::notice title=Not looked at,file=dist/app.min.js::larger than 1 MB
::notice title=Not looked at (bounded-retries),file=src/deep.py::nested too deep"""


def many(count: int, severity: Severity, state: State) -> tuple[Finding, ...]:
    return tuple(
        finding(f"{state}-{number:02}.py", severity=severity, state=state, fix="")
        for number in range(count)
    )


def test_everything() -> None:
    assert render(full_report()) == FULL


def test_nothing() -> None:
    assert render(Report(BASE, HEAD)) == ""


def test_at_most_ten_of_a_kind_those_that_block_first() -> None:
    warned = many(12, Severity.ERROR, State.WARN)
    blocked = many(3, Severity.WARNING, State.BLOCK)
    notes = many(11, Severity.NOTE, State.WARN)
    shown = render(Report(BASE, HEAD, (*notes, *warned, *blocked))).splitlines()
    assert [line.split(" ")[0] for line in shown[:-1]] == ["::error"] * 10 + ["::notice"] * 10
    files = [line.partition("file=")[2].partition(",")[0] for line in shown[:10]]
    assert files == [f"block-{n:02}.py" for n in range(3)] + [f"warn-{n:02}.py" for n in range(7)]
    assert shown[-1] == (
        "5 more errors, 1 more notice without an annotation: the log and the summary have them all"
    )


def test_what_fails_the_check_is_an_error() -> None:
    report = Report(BASE, HEAD, many(1, Severity.NOTE, State.WARN))
    assert render(report).startswith("::notice ")
    assert render(report, fail_on=FailOn.WARN).startswith("::error ")


def test_nothing_hostile_is_a_command() -> None:
    """GitHub takes a line for one that begins with `::`, or else has `##[` anywhere."""
    shown = render(hostile_report())
    for line in shown.splitlines()[:-1]:
        assert line.startswith(("::error title=", "::warning title=", "::notice title="))
        properties = line[2:].partition("::")[0].partition(" ")[2]
        keys = [part.partition("=")[0] for part in properties.split(",")]
        assert keys in (
            ["title"],
            ["title", "file"],
            ["title", "file", "line", "endLine"],
            ["title", "file", "line", "endLine", "col", "endColumn"],
        )
    assert all(line.isprintable() for line in shown.splitlines())
    assert len(shown.splitlines()) == 31
    shown.encode()


def test_a_percent_sign_survives() -> None:
    shown = render(Report(BASE, HEAD, (finding("100%25:a,b.py", message="50%0A", fix=""),)))
    assert ",file=100%2525%3Aa%2Cb.py," in shown
    assert shown.endswith("::50%250A")
