"""How every command tells of exchanges, commits and evidence: in words, and as JSON.

In: what the memory and git say. Out: lines for people, documents for machines (docs/json.md).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..git.blame import BlamedCommit
from ..git.remotes import remote_names
from ..hooks.waiting import STUCK_SECONDS, waiting_since
from ..sessions.answering import Told
from ..sessions.finding import HOW_TO_GET_SOME, NO_MEMORY
from ..sessions.links import Link, format_ranges
from ..sessions.summaries import summary_of_prompt, summary_of_response
from .columns import clip, utc, wrapped
from .context import Context

SCHEMA = 1
_LABEL = 10
_PROSE = 100
NONE_STORED = f"{NO_MEMORY}: {HOW_TO_GET_SOME}"
_OR_SYNC = "; git skillmesh sync fetches those of a remote"
NOT_DONE = "the background work is not done yet, it may tell more: ask again in a moment"


def note_gap(context: Context, *, is_empty: bool, otherwise: str = "") -> None:
    """Say why something is not known: the work goes on, nothing `is_empty`, or `otherwise`."""
    since = waiting_since(context.repository)
    if since is not None:
        if time.time() - since > STUCK_SECONDS:
            context.go_on()
        context.note(NOT_DONE)
    elif is_empty:
        has_remote = bool(remote_names(context.repository))
        context.note(f"{NONE_STORED}{_OR_SYNC if has_remote else ''}")
    elif otherwise:
        context.note(otherwise)


def labelled(
    context: Context,
    label: str | None,
    text: str,
    style: Callable[[str], str] = str,
    *,
    clipped: bool = False,
) -> Iterator[str]:
    """Yield a text with a label before its first line; broken into lines, or cut to one."""
    indent = 0 if label is None else _LABEL
    width = context.width - indent - 2
    for line in [clip(text, width)] if clipped else wrapped(text, min(width, _PROSE)):
        shown = context.style.dim(f"{label:<{indent}}") if label else " " * indent
        yield f"  {shown}{style(line)}".rstrip()
        label = ""


def commit_document(commit: BlamedCommit) -> dict[str, Any]:
    """Return a commit as JSON has it."""
    return {
        "commit": commit.oid,
        "author": commit.author,
        "time": utc(commit.time),
        "summary": commit.summary,
        "boundary": commit.boundary,
    }


def link_document(link: Link) -> dict[str, Any]:
    """Return the evidence of a link as JSON has it."""
    return {
        "confidence": link.confidence,
        "evidence": link.evidence,
        "path": link.path,
        "blob": link.blob,
        "lines": format_ranges(link.ranges),
        "via": list(link.via),
    }


def exchange_document(told: Told, *, full: bool) -> dict[str, Any]:
    """Return an exchange as JSON has it; its texts whole with `full`."""
    document: dict[str, Any] = {
        "session": told.session,
        "exchange": told.exchange_id,
        "number": told.number,
        "agent": told.agent,
        "title": told.title,
        "missing": told.missing,
    }
    exchange = told.exchange
    if told.opening:
        document["prompt_summary"] = summary_of_prompt(told.opening)
    if exchange is not None:
        document |= {
            "model": exchange.model,
            "started": exchange.started,
            "ended": exchange.ended,
            "prompt_summary": summary_of_prompt(exchange.prompt),
            "response_summary": summary_of_response(exchange.response),
        }
        if full:
            document |= {"prompt": exchange.prompt, "response": exchange.response}
    return document


def counted(counts: Mapping[str, int]) -> str:
    """Return how many of each, the most first: `12 by codex, 3 unknown`."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {what}" for what, count in ordered if count)
