"""`git skillmesh log`: commits with their conversations."""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import ExitCode, UsageError
from ..git.commitlog import LoggedCommit, commit_log, is_revision
from ..git.database import ObjectDatabase
from ..sessions.answering import Pair, Told, tell_pairs
from ..sessions.brief import prompt_in_brief
from ..sessions.links import Link, lines_linked, read_links
from ..sessions.lookup import Lookup
from .columns import clip, fit, local_day, plural, utc, width_of
from .context import Context
from .pager import paged
from .telling import NONE_STORED, SCHEMA, exchange_document, missing_words, names
from .terminal import safe_line

# Commits whose notes are read at once.
_BATCH = 100
_SHOWN_EXCHANGES = 8


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "log",
        help="show commits with their conversations",
        description="Show commits, newest first, with the exchanges that made their lines: how "
        "many of the added lines each made, and with which confidence.",
    )
    parser.add_argument(
        "range",
        nargs="*",
        metavar="RANGE",
        help="revisions and ranges as git log takes them (default HEAD), then -- and paths",
    )
    parser.add_argument("-n", "--limit", type=int, metavar="N", help="show at most N commits")
    parser.add_argument("--linked", action="store_true", help="only commits with conversations")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """What one exchange did for a commit."""

    told: Told
    lines: int
    confidence: float
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A commit and what made it, the most lines first; `linked` counts each line once."""

    commit: LoggedCommit
    parts: tuple[_Part, ...]
    linked: int


def run(args: argparse.Namespace, context: Context) -> int:
    """Read the log and the notes, and print."""
    if args.limit is not None and args.limit < 1:
        raise UsageError("-n must be at least 1")
    revisions, paths = _revisions_and_paths(args.range, args.paths_given, context)
    if not revisions and context.repository.head_commit() is None:
        raise UsageError("this repository has no commits yet")
    entries = _entries(context, revisions, paths, args)
    if context.json:
        context.out_json({"schema": SCHEMA, "commits": [_document(entry) for entry in entries]})
        return ExitCode.OK
    found = False
    with paged(context):
        for entry in entries:
            found = found or bool(entry.parts)
            _print(context, entry)
    if not found:
        with ObjectDatabase(context.repository) as db:
            if Lookup(db).is_empty:
                context.note(NONE_STORED)
    return ExitCode.OK


def _revisions_and_paths(
    words: list[str], after_dashes: list[str], context: Context
) -> tuple[list[str], list[str]]:
    """Tell revisions from paths as git does. Raises `UsageError`."""
    words = [word for word in words if word != "--"]
    before = words[: len(words) - len(after_dashes)]
    revisions, names = [], list(after_dashes)
    for word in before:
        if is_revision(context.repository, word):
            revisions.append(word)
        elif not after_dashes and os.path.lexists(Path(context.folder or "", word)):
            names.append(word)
        else:
            raise UsageError(f"neither a revision nor a file: {word}", "paths come after --")
    return revisions, [context.tree_path(name) or "." for name in names]


def _entries(
    context: Context, revisions: Sequence[str], paths: Sequence[str], args: argparse.Namespace
) -> Iterator[_Entry]:
    limit = args.limit if args.limit and not args.linked else -1
    commits = commit_log(context.repository, revisions, paths, limit)
    left = args.limit or -1
    with ObjectDatabase(context.repository) as db:
        lookup = Lookup(db)
        while batch := list(islice(commits, _BATCH)):
            links = read_links(context.repository, [commit.oid for commit in batch])
            for commit in batch:
                entry = _entry(lookup, commit, links.get(commit.oid, ()))
                if entry.parts or not args.linked:
                    yield entry
                    left -= 1
                    if left == 0:
                        return


def _entry(lookup: Lookup, commit: LoggedCommit, links: Sequence[Link]) -> _Entry:
    """Return a commit with what its links say of the files it has."""
    lines: dict[Pair, list[Link]] = {}
    paths: dict[Pair, set[str]] = {}
    linked = 0
    for file in commit.files:
        found = lines_linked(links, file.path, file.blob) if file.blob else {}
        linked += len(found)
        for link in found.values():
            lines.setdefault((link.session, link.exchange), []).append(link)
        for link in links:
            if link.path == file.path and link.blob == file.blob:
                paths.setdefault((link.session, link.exchange), set()).add(file.path)
    for link in links:
        if not link.path:  # it is about the commit as a whole
            paths.setdefault((link.session, link.exchange), set())
    told = tell_pairs(lookup, paths, "openings")
    confidence = {
        pair: max(link.confidence for link in links if (link.session, link.exchange) == pair)
        for pair in told
    }
    parts = [
        _Part(told[pair], len(lines.get(pair, ())), confidence[pair], tuple(sorted(paths[pair])))
        for pair in told
    ]
    parts.sort(key=lambda part: (-part.lines, part.told.session, part.told.number))
    return _Entry(commit, tuple(parts), linked)


def _print(context: Context, entry: _Entry) -> None:
    style, commit = context.style, entry.commit
    count = f"{entry.linked:,} of {commit.added:,} lines" if entry.parts else ""
    head = f"{commit.oid[:9]}  {local_day(commit.time)}"
    room = context.width - len(head) - 2 - (len(count) + 2 if count else 0)
    subject = clip(f"{commit.summary}  ({commit.author})", room)
    gap = " " * max(room - width_of(subject) + 2, 2) if count else ""
    if not entry.parts:
        context.out(style.dim(f"{head}  {subject}"))
        return
    context.out(f"{style.path(head)}  {style.bold(subject)}{gap}{style.dim(count)}".rstrip())
    called = names(part.told for part in entry.parts)
    shown = entry.parts[:_SHOWN_EXCHANGES]
    pairs = [(part.told.session, part.told.exchange_id) for part in shown]
    name_width = max(width_of(safe_line(called[pair])) for pair in pairs)
    agent_width = max(width_of(safe_line(part.told.agent)) for part in shown)
    counts = [plural(part.lines, "line") for part in shown]
    count_width = max(map(len, counts))
    for number, part in enumerate(shown):
        left = f"  {fit(called[pairs[number]], min(name_width, 20))}  "
        left += f"{fit(part.told.agent, min(agent_width, 14))}  {part.confidence:.2f}  "
        left += f"{counts[number]:>{count_width}}  "
        asked = prompt_in_brief(part.told.opening) or part.told.title
        asked = f"({missing_words(part.told)})" if part.told.missing else asked
        context.out(left + clip(asked, max(context.width - width_of(left), 12)))
    if len(entry.parts) > len(shown):
        context.out(style.dim(f"  … {plural(len(entry.parts) - len(shown), 'more exchange')}"))


def _document(entry: _Entry) -> dict[str, Any]:
    commit = entry.commit
    return {
        "commit": commit.oid,
        "author": commit.author,
        "time": utc(commit.time),
        "summary": commit.summary,
        "added": commit.added,
        "linked": entry.linked,
        "exchanges": [
            {
                **exchange_document(part.told, full=False),
                "lines": part.lines,
                "confidence": part.confidence,
                "paths": list(part.paths),
            }
            for part in entry.parts
        ],
    }
