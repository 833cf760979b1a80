"""`git skillmesh sessions`: list conversations."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ExitCode, UsageError
from ..git.dates import time_of
from ..git.globs import Globs
from ..learnings.sources import Sources, Talk
from ..sessions.events import Status
from ..sessions.finding import short_ids
from ..sessions.listing import Filter, Row, list_sessions
from ..sessions.reading import MemoryReader
from .columns import clip, fit, local_time, width_of
from .context import Context
from .pager import paged
from .telling import SCHEMA, note_gap
from .terminal import progress_bar, safe_line

TYPES = (
    "refactor", "bugfix", "feature", "documentation", "test", "config", "optimisation", "style",
    "unknown",
)  # fmt: skip
_MOST_NUMBERS = 6
_MOST_LEARNED = 2
_NARROW = 100


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "sessions",
        help="list conversations",
        description="List the stored conversations, newest first. Of several filters all have to "
        "fit; --type, --confidence and --status have to fit one and the same exchange. Exit code "
        "0: found, 1: none fits.",
    )
    parser.add_argument(
        "--type",
        dest="types",
        action="append",
        default=[],
        choices=TYPES,
        help="sessions with an exchange that made such a change (may be repeated)",
    )
    parser.add_argument(
        "--confidence",
        type=float,
        default=0.0,
        metavar="C",
        help="sessions with an exchange whose work was kept, with at least this confidence (0..1)",
    )
    parser.add_argument(
        "--status",
        dest="statuses",
        action="append",
        default=[],
        choices=tuple(map(str, Status)),
        help="sessions with an exchange that has come this far (may be repeated)",
    )
    parser.add_argument(
        "--agent", dest="agents", action="append", default=[], metavar="NAME",
        help="only this agent's (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--all", action="store_true", help="subagents' conversations too, without a filter"
    )
    parser.add_argument("--since", metavar="DATE", help="only those that went on after it")
    parser.add_argument("--until", metavar="DATE", help="only those that began before it")
    parser.add_argument(
        "--path", dest="globs", action="append", default=[], metavar="GLOB",
        help="only those that read, changed or made lines of files that match",
    )  # fmt: skip
    parser.add_argument("-n", "--limit", type=int, metavar="N", help="show at most N")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """List, and print."""
    if args.limit is not None and args.limit < 1:
        raise UsageError("-n must be at least 1")
    if not 0 <= args.confidence <= 1:
        raise UsageError("--confidence is a number from 0 to 1")
    wanted = Filter(
        frozenset(args.types),
        args.confidence,
        frozenset(args.statuses),
        frozenset(name.lower() for name in args.agents),
        time_of(context.repository, args.since) if args.since else "",
        time_of(context.repository, args.until, end=True) if args.until else "",
        Globs(args.globs).match if args.globs else None,
        subagents=args.all,
    )
    reader = MemoryReader(context.repository)
    with progress_bar("reading", context.json or not wanted.needs_contents) as progress:
        rows, unreadable = list_sessions(reader, wanted, args.limit or 0, progress)
    learned = _learned(context, rows)
    if context.json:
        documents = [_document(row, learned.get(row.head.session_id, ())) for row in rows]
        context.out_json({"schema": SCHEMA, "sessions": documents})
    else:
        with paged(context):
            for text in _table(context, rows, learned):
                context.out(text)
        if not rows:
            note_gap(context, is_empty=not reader.sessions(), otherwise="none fits")
    for session in unreadable:
        context.note(f"session {safe_line(session)} cannot be read: git fsck")
    if unreadable:
        return ExitCode.DAMAGED
    return ExitCode.OK if rows else ExitCode.NOTHING_FOUND


def _learned(context: Context, rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return session id → ids of the learnings that came of it."""
    sources = Sources(context.repository)
    if not sources or not rows:
        return {}
    from ..git.database import ObjectDatabase
    from ..index.identity import chat_id, repo_id
    from ..sessions.lookup import Lookup

    repo = repo_id(context.repository, context.config)
    found = {}
    with ObjectDatabase(context.repository) as db:
        lookup = Lookup(db)
        for row in rows:
            session, parent = row.head.session_id, row.head.parent
            talks = [Talk(session, parent=parent)]
            # A learning may name the exchange alone; promoting one leaves a status behind.
            if row.status is not Status.CAPTURED:
                talks += [
                    Talk(session, exchange, number, chat_id(repo, session, exchange), parent)
                    for number, exchange, _ in lookup.beginnings(session)
                ]
            named = {one.learning_id: None for talk in talks for one in sources.of_talk(talk)}
            if named:
                found[session] = list(named)
    return found


def _table(
    context: Context, rows: Sequence[Row], learned: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield id, when, agent, exchanges, files, commits, title."""
    if not rows:
        return
    short = short_ids({row.head.session_id: row.head.parent for row in rows})
    narrow = context.width < _NARROW
    cells = [
        (
            clip(short[row.head.session_id], 20),
            local_time(row.head.ended or row.head.started)[: 10 if narrow else 16] or "no time",
            clip(row.head.agent, 11 if narrow else 14),
            f"{row.exchanges:,}",
            f"{row.files:,}",
            f"{row.commits:,}",
        )
        for row in rows
    ]
    head = ("id", "when", "agent", "exch" if narrow else "exchanges", "files", "commits")
    widths = [max(map(width_of, column)) for column in zip(head, *cells, strict=True)]
    yield context.style.dim(_row(head, widths, narrow) + "  title")
    for row, texts in zip(rows, cells, strict=True):
        left = _row(texts, widths, narrow)
        title = _title(row, learned.get(row.head.session_id, ()))
        room = max(context.width - width_of(left) - 2, 12)
        name = fit(texts[0], widths[0])
        yield f"{context.style.path(name)}{left[len(name) :]}  {clip(title, room)}".rstrip()


def _row(texts: Sequence[str], widths: Sequence[int], narrow: bool) -> str:
    left = [fit(text, width) for text, width in zip(texts[:3], widths, strict=False)]
    right = [f"{text:>{width}}" for text, width in zip(texts[3:], widths[3:], strict=True)]
    return (" " if narrow else "  ").join(left + right)


def _title(row: Row, learned: Sequence[str]) -> str:
    """Return the title, and what a reader should know beside it."""
    about = []
    if row.head.parent:
        about.append("subagent")
    if row.status is not Status.CAPTURED:
        about.append(row.status.value)
    if learned:
        more = f" and {len(learned) - _MOST_LEARNED} more" if len(learned) > _MOST_LEARNED else ""
        about.append(f"learned {' '.join(learned[:_MOST_LEARNED])}{more}")
    if row.fitting and len(row.fitting) < row.exchanges:
        shown = ", ".join(map(str, row.fitting[:_MOST_NUMBERS]))
        more = ", …" if len(row.fitting) > _MOST_NUMBERS else ""
        about.append(
            f"exchange {shown}{more}" if len(row.fitting) == 1 else f"exchanges {shown}{more}"
        )
    noted = f"[{', '.join(about)}] " if about else ""
    return noted + " ".join(row.title.split())


def _document(row: Row, learned: Sequence[str]) -> dict[str, Any]:
    head = row.head
    return {
        "session": head.session_id,
        "agent": head.agent,
        "title": row.title,
        "started": head.started,
        "ended": head.ended,
        "directory": head.directory,
        "branch": head.branch,
        "parent": head.parent,
        "exchanges": row.exchanges,
        "files": row.files,
        "commits": row.commits,
        "status": row.status.value,
        "fitting": list(row.fitting),
        "learnings": list(learned),
    }
