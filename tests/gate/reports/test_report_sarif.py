"""The SARIF log: valid, whole, stable, and within what code scanning takes."""

import json
import random
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import testing
from git_skillmesh import __version__
from git_skillmesh.gate.model import FailOn, Report
from git_skillmesh.gate.reports.sarif import render
from git_skillmesh.learnings.model import Severity, State
from testing.reports import BASE, HEAD, finding, full_report, hostile_report

SCHEMA = json.loads((Path(testing.__file__).parent / "sarif" / "sarif-2.1.0.json").read_text())


def run_of(text: str) -> dict[str, Any]:
    log = json.loads(text)
    jsonschema.Draft7Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize(
    "report", [Report("", HEAD), full_report(), hostile_report()], ids=["empty", "full", "hostile"]
)
def test_it_keeps_to_the_schema_and_to_what_code_scanning_wants(report: Report) -> None:
    text = render(report)
    assert text.isascii()
    run = run_of(text)
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri
        assert set(uri) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/%"
        )
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        assert "](" not in result["message"]["text"]
    prints = [one["partialFingerprints"]["primaryLocationLineHash"] for one in run["results"]]
    assert len(prints) == len(set(prints))


def test_a_log_whole() -> None:
    report = replace(
        full_report(),
        findings=full_report().findings[:1],
        suppressed=(),
        unchecked=(),
        changed_learnings=(),
    )
    assert json.loads(render(report)) == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "git-skillmesh",
                        "semanticVersion": __version__,
                        "rules": [
                            {
                                "id": "bounded-retries",
                                "shortDescription": {"text": "Retry a bounded number of times"},
                                "fullDescription": {
                                    "text": "A server that is down stays down.\n"
                                    "We were paged for it twice."
                                },
                                "help": {
                                    "text": "A server that is down stays down.\n"
                                    "We were paged for it twice.\n\n"
                                    "Learned in: git skillmesh show 3f2a9c1e\n\n"
                                    "The learning: .skillmesh/learnings/bounded-retries.yaml"
                                },
                                "defaultConfiguration": {"level": "error"},
                                "properties": {"tags": ["reliability", "network"]},
                            }
                        ],
                    }
                },
                "automationDetails": {"id": "git-skillmesh/"},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {
                    "%SRCROOT%": {"description": {"text": "root of the repository"}}
                },
                "invocations": [
                    {
                        "executionSuccessful": False,
                        "exitCode": 1,
                        "toolConfigurationNotifications": [
                            {
                                "level": "error",
                                "message": {"text": "unknown field: matchr"},
                                "locations": [
                                    {
                                        "physicalLocation": {
                                            "artifactLocation": {
                                                "uri": ".skillmesh/learnings/odd.yaml",
                                                "uriBaseId": "%SRCROOT%",
                                            },
                                            "region": {"startLine": 3},
                                        }
                                    }
                                ],
                            }
                        ],
                        "toolExecutionNotifications": [],
                    }
                ],
                "results": [
                    {
                        "ruleId": "bounded-retries",
                        "ruleIndex": 0,
                        "level": "error",
                        "message": {
                            "text": "this loop retries for ever\n"
                            "Fix: use retry_with_backoff(limit=5)"
                        },
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {
                                        "uri": "src/net/client.py",
                                        "uriBaseId": "%SRCROOT%",
                                    },
                                    "region": {
                                        "startLine": 12,
                                        "startColumn": 5,
                                        "endLine": 12,
                                        "endColumn": 16,
                                        "snippet": {"text": "    while True: retry()"},
                                    },
                                }
                            }
                        ],
                        "partialFingerprints": {
                            "primaryLocationLineHash": f"{finding().fingerprint}:1"
                        },
                        "suppressions": [],
                        "properties": {"state": "block", "blocks": True, "commit": ""},
                    }
                ],
                "properties": {"base": BASE, "head": HEAD},
            }
        ],
    }


def test_the_order_of_a_report_is_no_matter() -> None:
    report = full_report()
    shuffled = list(report.findings)
    random.Random(3).shuffle(shuffled)
    assert render(replace(report, findings=tuple(shuffled))) == render(report)


def test_equal_findings_are_told_apart_by_their_order() -> None:
    twice = (finding("a.py", 9), finding("a.py", 3))
    results = run_of(render(Report(BASE, HEAD, twice)))["results"]
    lines = [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in results]
    prints = [one["partialFingerprints"]["primaryLocationLineHash"] for one in results]
    assert lines == [3, 9]
    assert prints == [f"{twice[0].fingerprint}:1", f"{twice[0].fingerprint}:2"]


def test_what_is_excused_says_so_or_is_left_out() -> None:
    report = full_report()
    told = [one["suppressions"] for one in run_of(render(report))["results"]]
    reason = "polls a local socket, which cannot be down"
    assert [one for one in told if one] == [[{"kind": "inSource", "justification": reason}]]
    without = run_of(render(report, with_suppressed=False))["results"]
    assert len(without) == len(told) - 1
    assert not any(one["suppressions"] for one in without)


def test_paths_are_percent_encoded() -> None:
    odd = finding("a b/100%#ü\udcff[1].py")
    (result,) = run_of(render(Report(BASE, HEAD, (odd,))))["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == "a%20b/100%25%23%C3%BC%FF%5B1%5D.py"


def test_a_message_is_placed_in_the_file_of_its_learning() -> None:
    results = run_of(render(full_report()))["results"]
    (message,) = [one for one in results if one["ruleId"] == "subject-length"]
    place = message["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == ".skillmesh/learnings/subject-length.yaml"
    assert message["message"]["text"].startswith("message of cccccccccccc: the subject")


def test_too_many_results_cut_the_least_important() -> None:
    warned = [
        finding(f"{n}.py", severity=Severity.NOTE, state=State.WARN, learning_id="note")
        for n in range(50)
    ]
    report = Report(BASE, HEAD, (*warned, finding("z.py")))
    run = run_of(render(report, most_results=10))
    assert len(run["results"]) == 10
    assert "bounded-retries" in [one["ruleId"] for one in run["results"]]
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == (
        "41 results left out: the log would be larger than GitHub takes"
    )


def test_too_large_a_log_is_cut() -> None:
    generator = random.Random(1)
    findings = tuple(
        finding(f"{n}.py", text=generator.randbytes(400).hex(), fingerprint=str(n))
        for n in range(100)
    )
    text = render(Report(BASE, HEAD, findings), most_bytes=20_000)
    assert len(zlib.compress(text.encode())) <= 20_000
    run = run_of(text)
    assert 10 < len(run["results"]) < 50
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith(f"{100 - len(run['results'])} results left")


def test_the_exit_code_is_told() -> None:
    report = Report(BASE, HEAD, (finding(state=State.WARN),))
    assert run_of(render(report))["invocations"][0]["exitCode"] == 0
    assert run_of(render(report, fail_on=FailOn.WARN))["invocations"][0]["exitCode"] == 1
