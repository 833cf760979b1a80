"""`git skillmesh log`: commits with their conversations."""

import argparse
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import ExitCode, UsageError
from ..git.commitlog import LoggedCommit, commit_log, is_revision
from ..git.database import ObjectDatabase
from ..sessions.answering import Made, Pair, Told, made_of, tell_pairs
from ..sessions.links import Link, read_links
from ..sessions.lookup import Lookup
from ..sessions.summaries import summary_of_prompt
from ..sessions.wording import missing_words, names
from .columns import clip, fit, local_day, plural, utc, width_of
from .context import Context
from .pager import paged
from .telling import SCHEMA, exchange_document, note_gap

# Commits whose notes are read at once.
_BATCH = 100
_SHOWN_EXCHANGES = 8
_COUNT = re.compile(r"-\d{1,9}")


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
    parser.add_argument(
        "-n", "--limit", type=int, metavar="N", help="show at most N commits; -N says the same"
    )
    parser.add_argument("--linked", action="store_true", help="only commits with conversations")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/json.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A commit and what made it, the most lines first."""

    commit: LoggedCommit
    made: dict[Pair, Made]
    told: dict[Pair, Told]

    @property
    def linked(self) -> int:
        """How many of its lines have a conversation."""
        return sum(made.lines for made in self.made.values())


def run(args: argparse.Namespace, context: Context) -> int:
    """Read the log and the notes, and print."""
    counts = [word for word in args.range if _COUNT.fullmatch(word)]
    if counts and not args.paths_given:  # what git log takes: -5
        args.limit = int(counts[-1][1:])
        args.range = [word for word in args.range if word not in counts]
    if args.limit is not None and args.limit < 1:
        raise UsageError("-n must be at least 1")
    revisions, paths = _revisions_and_paths(args.range, args.paths_given, context)
    if not revisions and context.repository.head_commit() is None:
        raise UsageError("this repository has no commits yet")
    entries = _entries(context, revisions, paths, args)
    if context.json:
        context.out_json({"schema": SCHEMA, "commits": [_document(entry) for entry in entries]})
        return ExitCode.OK
    shown = linked = 0
    with paged(context):
        for entry in entries:
            shown, linked = shown + 1, linked + bool(entry.made)
            _print(context, entry)
    if not linked or linked < shown:
        with ObjectDatabase(context.repository) as db:
            note_gap(context, is_empty=not linked and Lookup(db).is_empty)
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
                if entry.made or not args.linked:
                    yield entry
                    left -= 1
                    if left == 0:
                        return


def _entry(lookup: Lookup, commit: LoggedCommit, links: Sequence[Link]) -> _Entry:
    made = made_of(commit, links)
    return _Entry(commit, made, tell_pairs(lookup, made, "openings"))


def _print(context: Context, entry: _Entry) -> None:
    style, commit = context.style, entry.commit
    count = f"{entry.linked:,} of {plural(commit.added, 'line')}" if entry.made else ""
    head = f"{commit.oid[:9]}  {local_day(commit.time)}"
    room = context.width - len(head) - 2 - (len(count) + 2 if count else 0)
    subject = clip(f"{commit.summary}  ({commit.author})", room)
    if not entry.made:
        context.out(style.dim(f"{head}  {subject}"))
        return
    gap = " " * (room - width_of(subject) + 2 if context.on_screen else 2)
    context.out(f"{style.path(head)}  {style.bold(subject)}{gap}{style.dim(count)}")
    called = names(entry.told.values())
    shown = list(entry.made)[:_SHOWN_EXCHANGES]
    rows = [
        (
            clip(called[pair], 20),
            clip(entry.told[pair].agent, 14),
            f"{entry.made[pair].confidence:.2f}",
            plural(entry.made[pair].lines, "line"),
        )
        for pair in shown
    ]
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    for pair, (name, agent, confidence, lines) in zip(shown, rows, strict=True):
        left = f"  {fit(name, widths[0])}  {fit(agent, widths[1])}  {confidence}"
        left += f"  {lines:>{widths[3]}}  "
        context.out(left + clip(_asked(entry.told[pair]), max(context.width - width_of(left), 12)))
    if len(entry.made) > len(shown):
        context.out(style.dim(f"  … {plural(len(entry.made) - len(shown), 'more exchange')}"))


def _asked(told: Told) -> str:
    if told.missing:
        return f"({missing_words(told)})"
    return summary_of_prompt(told.opening) or told.title


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
                **exchange_document(told, full=False),
                "lines": entry.made[pair].lines,
                "confidence": entry.made[pair].confidence,
                "paths": list(entry.made[pair].files),
            }
            for pair, told in entry.told.items()
        ],
    }
