"""The report for machines: one JSON document, described by docs/check.schema.json.

In: a `Report`. Out: ASCII; the same bytes for the same report. Fields are added, never renamed.
And back: other reports can be made of it later, in another process.
"""

import json
from operator import itemgetter
from typing import Any

from ...learnings.model import Severity, State
from ...learnings.reading import Problem
from ..model import (
    ChangedLearning,
    FailOn,
    Finding,
    LearningNote,
    Place,
    Related,
    Report,
    Suppressed,
    Unchecked,
)
from .ordering import by_place, outcome, suppressed_by_place

SCHEMA = 1


def render(report: Report, *, fail_on: FailOn = FailOn.BLOCK) -> str:
    """Return the report as JSON without a final line feed."""
    return json.dumps(document(report, fail_on), indent=2, ensure_ascii=True)


def document(report: Report, fail_on: FailOn) -> dict[str, Any]:
    """Return the report as plain values."""
    blocking, warning = outcome(report)
    failing = {id(one) for one in report.failing(fail_on)}
    return {
        "schema": SCHEMA,
        "base": report.base,
        "head": report.head,
        "fail_on": fail_on.value,
        "exit_code": int(report.exit_code(fail_on)),
        "counts": {
            "files": report.files,
            "learnings": report.learnings,
            "blocking": blocking,
            "warning": warning,
            "failing": len(failing),
            "suppressed": len(report.suppressed),
        },
        "findings": [
            {**_finding(one), "fails": id(one) in failing} for one in by_place(report.findings)
        ],
        "suppressed": [
            {**_finding(one.finding), "reason": one.reason}
            for one in suppressed_by_place(report.suppressed)
        ],
        "unchecked": [_unchecked(one) for one in report.unchecked],
        "broken": [_problem(one) for one in report.broken],
        "changed_learnings": [_changed(one) for one in report.changed_learnings],
        "related": [_related(one) for one in report.related],
        "learnings": {name: _note(note) for name, note in sorted(report.about, key=itemgetter(0))},
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "learning_id": one.learning_id,
        "title": one.title,
        "message": one.message,
        "severity": one.severity.value,
        "state": one.state.value,
        "blocks": one.blocks,
        "path": one.place.path,
        "line": one.place.line,
        "end_line": one.place.end_line,
        "column": one.place.column,
        "end_column": one.place.end_column,
        "commit": one.commit,
        "text": one.text,
        "fix": one.fix,
        "fingerprint": one.fingerprint,
    }


def _unchecked(one: Unchecked) -> dict[str, str]:
    return {"path": one.path, "learning_id": one.learning_id, "why": one.why}


def _problem(one: Problem) -> dict[str, Any]:
    return {"path": one.path, "line": one.line, "what": one.what}


def _changed(one: ChangedLearning) -> dict[str, Any]:
    return {
        "learning_id": one.learning_id,
        "change": one.change,
        "state_before": one.state_before.value if one.state_before else None,
        "state_after": one.state_after.value if one.state_after else None,
        "problems": [_problem(problem) for problem in one.problems],
        "backtest": one.backtest,
    }


def _related(one: Related) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "id": one.id,
        "title": one.title,
        "why": one.why,
        "path": one.path,
        "line": one.line,
    }


def _note(one: LearningNote) -> dict[str, Any]:
    return {
        "title": one.title,
        "description": one.description,
        "path": one.path,
        "category": one.category,
        "tags": list(one.tags),
        "source_chat_id": one.source_chat_id,
        "source_commits": list(one.source_commits),
    }


def parse(text: str) -> Report:
    """Return the report that `render` wrote. Raises ValueError, KeyError for anything else."""
    of = json.loads(text)
    return Report(
        base=of["base"],
        head=of["head"],
        findings=tuple(_finding_of(one) for one in of["findings"]),
        suppressed=tuple(Suppressed(_finding_of(one), one["reason"]) for one in of["suppressed"]),
        unchecked=tuple(
            Unchecked(one["path"], one["why"], one["learning_id"]) for one in of["unchecked"]
        ),
        broken=tuple(_problem_of(one) for one in of["broken"]),
        related=tuple(Related(**one) for one in of["related"]),
        changed_learnings=tuple(_changed_of(one) for one in of["changed_learnings"]),
        learnings=of["counts"]["learnings"],
        files=of["counts"]["files"],
        about=tuple((name, _note_of(one)) for name, one in of["learnings"].items()),
    )


def _finding_of(of: "dict[str, Any]") -> Finding:
    numbers = ("line", "end_line", "column", "end_column")
    return Finding(
        learning_id=of["learning_id"],
        title=of["title"],
        message=of["message"],
        place=Place(of["path"], *(of[name] for name in numbers)),
        text=of["text"],
        severity=Severity(of["severity"]),
        state=State(of["state"]),
        fingerprint=of["fingerprint"],
        fix=of["fix"],
        commit=of["commit"],
    )


def _problem_of(of: "dict[str, Any]") -> Problem:
    return Problem(of["path"], of["line"], of["what"])


def _changed_of(of: "dict[str, Any]") -> ChangedLearning:
    before, after = (of[name] and State(of[name]) for name in ("state_before", "state_after"))
    problems = tuple(_problem_of(one) for one in of["problems"])
    return ChangedLearning(of["learning_id"], of["change"], before, after, problems, of["backtest"])


def _note_of(of: "dict[str, Any]") -> LearningNote:
    lists = {name: tuple(of[name]) for name in ("tags", "source_commits")}
    return LearningNote(**{**of, **lists})
