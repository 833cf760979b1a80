"""Advice in the forms of the gate's reports, and as a document of its own.

In: an `Outcome`. Out: a gate `Report` of notes, none of which can fail anything; JSON as
docs/advise.schema.json describes it.
"""

from collections.abc import Iterable
from typing import Any

from ...display import plural
from ...gate.change import Change
from ...gate.model import Finding, LearningNote, Place, Report
from ...learnings.model import Severity, State
from .advise import Limits, Plan, summary
from .model import Advice, Kind, Outcome
from .prompt import body_of
from .server import Server

SCHEMA = 1
CATEGORY = "advice"


def report_of(change: Change, found: Outcome) -> Report:
    """Return what the gate's reports take."""
    return Report(
        base=change.base,
        head=change.head,
        findings=tuple(map(_finding, found.advice)),
        unchecked=tuple(found.left_out),
        learnings=found.learnings,
        files=found.files,
        about=tuple(_about(found.advice)),
    )


def said_by(server: Server, found: Outcome) -> str:
    """Return in one line who says it, and what became of the answers."""
    return f"Advice of {server.model} at {server.endpoint.shown}: {summary(found)}"


def _finding(one: Advice) -> Finding:
    start = len(one.text) - len(one.text.lstrip()) + 1
    return Finding(
        learning_id=_name(one),
        title=one.source.title,
        message=f'{one.message} ("{one.quote}")',
        place=Place(one.path, one.line, one.line, start, len(one.text) + 1),
        text=one.text,
        severity=Severity.NOTE,
        state=State.WARN,
        fingerprint=one.fingerprint,
    )


def _name(one: Advice) -> str:
    """Return the id of the learning; a conversation gets one that no learning can have."""
    if one.source.kind is Kind.LEARNING:
        return one.source.id
    return f"{one.source.kind}:{one.source.id}"


def _about(advice: Iterable[Advice]) -> Iterable[tuple[str, LearningNote]]:
    for one in {_name(one): one for one in advice}.values():
        source = one.source
        chat = source.id if source.kind is Kind.CONVERSATION else ""
        yield (
            _name(one),
            LearningNote(source.title, source.description or source.title, source.path, chat),
        )


def document(change: Change, server: Server, found: Outcome) -> dict[str, Any]:
    """Return what was found as plain values."""
    return {
        "schema": SCHEMA,
        "endpoint": server.endpoint.shown,
        "model": server.model,
        "base": change.base,
        "head": change.head,
        "advice": [_document(one) for one in found.advice],
        "dropped": dict(sorted(found.dropped.items())),
        "merged": found.merged,
        "not_sent": [{"path": one.path, "why": one.why} for one in found.left_out],
        "requests": {
            "planned": found.planned,
            "asked": found.asked,
            "answered": found.answered,
        },
        "tokens": {"sent": found.sent, "received": found.received},
        "seconds": round(found.seconds, 3),
        "interrupted": found.interrupted,
        "problems": list(found.problems),
        "notes": list(found.notes),
    }


def _document(one: Advice) -> dict[str, Any]:
    source = one.source
    return {
        "path": one.path,
        "line": one.line,
        "text": one.text,
        "message": one.message,
        "quote": one.quote,
        "source": {
            "kind": source.kind.value,
            "id": source.id,
            "session": source.session,
            "title": source.title,
            "path": source.path,
            "why": source.why,
        },
        "fingerprint": one.fingerprint,
    }


def dry_document(made: Plan, model: str, shown: str) -> dict[str, Any]:
    """Return the requests as they would be sent first, with their tokens."""
    return {
        "schema": SCHEMA,
        "endpoint": shown,
        "requests": [
            {
                "tokens": one.tokens,
                "answer_tokens": one.answer_tokens,
                "sources": {
                    name: {"kind": source.kind.value, "id": source.id, "why": source.why}
                    for name, source in one.sources.items()
                },
                "body": body_of(one, model, schema=True),
            }
            for one in made.requests
        ],
        "tokens": made.tokens,
        "not_sent": [{"path": one.path, "why": one.why} for one in made.left_out],
        "notes": list(made.notes),
    }


def planned(made: Plan, limits: Limits) -> str:
    """Return in words how much would be sent."""
    count = plural(len(made.requests), "request")
    return f"{count}, about {made.tokens:,} tokens of at most {limits.tokens:,}"
