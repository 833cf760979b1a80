"""The report as annotations of GitHub Actions: workflow commands, one a line.

In: a `Report`. Out: at most ten errors, ten warnings and ten notices, which is all that GitHub
shows of a step, the most important first, and a line that tells how many more there are.
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...display import plural, safe
from ...learnings.model import Severity
from ..model import FailOn, Finding, LearningNote, Report
from .ordering import by_weight, heading

MOST = 10
_TITLE, _MESSAGE = 200, 4_000
_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


class Annotation(NamedTuple):
    """A workflow command; `line` is 0 where the whole file is meant, `path` "" where none is."""

    level: str
    title: str
    message: str
    path: str = ""
    line: int = 0
    end_line: int = 0
    column: int = 0
    end_column: int = 0


def render(report: Report, *, fail_on: FailOn = FailOn.BLOCK) -> str:
    """Return the commands without a final line feed; "" if there is nothing to say."""
    left = dict.fromkeys(_LEVEL.values(), MOST)
    over = dict.fromkeys(_LEVEL.values(), 0)
    lines = []
    for one in _annotations(report, fail_on):
        if left[one.level]:
            left[one.level] -= 1
            lines.append(command(one))
        else:
            over[one.level] += 1
    if any(over.values()):
        more = ", ".join(plural(count, f"more {level}") for level, count in over.items() if count)
        lines.append(f"{more} without an annotation: the log and the summary have them all")
    return "\n".join(lines)


def command(one: Annotation) -> str:
    """Return a workflow command that only says what it is given, whatever that is."""
    path, message = one.path, one.message
    if not path.isprintable():  # a command has no way to name such a file
        path, message = "", f"{path}: {message}"
    properties = {"title": safe(one.title.replace("\n", " "))[:_TITLE]}
    if path:
        properties["file"] = path
    if path and one.line:
        properties |= {"line": str(one.line), "endLine": str(max(one.end_line, one.line))}
        # GitHub refuses columns of a place with several lines.
        if one.column and one.end_line <= one.line:
            properties |= {"col": str(one.column), "endColumn": str(one.end_column)}
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{one.level} {given}::{_data(safe(message)[:_MESSAGE])}"


def _data(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _annotations(report: Report, fail_on: FailOn) -> Iterator[Annotation]:
    about = dict(report.about)
    failing = {id(one) for one in report.failing(fail_on)}
    ordered = by_weight(report.findings)
    yield from _of_findings((one for one in ordered if id(one) in failing), about, "error")
    for problem in report.broken:
        title = "A learning cannot be used"
        yield Annotation("error", title, problem.what, problem.path, problem.line, problem.line)
    yield from _of_findings((one for one in ordered if id(one) not in failing), about)
    for changed in report.changed_learnings:
        for problem in changed.problems:
            title = f"Learning {changed.learning_id} is {changed.change}"
            place = (problem.path, problem.line, problem.line)
            yield Annotation("warning", title, problem.what, *place)
    for one in report.unchecked:
        of = f" ({one.learning_id})" if one.learning_id else ""
        yield Annotation("notice", f"Not looked at{of}", one.why, one.path)


def _of_findings(
    findings: Iterable[Finding], about: "dict[str, LearningNote]", level: str = ""
) -> Iterator[Annotation]:
    """Yield findings; what fails the check is an error, however its learning is to be shown."""
    for one in findings:
        note = about.get(one.learning_id)
        where_from = note.source_chat_id if note else ""
        parts = [
            one.message if one.place.path else f"{heading(one)}: {one.message}",
            one.fix and f"Fix: {one.fix}",
            where_from and f"Learned in: git skillmesh show {where_from}",
        ]
        at = one.place
        yield Annotation(
            level or _LEVEL[one.severity],
            f"{one.learning_id}: {one.title}",
            "\n".join(filter(None, parts)),
            at.path,
            at.line,
            at.end_line,
            at.column,
            at.end_column,
        )
