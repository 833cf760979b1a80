"""The JSON report keeps to its published schema, whatever is in it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from git_skillmesh.gate.model import FailOn, Report
from git_skillmesh.gate.reports.json import render
from testing.reports import BASE, CHAT, COMMIT, HEAD, finding, full_report, hostile_report

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "docs" / "check.schema.json").read_text()
)


def valid(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


@pytest.mark.parametrize(
    "report", [Report("", HEAD), full_report(), hostile_report()], ids=["empty", "full", "hostile"]
)
def test_it_keeps_to_the_schema(report: Report) -> None:
    text = render(report)
    assert text.isascii()
    valid(text)


def test_a_finding_whole() -> None:
    document = valid(render(Report(BASE, HEAD, (finding(),), learnings=2, files=1)))
    assert document == {
        "schema": 1,
        "base": BASE,
        "head": HEAD,
        "fail_on": "block",
        "exit_code": 1,
        "counts": {
            "files": 1,
            "learnings": 2,
            "blocking": 1,
            "warning": 0,
            "failing": 1,
            "suppressed": 0,
        },
        "findings": [
            {
                "learning_id": "bounded-retries",
                "title": "Retry a bounded number of times",
                "message": "this loop retries for ever",
                "severity": "error",
                "state": "block",
                "blocks": True,
                "path": "src/net/client.py",
                "line": 12,
                "end_line": 12,
                "column": 5,
                "end_column": 16,
                "commit": "",
                "text": "    while True: retry()",
                "fix": "use retry_with_backoff(limit=5)",
                "fingerprint": finding().fingerprint,
                "fails": True,
            }
        ],
        "suppressed": [],
        "unchecked": [],
        "broken": [],
        "changed_learnings": [],
        "related": [],
        "learnings": {},
    }


def test_the_rest_of_a_report() -> None:
    document = valid(render(full_report(), fail_on=FailOn.WARN))
    assert document["counts"] == {
        "files": 5,
        "learnings": 12,
        "blocking": 3,
        "warning": 3,
        "failing": 6,
        "suppressed": 1,
    }
    assert document["suppressed"][0]["reason"] == "polls a local socket, which cannot be down"
    assert document["unchecked"] == [
        {"path": "dist/app.min.js", "learning_id": "", "why": "larger than 1 MB"},
        {"path": "src/deep.py", "learning_id": "bounded-retries", "why": "nested too deep"},
    ]
    assert document["broken"] == [
        {"path": ".skillmesh/learnings/odd.yaml", "line": 3, "what": "unknown field: matchr"}
    ]
    assert document["changed_learnings"] == [
        {
            "learning_id": "no-print",
            "change": "edited",
            "state_before": "warn",
            "state_after": "block",
            "problems": [
                {
                    "path": ".skillmesh/learnings/no-print.yaml",
                    "line": 14,
                    "what": "block needs two examples",
                }
            ],
            "backtest": "fired on 3 of 1,204 commits, 0 mistaken",
        },
        {
            "learning_id": "no-eval",
            "change": "added",
            "state_before": None,
            "state_after": "proposed",
            "problems": [],
            "backtest": "",
        },
    ]
    assert document["related"] == [
        {
            "kind": "conversation",
            "id": f"{CHAT}/12",
            "title": "Make the client survive a restart",
            "why": "made the lines 12-19 that this change replaces",
            "path": "src/net/client.py",
            "line": 12,
        }
    ]
    assert list(document["learnings"]) == [
        "bounded-retries",
        "migrate",
        "no-print",
        "subject-length",
    ]
    assert document["learnings"]["migrate"] == {
        "title": "Retry a bounded number of times",
        "description": "A server that is down stays down.\nWe were paged for it twice.",
        "path": ".skillmesh/learnings/migrate.yaml",
        "category": "reliability",
        "tags": ["network", "reliability"],
        "source_chat_id": "",
        "source_commits": [COMMIT],
    }


def test_findings_stand_in_the_order_of_their_places() -> None:
    places = [(one["path"], one["line"]) for one in valid(render(full_report()))["findings"]]
    assert places == sorted(places)


def test_a_field_that_is_not_documented_would_be_noticed() -> None:
    document = json.loads(render(full_report()))
    document["findings"][0]["new"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
