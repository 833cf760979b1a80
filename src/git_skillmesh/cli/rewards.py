"""`git skillmesh rewards`: what became of the work of each exchange, as a verdict and a score."""

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, UsageError
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..training.rewards.judging import Judged

SCHEMA = 1
_SHOWN = 20
_COMMIT_WIDTH = 12
_MOST_COMMITS = 1_000_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "rewards",
        help="tell from history what became of the work of each exchange",
        description="Judge every exchange with edits by what became of its lines: still there, "
        "there in substance, reverted, replaced by another attempt, corrected, never committed. "
        "Verdicts and scores are added to the memory as events, where they are new. Exit code 0: "
        "judged, 1: there is nothing to judge.",
    )
    parser.add_argument("--at", metavar="REV", help="judge as of this commit; HEAD without")
    parser.add_argument(
        "--commits", type=int, default=20, metavar="N",
        help="work is old enough to judge N commits of the branch later; 20 without",
    )  # fmt: skip
    parser.add_argument(
        "--days", type=float, default=7.0, metavar="N",
        help="and N days later, between commits; 7 without",
    )  # fmt: skip
    parser.add_argument("--session", metavar="ID", help="only this conversation")
    parser.add_argument("--dry-run", action="store_true", help="judge, write no events")
    parser.add_argument(
        "--explain", metavar="EXCHANGE", help="show how the score of one exchange is made up"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/commands.md")
    parser.add_argument("--brief", action="store_true", help="with --json: no list of exchanges")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Judge, and print what is new."""
    from ..sessions.finding import find_exchange, find_session
    from ..training.rewards.judging import Age
    from ..training.rewards.running import reward
    from .analyze import opened

    if not 0 <= args.commits <= _MOST_COMMITS:
        raise UsageError("--commits takes a number from 0 on")
    if not (math.isfinite(args.days) and args.days >= 0):
        raise UsageError("--days takes a number from 0 on")
    if args.explain and args.session:
        raise UsageError("--explain and --session exclude each other")
    if not args.at and context.repository.head_commit() is None:
        raise UsageError("this repository has no commits yet")
    at = context.asked_commit(args.at or "HEAD")
    store = opened(context)[0]
    only = find_session(store, args.session) if args.session else ""
    wanted = find_exchange(store, args.explain) if args.explain else None
    with progress_bar("judging", context.json) as bar:
        outcome = reward(
            store, at, Age(args.commits, args.days), session=only,
            write=not args.dry_run and wanted is None,
            progress=(lambda _, done, total: bar(done, total)) if bar else None,
        )  # fmt: skip
    if wanted:
        if wanted not in outcome.judged:
            raise UsageError(f"exchange {args.explain} has no edits: there is nothing to judge")
        one = outcome.judged[wanted]
        if context.json:
            context.out_json({"schema": SCHEMA, **_document(one)})
        else:
            _explain(context, one)
        return ExitCode.OK
    counts = Counter(one.reward.verdict.value for one in outcome.judged.values())
    if context.json:
        listed = [] if args.brief else list(outcome.judged.values())
        context.out_json(
            {
                "schema": SCHEMA,
                "commit": at,
                "commits": args.commits,
                "days": args.days,
                "written": not args.dry_run,
                "judged": len(outcome.judged),
                "new": len(outcome.changed),
                "verdicts": dict(sorted(counts.items())),
                "unreadable": list(outcome.unreadable),
                "exchanges": [_document(one) for one in listed],
            }
        )
    else:
        _print(context, [outcome.judged[pair] for pair in outcome.changed])
        for verdict, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
            context.note(f"{count:>7,}  {verdict}")
        done = "would be" if args.dry_run else "are"
        judged = plural(len(outcome.judged), "exchange")
        context.note(
            f"{judged} judged at {at[:_COMMIT_WIDTH]}; {len(outcome.changed):,} {done} new"
        )
    for name in outcome.unreadable:
        context.note(f"session {safe_line(name)} cannot be read: git fsck")
    if outcome.unreadable:
        return ExitCode.DAMAGED
    return ExitCode.OK if outcome.judged else ExitCode.NOTHING_FOUND


def _print(context: Context, listed: "Sequence[Judged]") -> None:
    for one in listed[:_SHOWN]:
        name = context.style.path(safe_line(f"{one.reward.session}/{one.number}"))
        said = ", ".join(_parts(one))
        context.out(
            f"{one.reward.score:.2f}  {one.reward.verdict.value:24}  {name}  {said}".rstrip()
        )
    if len(listed) > _SHOWN:
        context.out(f"and {len(listed) - _SHOWN:,} more: --json shows all")


def _parts(one: "Judged") -> "Iterator[str]":
    evidence = one.evidence
    if evidence.linked:
        yield f"{evidence.alive:,} of {plural(evidence.linked, 'line')} there"
    for name in ("in_substance", "lasted", "reverted", "replaced", "corrected"):
        if count := getattr(evidence, name):
            yield f"{count:,} {name.replace('_', ' ')}"
    if evidence.amended:
        yield f"{evidence.amended:,} changed by a person before they were saved"
    if evidence.redone:
        yield f"{evidence.redone:,} redone before a commit"
    if "never_committed" in one.reward.parts:
        yield "never committed"
    if evidence.tests is not None:
        yield f"tests {evidence.tests:+.1f}"


def _explain(context: Context, one: "Judged") -> None:
    from ..training.rewards.score import PRIOR, WEIGHTS

    made = one.reward
    context.out(f"{made.score:.3f}  {made.verdict.value}")
    context.out(f"  exchange     {safe_line(f'{made.exchange} in {made.session}/{one.number}')}")
    context.out(f"  judged at    {made.commit[:_COMMIT_WIDTH]}, formula {made.formula}")
    context.out(f"  evidence     {', '.join(_parts(one)) or 'none'}")
    context.out(f"  odds         {PRIOR:+.2f}  to begin with")
    for name, value in made.parts.items():
        context.out(
            f"               {WEIGHTS[name] * value:+.2f}  {name} {value:+.3f} x {WEIGHTS[name]}"
        )
    for commit in made.commits:
        context.out(f"  linked to    {commit[:_COMMIT_WIDTH]}")
    for commit, what in one.commits.items():
        context.out(f"  {what:12} {commit[:_COMMIT_WIDTH]}")
    for session, exchange in made.replaced_by:
        context.out(f"  replaced by  {safe_line(f'{exchange} in {session}')}")


def _document(one: "Judged") -> dict[str, Any]:
    from dataclasses import asdict

    made = one.reward
    return {
        "session": made.session,
        "exchange": made.exchange,
        "number": one.number,
        "verdict": made.verdict.value,
        "score": made.score,
        "parts": dict(made.parts),
        "lines": asdict(one.evidence),
        "commits": list(made.commits),
        "taken_by": dict(one.commits),
        "replaced_by": [list(pair) for pair in made.replaced_by],
        "formula": made.formula,
        "commit": made.commit,
        "time": made.time,
    }
