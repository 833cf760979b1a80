"""The report for machines: one JSON document, described by docs/check.schema.json.

In: a `Report`. Out: ASCII; the same bytes for the same report. Fields are added, never renamed.
"""

import json
from operator import itemgetter
from typing import Any

from ...learnings.reading import Problem
from ..model import ChangedLearning, FailOn, Finding, LearningNote, Related, Report, Unchecked
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
