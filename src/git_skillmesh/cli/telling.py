"""How every command tells of exchanges, commits and evidence: in words, and as JSON.

In: what the memory and git say. Out: lines for people, documents for machines (docs/json.md).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..git.blame import BlamedCommit
from ..sessions.answering import Missing, Told
from ..sessions.finding import HOW_TO_GET_SOME, NO_MEMORY, short_ids
from ..sessions.links import Link, format_ranges
from ..sessions.summaries import summary_of_prompt, summary_of_response
from .columns import clip, local_day, utc, wrapped
from .context import Context

SCHEMA = 1
_LABEL = 10
_PROSE = 100
_EVIDENCE = {
    "edit": "the agent recorded this edit",
    "quoted": "the agent's output names the commit",
    "content": "the agent wrote these lines",
    "moved": "moved from lines with a link",
    "files": "files and time fit",
}
_MISSING = {
    Missing.FORGOTTEN: "the conversation was forgotten",
    Missing.ABSENT: "the conversation is not in this clone",
    Missing.BROKEN: "the record of the conversation cannot be read",
}
NONE_STORED = f"{NO_MEMORY}: {HOW_TO_GET_SOME}"


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


def evidence_words(links: Sequence[Link]) -> str:
    """Return the kinds of evidence, each with the confidence of its links."""
    kinds: dict[str, list[float]] = {}
    for link in links:
        kinds.setdefault(_EVIDENCE.get(link.evidence, link.evidence), []).append(link.confidence)
    told = []
    for kind, found in kinds.items():
        low, high = f"{min(found):.2f}", f"{max(found):.2f}"
        told.append(f"{kind}, confidence {low if low == high else f'{low} to {high}'}")
    return "; ".join(told)


def missing_words(told: Told) -> str:
    """Return why nothing more is known of an exchange."""
    return _MISSING[told.missing] if told.missing else ""


def names(told: Iterable[Told]) -> dict[tuple[str, str], str]:
    """Return how exchanges are called for short: SESSION/NUMBER, which every command takes."""
    listed = list(told)
    short = short_ids({one.session: one.parent for one in listed})
    return {
        (one.session, one.exchange_id): f"{short[one.session]}/{one.number or one.exchange_id[:8]}"
        for one in listed
    }


def who(told: Told) -> str:
    """Return the agent and its model."""
    model = told.exchange.model if told.exchange else ""
    return ", ".join(filter(None, [told.agent or "an agent", model]))


def commit_words(commit: BlamedCommit, *, by: bool = False) -> str:
    """Return who committed lines, when and as what; `by` begins with the person."""
    day, summary = local_day(commit.time), commit.summary
    if by:
        return f"{commit.author} in {commit.oid[:9]} on {day}: {summary}"
    return f"{commit.oid[:9]}  {day}  {commit.author}  {summary}"


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
