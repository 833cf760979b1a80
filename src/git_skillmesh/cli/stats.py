"""`git skillmesh stats`: how long things take, how they end, what learnings catch."""

import argparse
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, UsageError
from .columns import clip, fit, plural, width_of
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..monitoring.journal import Journal
    from ..monitoring.memory import Memory
    from ..monitoring.summary import Caught, Summary, Work

SCHEMA = 1
_DAYS = 30
_SPARK, _BAR = 30, 40
_COMMIT_WIDTH = 12


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "stats",
        help="show how long things take and how they end",
        description="Show what is recorded in this clone: how often hooks, background work and "
        "commands ran, how they ended and how long they took; what became of findings; what the "
        "memory holds. KIND shows how the durations of one kind of work are spread. Exit code 0: "
        "something is recorded, 1: nothing.",
    )
    parser.add_argument("kind", nargs="?", metavar="KIND", help="only this kind of work, in detail")
    parser.add_argument(
        "--since", metavar="DATE",
        help="from this day (UTC) on: 2026-02-21, 2 weeks ago, or 7d; 30d without",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, see docs/monitoring.md")
    form.add_argument(
        "--prometheus", metavar="FILE", nargs="?", const="-",
        help="write counters since recording began as Prometheus text, to standard output "
        "without FILE",
    )  # fmt: skip
    form.add_argument(
        "--otlp", metavar="FILE|URL",
        help="write the same as OpenTelemetry metrics (OTLP/JSON) to a file, - for standard "
        "output, or send them to a collector, as in http://127.0.0.1:4318",
    )  # fmt: skip
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Read, and print or export."""
    from ..monitoring.journal import day_of, read_journal
    from ..monitoring.memory import memory_of
    from ..monitoring.summary import document, summary_of

    exports = args.prometheus is not None or args.otlp
    if exports and (args.since or args.kind):
        raise UsageError("counters count since recording began", "leave --since and KIND out")
    state = context.repository.state_dir
    since = begin_of(context, args.since or f"{_DAYS}d")
    if since[:10] > day_of(time.time()):
        raise UsageError("the period ends before it begins", "--since DATE")
    journal = read_journal(state)
    memory = memory_of(context.repository, "" if exports else since)
    if exports:
        return _export(args, context, journal, memory)
    summary = summary_of(journal, since[:10], day_of(time.time()))
    if args.kind:
        summary = _only(summary, args.kind)
    if context.json:
        told = {"schema": SCHEMA, **document(summary), "memory": memory_document(memory)}
        context.out_json(told)
    else:
        for line in _shown(context, summary, None if args.kind else memory, bool(args.kind)):
            context.out(line.rstrip())
    nothing = not (summary.works or summary.caught or memory.exchanges)
    return ExitCode.NOTHING_FOUND if nothing else ExitCode.OK


def begin_of(context: Context, text: str) -> str:
    """Return the time that `--since` means; `7d` are the last seven days (UTC), with today.

    Raises `UsageError`.
    """
    from ..git.dates import time_of, utc

    short = re.fullmatch(r"(\d{1,5})([dwmy])", text.strip())
    if not short:
        found = time_of(context.repository, text)
    else:
        days = int(short[1]) * {"d": 1, "w": 7, "m": 30, "y": 365}[short[2]]
        today = int(time.time()) // 86_400
        found = utc(max(today - max(days - 1, 0), 0) * 86_400)
    return found


def memory_document(memory: "Memory") -> "dict[str, Any]":
    """Return counts of the memory as JSON."""
    share = memory.kept
    return {
        "conversations": memory.conversations,
        "subagents": memory.subagents,
        "exchanges": memory.exchanges,
        "linked": memory.linked,
        "commits": memory.commits,
        "verdicts": dict(memory.verdicts),
        "lines": memory.lines,
        "alive": memory.alive,
        "in_substance": memory.in_substance,
        "kept": round(share.value, 4) if share.total else None,
        "judged_at": memory.judged_at,
    }


def _only(summary: "Summary", kind: str) -> "Summary":
    from dataclasses import replace

    works = tuple(one for one in summary.works if one.kind == kind)
    if not works:
        known = ", ".join(dict.fromkeys(one.kind for one in summary.works))
        raise UsageError(f"nothing of kind {safe_line(kind)} is recorded", known or "nothing is")
    return replace(summary, works=works, caught=())


def _export(
    args: argparse.Namespace, context: Context, journal: "Journal", memory: "Memory"
) -> int:
    from ..index.identity import repo_id
    from ..monitoring.files import write_whole

    name = repo_id(context.repository, context.config)
    if args.otlp and args.otlp.lower().startswith(("http:", "https:")):
        from ..monitoring.otlp import address_of, headers_of, request_of, send

        address = address_of(args.otlp)
        headers = headers_of(address, os.environ)
        send(request_of(journal, memory, name), address, headers)
        return ExitCode.OK
    if args.otlp:
        from ..monitoring.otlp import json_of, request_of

        file, text = args.otlp, json_of(request_of(journal, memory, name)) + "\n"
    else:
        from ..monitoring.prometheus import render

        file, text = args.prometheus, render(journal, memory, name)
    if file == "-":
        context.out(text.removesuffix("\n"))
    else:
        write_whole((context.folder or Path()) / file, text)
    return ExitCode.OK


def _shown(
    context: Context, summary: "Summary", memory: "Memory | None", in_detail: bool
) -> Iterator[str]:
    style, plain = context.style, _is_plain()
    days = plural(len(summary.days), "day")
    yield f"{summary.first} to {summary.last} ({days}, UTC), in this clone"
    if not summary.works:
        config = context.config
        off = config["monitoring"] == "off"
        why = f" (monitoring is off: {config.origins['monitoring']})" if off else ""
        yield f"nothing is recorded{why}"
    else:
        yield ""
        yield from _table(context, summary, plain)
    if in_detail:
        for work in summary.works:
            yield ""
            yield f"{style.bold(work.kind)}  {work.by}"
            yield from _spread(work, plain)
    if summary.caught:
        yield ""
        yield from _caught(context, summary.caught)
    if memory is not None and memory.exchanges:
        yield ""
        yield from _memory(memory)


def _table(context: Context, summary: "Summary", plain: bool) -> Iterator[str]:
    from ..monitoring.plots import duration, fitted, sparkline
    from ..monitoring.summary import WELL

    head = ["work", "by", "count", "p50", "p95", "max"]
    rows = []
    for one in summary.works:
        tally = one.tally
        times = (
            tally.quantile(0.5),
            tally.quantile(0.95),
            tally.most / 1e6 if tally.timed else None,
        )
        rows.append([one.kind, one.by, f"{tally.count:,}", *map(duration, times)])
    rows = [[cell.replace("µ", "u") for cell in row] for row in rows] if plain else rows
    widths = [max(map(width_of, column)) for column in zip(head, *rows, strict=True)]
    spark = min(_SPARK, len(summary.days), max(context.width - sum(widths) - 40, 7))
    many = len(fitted([0.0] * len(summary.days), spark))
    per = "a day" if many == len(summary.days) else f"of {-(-len(summary.days) // spark)} days"
    title = _row(head, widths)
    yield context.style.dim(f"{title}  {fit(per, max(many, len(per)))}  how it ended")
    for row, one in zip(rows, summary.works, strict=True):
        counts = [float(one.daily[day]) for day in summary.days]
        line = sparkline(counts, spark, plain=plain)
        told = [
            f"{count:,} {name}" if name in WELL else context.style.bad(f"{count:,} {name}")
            for name, count in sorted(one.outcomes.items(), key=lambda each: (-each[1], each[0]))
        ]
        yield f"{_row(row, widths)}  {line:<{max(many, len(per))}}  {', '.join(told)}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    left = [fit(cell, width) for cell, width in zip(cells[:2], widths, strict=False)]
    right = [
        " " * (width - width_of(cell)) + cell
        for cell, width in zip(cells[2:], widths[2:], strict=True)
    ]
    return "  ".join(left + right)


def _spread(work: "Work", plain: bool) -> Iterator[str]:
    """Yield a histogram, a line for each octave."""
    from ..monitoring.plots import bar, duration
    from ..monitoring.tally import bound_of

    octaves: dict[int, int] = {}
    for bucket, count in work.tally.buckets.items():
        octave = -(-bucket // 4)
        octaves[octave] = octaves.get(octave, 0) + count
    if not octaves:
        yield "  no durations"
        return
    most = max(octaves.values())
    for octave in range(min(octaves), max(octaves) + 1):
        count = octaves.get(octave, 0)
        bound = duration(bound_of(4 * octave))
        bound = bound.replace("µ", "u") if plain else bound
        line = bar(count / most, _BAR, plain=plain)
        yield f"  up to {bound:>8}  {count:>7,}  {line}"


def _caught(context: Context, caught: "Sequence[Caught]") -> Iterator[str]:
    width = min(max(width_of(one.learning) for one in caught), 40)
    width = max(width, len("learning"))
    head = f"{fit('learning', width)}  {'fired':>7}  {'fixed':>7}  {'suppressed':>10}"
    yield context.style.dim(head)
    for one in sorted(caught, key=lambda one: (-one.fired, one.learning)):
        name = clip(one.learning, width)
        yield f"{fit(name, width)}  {one.fired:>7,}  {one.fixed:>7,}  {one.suppressed:>10,}"


def _memory(memory: "Memory") -> Iterator[str]:
    from ..monitoring.words import share_words

    more = f" and {memory.subagents:,} of subagents" if memory.subagents else ""
    captured = plural(memory.conversations, "conversation")
    yield f"captured  {captured}{more}, {plural(memory.exchanges, 'exchange')}"
    yield f"linked    {plural(memory.linked, 'exchange')} to {plural(memory.commits, 'commit')}"
    if memory.lines:
        at = f", judged at {memory.judged_at[:_COMMIT_WIDTH]}" if memory.judged_at else ""
        yield f"kept      {share_words(memory.kept)} of the lines{at}"
    else:
        yield "kept      not judged yet: git skillmesh rewards"


def _is_plain() -> bool:
    """Whether standard output shows no block characters: a terminal that is not in UTF-8."""
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    wanted = next(filter(None, names), "")
    return sys.stdout.isatty() and "utf" not in wanted.lower().replace("-", "")
