"""`git skillmesh blame`: who made each line of a file: which exchange, or which person."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import ExitCode
from ..git.blame import BlamedCommit, blame, check_file
from ..git.database import ObjectDatabase
from ..sessions.answering import Line, Pair, Told, attribute, tell
from ..sessions.lookup import Lookup
from ..sessions.wording import names
from .columns import clip, code_line, fit, local_day, plural, width_of
from .context import Context
from .pager import paged
from .places import place
from .telling import SCHEMA, commit_document, counted, note_gap

_NAME_WIDTH = 16
_WHO_WIDTH = 14
_NARROW = 100


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "blame",
        help="show which exchange or person made each line",
        description="Show each line of a file with the exchange that made it, the agent, the "
        "confidence, and the day and id of the commit; for other lines the author. Lines are those "
        "of the working tree.",
    )
    parser.add_argument("file", metavar="FILE", help="a file, or FILE:LINE, FILE:FIRST-LAST")
    parser.add_argument(
        "-L",
        dest="ranges",
        action="append",
        default=[],
        metavar="RANGE",
        help="only these lines, as git blame takes them (3,7 or 3,+5 or :NAME)",
    )
    parser.add_argument("--at", metavar="REV", help="the file as a revision has it")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Blame, and print."""
    repository = context.repository
    path, ranges = place(args.file, args.ranges, context)
    commit = context.asked_commit(args.at)
    with ObjectDatabase(repository) as db:
        check_file(db, path, commit)
        lines = attribute(db, blame(repository, path, ranges, commit))
        told = tell(db, (line.link for line in lines), "none")
        is_empty = not told and Lookup(db).is_empty
    if context.json:
        context.out_json(_document(path, args.at or "", lines, told))
        return ExitCode.OK
    with paged(context):
        for text in _rows(context, lines, told):
            context.out(text)
    context.note(clip(_summary(lines, told), context.width))
    if any(not line.link and not line.blamed.commit.is_uncommitted for line in lines):
        note_gap(context, is_empty=is_empty)
    return ExitCode.OK


def _rows(context: Context, lines: Sequence[Line], told: dict[Pair, Told]) -> Iterator[str]:
    """Yield a row for each line: exchange, agent, confidence, day, commit, number, text."""
    called = names(told.values())
    tints = {pair: number for number, pair in enumerate(_pairs(lines))}
    name_width = min(max(map(width_of, called.values()), default=0), _NAME_WIDTH)
    people = {_author(line.blamed.commit) for line in lines if not line.link}
    agents = [told[pair].agent for pair in tints] + list(people)
    narrow = context.width < _NARROW
    most = _WHO_WIDTH - 3 * narrow
    who_width = min(max(map(width_of, agents), default=0), most)
    digits = len(str(lines[-1].blamed.number)) if lines else 1
    for line in lines:
        commit = line.blamed.commit
        name, agent, confidence = "", _author(commit), "    "
        if line.link:
            pair = (line.link.session, line.link.exchange)
            name, agent = called[pair], told[pair].agent or "an agent"
            confidence = f"{line.link.confidence:.2f}"
        day, oid = local_day(commit.time), commit.oid[: 7 if narrow else 9]
        if commit.is_uncommitted:
            day, oid = " " * 10, " " * len(oid)
        origin = [fit(name, name_width)] if name_width else []
        origin += [fit(agent, who_width), confidence] if called else [fit(agent, who_width)]
        origin += [day[2:] if narrow else day, oid]
        head = " ".join(origin)
        number = f"{line.blamed.number:>{digits}}"
        text = code_line(line.blamed.text, context.width - width_of(head) - digits - 3)
        shown = context.style.tint(tints[pair], head) if line.link else context.style.dim(head)
        yield f"{shown} {context.style.dim(number)}  {text}".rstrip()


def _author(commit: BlamedCommit) -> str:
    return "not committed" if commit.is_uncommitted else commit.author


def _pairs(lines: Sequence[Line]) -> list[Pair]:
    """Return the exchanges in the order in which they appear."""
    return list(
        dict.fromkeys((line.link.session, line.link.exchange) for line in lines if line.link)
    )


def _kinds(lines: Sequence[Line], told: dict[Pair, Told]) -> Counter[tuple[str, str]]:
    """Return how many lines each agent made, people made, and nobody knows of."""
    found: Counter[tuple[str, str]] = Counter()
    for line in lines:
        if line.link:
            agent = told[line.link.session, line.link.exchange].agent
            found["agent", agent or "an agent"] += 1
        elif line.blamed.commit.is_uncommitted:
            found["uncommitted", ""] += 1
        else:
            found["people" if line.examined else "unknown", ""] += 1
    return found


def _summary(lines: Sequence[Line], told: dict[Pair, Told]) -> str:
    words = {"people": "by people", "unknown": "unknown", "uncommitted": "not committed"}
    kinds = _kinds(lines, told)
    counts = {
        f"by {who}" if kind == "agent" else words[kind]: n for (kind, who), n in kinds.items()
    }
    return f"{plural(len(lines), 'line')}: {counted(counts)}" if lines else "no lines"


def _document(path: str, at: str, lines: Sequence[Line], told: dict[Pair, Told]) -> dict[str, Any]:
    kinds = _kinds(lines, told)
    commits = {line.blamed.commit.oid: line.blamed.commit for line in lines}
    return {
        "schema": SCHEMA,
        "path": path,
        "at": at,
        "lines": [_line_document(line, told) for line in lines],
        "commits": [
            commit_document(commit) for commit in commits.values() if not commit.is_uncommitted
        ],
        "summary": {
            "agents": {who: count for (kind, who), count in kinds.items() if kind == "agent"},
            **{kind: kinds[kind, ""] for kind in ("people", "unknown", "uncommitted")},
        },
    }


def _line_document(line: Line, told: dict[Pair, Told]) -> dict[str, Any]:
    link, commit = line.link, line.blamed.commit
    exchange = None
    if link:
        one = told[link.session, link.exchange]
        exchange = {
            "session": link.session,
            "exchange": link.exchange,
            "number": one.number,
            "agent": one.agent,
            "confidence": link.confidence,
            "evidence": link.evidence,
        }
    return {
        "line": line.blamed.number,
        "text": line.blamed.text.decode("utf-8", "replace"),
        "commit": None if commit.is_uncommitted else commit.oid,
        "path": line.blamed.path,
        "original_line": line.blamed.line,
        "exchange": exchange,
    }
