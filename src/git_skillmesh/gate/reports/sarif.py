"""The report as SARIF 2.1.0, for code scanning and for editors.

In: a `Report`. Out: one run, the same bytes on every machine, within what GitHub takes: 25,000
results and 10 MB compressed; the least important are cut, and a notification says so.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import json
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from ... import __version__
from ...display import plural
from ...learnings.model import FOLDER, Severity
from ..model import FailOn, Finding, LearningNote, Report
from .ordering import by_place, by_weight, heading, occurrences, uri_path

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 25_000
MOST_BYTES = 10_000_000

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_MOST_TAGS = 20
_SHORT, _LONG = 1_024, 20_000
_SNIPPET = 2_000


class _Result(NamedTuple):
    finding: Finding
    reason: str | None
    """Why it is excused; None if it is not."""


def render(
    report: Report,
    *,
    fail_on: FailOn = FailOn.BLOCK,
    with_suppressed: bool = True,
    most_results: int = MOST_RESULTS,
    most_bytes: int = MOST_BYTES,
    category: str = "",
) -> str:
    """Return the log without a final line feed.

    GitHub takes what is suppressed for open alerts, hence `with_suppressed`. Logs of one `category`
    replace each other there.
    """
    suppressed = report.suppressed if with_suppressed else ()
    reasons = {id(one.finding): one.reason for one in suppressed}
    ranked = [_Result(one, None) for one in by_weight(report.findings)]
    ranked += [
        _Result(one, reasons[id(one)]) for one in by_weight(one.finding for one in suppressed)
    ]
    numbers = occurrences([*report.findings, *(one.finding for one in report.suppressed)])
    kept = min(len(ranked), most_results)
    while True:
        log = _log(report, fail_on, ranked, kept, numbers)
        if category:
            log["runs"][0]["automationDetails"] = {"id": f"git-skillmesh/{category}/"}
        text = json.dumps(log, indent=1)
        size = len(zlib.compress(text.encode()))
        if size <= most_bytes or not kept:
            return text
        kept = min(kept * 9 // 10, int(kept * most_bytes / size))


def _log(
    report: Report,
    fail_on: FailOn,
    ranked: Sequence[_Result],
    kept: int,
    numbers: "dict[int, int]",
) -> dict[str, Any]:
    reasons = {id(one.finding): one.reason for one in ranked[:kept]}
    findings = by_place(one.finding for one in ranked[:kept])
    ids = sorted({one.learning_id for one in findings})
    index = {learning_id: number for number, learning_id in enumerate(ids)}
    shown: dict[str, Finding] = {one.learning_id: one for one in reversed(findings)}
    about = dict(report.about)
    run = {
        "tool": {
            "driver": {
                "name": "git-skillmesh",
                "semanticVersion": __version__,
                "rules": [_rule(shown[name], about.get(name)) for name in ids],
            }
        },
        "automationDetails": {"id": "git-skillmesh/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "root of the repository"}}},
        "invocations": [_invocation(report, fail_on, len(ranked) - kept)],
        "results": [
            _result(one, index, numbers[id(one)], reasons[id(one)], about) for one in findings
        ],
        "properties": {"base": report.base, "head": report.head},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(one: Finding, note: LearningNote | None) -> dict[str, Any]:
    title = note.title if note else one.title
    description = note.description if note else one.title
    told = [description]
    if note and note.source_chat_id:
        told.append(f"Learned in: git skillmesh show {note.source_chat_id}")
    if note and note.source_commits:
        told.append(f"Learned from: {', '.join(note.source_commits)}")
    if note and note.path:
        told.append(f"The learning: {note.path}")
    rule: dict[str, Any] = {
        "id": _text(one.learning_id),
        "shortDescription": {"text": _text(title, _SHORT)},
        "fullDescription": {"text": _text(description, _SHORT)},
        "help": {"text": _text("\n\n".join(told), _LONG)},
        "defaultConfiguration": {"level": _LEVEL[one.severity]},
    }
    tags = [note.category, *note.tags] if note else []
    unique = list(dict.fromkeys(_text(tag) for tag in tags if tag))[:_MOST_TAGS]
    return {**rule, "properties": {"tags": unique}} if unique else rule


def _result(
    one: Finding,
    index: "dict[str, int]",
    number: int,
    reason: str | None,
    about: "dict[str, LearningNote]",
) -> dict[str, Any]:
    told = one.message if one.place.path else f"{heading(one)}: {one.message}"
    text = f"{told}\nFix: {one.fix}" if one.fix else told
    suppression = {"kind": "inSource", "justification": _text(reason or "", _LONG)}
    return {
        "ruleId": _text(one.learning_id),
        "ruleIndex": index[one.learning_id],
        "level": _LEVEL[one.severity],
        "message": {"text": _message(text)},
        "locations": [_location(one, about.get(one.learning_id))],
        "partialFingerprints": {"primaryLocationLineHash": f"{_text(one.fingerprint)}:{number}"},
        "suppressions": [] if reason is None else [suppression],
        "properties": {"state": one.state.value, "blocks": one.blocks, "commit": one.commit},
    }


def _location(one: Finding, note: LearningNote | None) -> dict[str, Any]:
    """Return the place; code scanning wants one in a file, so a message gets its learning's."""
    at = one.place
    if not at.path:
        path = note.path if note else f"{FOLDER}/{one.learning_id}.yaml"
        return _file(path, {"startLine": 1})
    if not at.line:
        return _file(at.path, {"startLine": 1})
    region: dict[str, Any] = {"startLine": at.line}
    if at.column:
        region["startColumn"] = at.column
    region["endLine"] = max(at.end_line, at.line)
    if at.column and at.end_column:
        region["endColumn"] = at.end_column
    if one.text:
        region["snippet"] = {"text": _text(one.text, _SNIPPET)}
    return _file(at.path, region)


def _file(path: str, region: "dict[str, Any]") -> dict[str, Any]:
    artifact = {"uri": uri_path(path), "uriBaseId": "%SRCROOT%"}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _invocation(report: Report, fail_on: FailOn, left_out: int) -> dict[str, Any]:
    configuration = [
        _notification("error", one.what, one.path, one.line) for one in report.broken
    ] + [
        _notification("warning", problem.what, problem.path, problem.line)
        for changed in report.changed_learnings
        for problem in changed.problems
    ]
    execution = [
        _notification(
            "note", f"{one.learning_id}: {one.why}" if one.learning_id else one.why, one.path
        )
        for one in report.unchecked
    ]
    if left_out:
        told = f"{plural(left_out, 'result')} left out: the log would be larger than GitHub takes"
        execution.insert(0, _notification("warning", told))
    return {
        "executionSuccessful": not report.broken,
        "exitCode": int(report.exit_code(fail_on)),
        "toolConfigurationNotifications": configuration,
        "toolExecutionNotifications": execution,
    }


def _notification(level: str, told: str, path: str = "", line: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {"level": level, "message": {"text": _message(told)}}
    if path:
        found["locations"] = [_file(path, {"startLine": max(line, 1)})]
    return found


def _message(text: str) -> str:
    """Return text in which nothing is a link, which SARIF has in plain text too."""
    return _text(text.replace("](", "] ("), _LONG) or "-"


def _text(text: str, longest: int = _LONG) -> str:
    """Return text that every reader of JSON takes: half a surrogate pair is none."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= longest else text[: longest - 1] + "…"
