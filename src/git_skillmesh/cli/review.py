"""`git skillmesh review`: decide on candidates for learnings, one at a time."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ExitCode, UsageError
from ..learnings.candidates import Decision, Kind
from ..learnings.model import State
from .columns import clip, fit, plural
from .context import Context
from .sessions import TYPES
from .terminal import safe_line

if TYPE_CHECKING:
    from ..learnings.candidates import Candidate
    from .promoting import Desk
    from .reviewing import Table, Wanted

_COMMITS = 200


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "review",
        help="decide on candidates for learnings, one at a time",
        description="Show the candidates that `analyze` finds, the best first, each with what was "
        "said, what changed, the matcher that follows from it and what that would have flagged. "
        "Every decision is kept at once; what was skipped comes back with --skipped, or when more "
        "speaks for it. Without a terminal they are listed. Exit code 0: there are some, 1: none "
        "fits.",
    )
    parser.add_argument(
        "candidate", nargs="?", metavar="ID", help="only this one, or the beginning of its id"
    )
    chosen = parser.add_argument_group("which ones (all filters have to fit)")
    chosen.add_argument(
        "--type", dest="types", action="append", default=[], choices=TYPES,
        help="what kind of change the exchange made (may be repeated)",
    )  # fmt: skip
    chosen.add_argument(
        "--kind", dest="kinds", action="append", default=[], choices=tuple(map(str, Kind)),
        help="what speaks for it (may be repeated)",
    )  # fmt: skip
    chosen.add_argument(
        "--min-confidence", type=float, default=0.0, metavar="C", help="at least this, 0..1"
    )
    chosen.add_argument(
        "--path", dest="globs", action="append", default=[], metavar="GLOB",
        help="about files that match (may be repeated)",
    )  # fmt: skip
    chosen.add_argument("--session", metavar="ID", help="from this conversation")
    chosen.add_argument("--skipped", action="store_true", help="those that were skipped, too")
    chosen.add_argument("--all", action="store_true", help="those that are decided, too")
    chosen.add_argument("-n", "--limit", type=int, metavar="N", help="at most N")
    decided = parser.add_argument_group("a decision without a terminal (one of them)")
    decided.add_argument("--accept", metavar="ID", help="put its learning into the working tree")
    decided.add_argument("--reject", metavar="ID", help="keep that it is none, and why")
    decided.add_argument("--skip", metavar="ID", help="put it aside, on this machine")
    decided.add_argument("--id", metavar="NAME", help="--accept: the name of the learning")
    decided.add_argument(
        "--state",
        choices=(str(State.PROPOSED), str(State.WARN), str(State.BLOCK)),
        help="--accept: how far it is trusted (default proposed)",
    )
    decided.add_argument(
        "--anyway", action="store_true", help="--accept: although others are like it"
    )
    decided.add_argument("--reason", metavar="TEXT", help="--reject: why")
    parser.add_argument(
        "--commits", type=int, default=_COMMITS, metavar="N",
        help=f"how many past commits a matcher is held against (default {_COMMITS}, 0: none)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/review.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Decide, list, or ask."""
    from .promoting import Desk

    _check(args)
    desk = Desk(context)
    if args.accept is not None:
        return _accept(args, desk)
    if args.reject is not None:
        return _reject(args, context, desk)
    if args.skip is not None:
        return _skip(args, context, desk)
    return _look(args, context, desk)


def _check(args: argparse.Namespace) -> None:
    given = [one for one in (args.accept, args.reject, args.skip) if one is not None]
    if len(given) > 1:
        raise UsageError("one decision at a time", "--accept, --reject or --skip")
    if args.reject is not None and not (args.reason or "").strip():
        raise UsageError("a rejection needs a reason", "--reason TEXT")
    if args.accept is None:
        for name in ("id", "state", "anyway"):
            if getattr(args, name):
                raise UsageError(f"--{name} is for --accept")
    if args.reject is None and args.reason is not None:
        raise UsageError("--reason is for --reject")
    if not 0 <= args.min_confidence <= 1:
        raise UsageError("--min-confidence is a number from 0 to 1")
    if args.commits < 0:
        raise UsageError("--commits must be 0 or more")
    if args.limit is not None and args.limit < 1:
        raise UsageError("-n must be at least 1")


