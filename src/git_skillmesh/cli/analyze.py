"""`git skillmesh analyze`: find candidates for learnings in conversations and commits."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, UsageError
from .columns import clip, fit, plural, width_of
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..learnings.analysis import Analysis
    from ..learnings.analysis_matchers import Fits
    from ..learnings.candidates import Candidate
    from ..sessions.store import MemoryStore

SCHEMA = 1
_SHOWN = 20
_ID = 14


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "analyze",
        help="find candidates for learnings in conversations and commits",
        description="Look at the exchanges that are new, and list what might be a learning: "
        "corrections, rules in words, edits that were redone, fixes after failures, reverts. "
        "Nothing is enforced before a person has promoted it. Exit code 0: found, 1: nothing.",
    )
    parser.add_argument(
        "--since", metavar="DATE", help="only conversations that went on after it, and commits"
    )
    parser.add_argument("--session", metavar="ID", help="only this conversation")
    parser.add_argument(
        "--all", action="store_true", help="those that were rejected or promoted too"
    )
    parser.add_argument(
        "--again", action="store_true", help="look at everything again, not only at what is new"
    )
    parser.add_argument(
        "-n", "--limit", type=int, default=_SHOWN, metavar="N", help="show at most N; 20 without"
    )
    parser.add_argument(
        "--draft-with",
        metavar="CMD",
        help="let a command draft title, description and matcher of what is shown: JSON in, JSON "
        "out; the answer is only a proposal",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/analysis.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Analyze, draft, and print."""
    from ..git.dates import time_of
    from ..learnings.analysis import Wanted, analyze
    from ..learnings.analysis_drafting import command_of
    from ..learnings.candidates import Decision
    from ..sessions.finding import find_session

    if args.limit < 1:
        raise UsageError("-n must be at least 1")
    command = command_of(args.draft_with) if args.draft_with else []
    store, clean, fits = opened(context)
    wanted = Wanted(
        time_of(context.repository, args.since) if args.since else "",
        find_session(store, args.session) if args.session else "",
    )
    with progress_bar("analysing", context.json) as progress:
        found = analyze(store, clean, wanted, again=args.again, fits=fits, progress=progress)
    listed = [one for one in found.candidates if args.all or one.decision is Decision.OPEN]
    shown = listed[: args.limit]
    if command:
        shown = list(_drafted(context, shown, command, clean, fits))
    if context.json:
        context.out_json(_document(found, shown, len(listed)))
    else:
        _print(context, found, shown, len(listed))
    for session in found.unreadable:
        context.note(f"session {safe_line(session)} cannot be read: git fsck")
    if found.unreadable:
        return ExitCode.DAMAGED
    return ExitCode.OK if shown else ExitCode.NOTHING_FOUND


def opened(context: Context) -> "tuple[MemoryStore, Callable[[str], str], Fits]":
    """Return the memory, what redacts, and what tries a proposed matcher."""
    from ..gate.proposing import passes
    from ..sessions.redaction import Redactor
    from ..sessions.redaction_policy import policy_of
    from ..sessions.store import MemoryStore

    redactor = Redactor(policy_of(context.config))
    store = MemoryStore(context.repository, lambda exchange: redactor.redact_exchange(exchange)[0])
    return store, lambda text: redactor.redact(text).text, passes


def _drafted(
    context: Context, candidates: "Sequence[Candidate]", command: list[str],
    clean: Callable[[str], str], fits: "Fits",
) -> "Iterator[Candidate]":  # fmt: skip
    """Yield candidates as the command drafts them; where it cannot, as they were."""
    from ..learnings.analysis import keep_draft
    from ..learnings.analysis_drafting import NoDraft, draft, with_draft

    with progress_bar("drafting", context.json) as progress:
        for done, one in enumerate(candidates):
            if progress:
                progress(done, len(candidates))
            try:
                answer = draft(command, one, clean)
                drafted = with_draft(one, answer, fits)
            except NoDraft as error:
                context.note(f"{one.id}: no draft: {safe_line(str(error))}")
                yield one
            else:
                keep_draft(context.repository, one, answer)
                yield drafted


def _print(context: Context, found: "Analysis", shown: "Sequence[Candidate]", listed: int) -> None:
    style = context.style
    for one in shown:
        score = f"{one.scores.total:.2f}"
        kind = fit(str(one.kind), 10)
        room = max(context.width - _ID - len(score) - width_of(kind) - 6, 20)
        title = clip(one.title, room)
        context.out(f"{style.path(one.id)}  {score}  {kind}  {style.bold(title)}".rstrip())
        context.out(style.dim(clip(f"{' ' * (_ID + 2)}{_about(one)}", context.width)))
    counts = [f"{plural(found.new, 'new exchange')} of {found.exchanges:,} looked at"]
    if listed > len(shown):
        counts.append(f"{len(shown)} of {plural(listed, 'candidate')} shown: -n {listed}")
    else:
        counts.append(plural(listed, "candidate"))
    context.note("; ".join(counts))


def _about(one: "Candidate") -> str:
    """Return what speaks for a candidate, in a line."""
    parts = [plural(len(one.evidence), "time")]
    if one.sessions:
        parts.append(plural(len(one.sessions), "conversation"))
    if one.paths:
        more = f" and {len(one.paths) - 1} more" if len(one.paths) > 1 else ""
        parts.append(f"{one.paths[0]}{more}")
    if one.proposal:
        parts.append(f"looks for {one.proposal.pattern}")
    if str(one.decision) != "open":
        parts.append(f"{one.decision}{f': {one.reason}' if one.reason else ''}")
    return safe_line(" · ".join(parts))


def _document(found: "Analysis", shown: "Sequence[Candidate]", listed: int) -> dict[str, Any]:
    from ..learnings.candidates import to_json

    return {
        "schema": SCHEMA,
        "exchanges": found.exchanges,
        "new": found.new,
        "fates": {str(fate): count for fate, count in found.fates},
        "unreadable": list(found.unreadable),
        "count": listed,
        "candidates": [to_json(one) for one in shown],
    }