def _accept(args: argparse.Namespace, desk: "Desk") -> int:
    candidate = desk.candidate(args.accept)
    learning = desk.draft(candidate, args.id or "")
    if args.state:
        learning = replace(learning, state=State(args.state))
    return desk.promote(desk.judge(learning), candidate, anyway=args.anyway)


def _reject(args: argparse.Namespace, context: Context, desk: "Desk") -> int:
    from ..learnings.promotion import reject

    candidate = desk.candidate(args.reject)
    reason = reject(desk.store, candidate, args.reason, desk.clean)
    context.go_on()
    return _said(context, candidate, "rejected", reason)


def _skip(args: argparse.Namespace, context: Context, desk: "Desk") -> int:
    from ..learnings.skips import skips_of

    candidate = desk.candidate(args.skip)
    skips_of(context.repository).add(candidate)
    return _said(context, candidate, "skipped", "")


def _said(context: Context, candidate: "Candidate", what: str, reason: str) -> int:
    from .promoting import SCHEMA

    if context.json:
        context.out_json(
            {"schema": SCHEMA, "candidate": candidate.id, "decision": what, "reason": reason}
        )
    else:
        context.out(f"{candidate.id} {what}: {safe_line(candidate.title)}")
    return ExitCode.OK


def _look(args: argparse.Namespace, context: Context, desk: "Desk") -> int:
    from .promoting import SCHEMA
    from .reviewing import Table, document_of

    table = Table(desk, args.commits)
    found, skipped = _chosen(args, desk, table)
    if context.json:
        documents = [document_of(shown) for shown in table.all_shown(found)]
        context.out_json({"schema": SCHEMA, "skipped": skipped, "candidates": documents})
    elif not found:
        _tell_why_none(context, desk, skipped)
    elif sys.stdin.isatty() and context.on_screen:
        from .review_loop import Review

        Review(context, table, found).run()
        context.go_on()
    else:
        for line in _list(context, found):
            context.out(line)
        context.note("no terminal to ask at: --accept ID, --reject ID, --skip ID, or --json")
    if skipped and found and not context.json:
        context.note(f"{plural(skipped, 'candidate')} skipped before: --skipped")
    for session in desk.analysis.unreadable:
        context.note(f"session {safe_line(session)} cannot be read: git fsck")
    return ExitCode.OK if found else ExitCode.NOTHING_FOUND


def _chosen(
    args: argparse.Namespace, desk: "Desk", table: "Table"
) -> "tuple[list[Candidate], int]":
    """Return the candidates that are asked for, and how many were left out as skipped."""
    from .reviewing import chosen

    if args.candidate is not None:
        return [desk.candidate(args.candidate)], 0
    fitting = chosen(desk.analysis.candidates, _wanted(args, desk))
    skipped = [] if args.skipped else [one for one in fitting if table.skips.has(one)]
    found = [one for one in fitting if one not in skipped]
    return found[: args.limit], len(skipped)


def _wanted(args: argparse.Namespace, desk: "Desk") -> "Wanted":
    from ..sessions.finding import find_session
    from .reviewing import Wanted

    return Wanted(
        frozenset(args.types),
        frozenset(args.kinds),
        args.min_confidence,
        tuple(args.globs),
        find_session(desk.store, args.session) if args.session else "",
        args.all,
    )


def _tell_why_none(context: Context, desk: "Desk", skipped: int) -> None:
    from .telling import NONE_STORED

    known = desk.analysis.candidates
    if skipped:
        context.note(f"none left; {plural(skipped, 'candidate')} skipped before: --skipped")
    elif all(one.decision is not Decision.OPEN for one in known) and known:
        context.note(f"{plural(len(known), 'candidate')}, none undecided: --all shows what was")
    elif known:
        context.note("no candidate fits")
    elif not desk.store.sessions():
        context.note(NONE_STORED)
    else:
        context.note("no candidates: nothing in conversations and commits speaks for a learning")


def _list(context: Context, found: "Sequence[Candidate]") -> "Iterator[str]":
    """Yield id, confidence, kind and title."""
    for one in found:
        matcher = "" if one.proposal else context.style.dim("  (no matcher)")
        left = f"{one.scores.confidence:.2f}  {fit(one.kind, 10)}  "
        room = max(context.width - len(one.id) - len(left) - 16, 20)
        yield f"{context.style.path(one.id)}  {left}{clip(one.title, room)}{matcher}"
