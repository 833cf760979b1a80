"""`git skillmesh report`: what was learned, what it prevented, what agents' code survived."""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from ..errors import ExitCode, UsageError
from .context import Context
from .terminal import progress_bar


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "report",
        help="tell what was learned and what became of agents' code",
        description="Write a report of a period: learnings that came and went, what they held "
        "back, how many lines of agents stood after 7, 30 and 90 days, where reasons are known; "
        "with intervals, and with what it cannot tell. Conversations are judged as `rewards` "
        "judges them; nothing is added to the memory.",
    )
    parser.add_argument(
        "--since", metavar="DATE", default="30d",
        help="first day (UTC): 2026-02-21, 2 weeks ago, or 90d; 30d without",
    )  # fmt: skip
    parser.add_argument("--until", metavar="DATE", help="last day; today without")
    parser.add_argument("--at", metavar="REV", help="the branch or commit to tell of; HEAD without")
    parser.add_argument(
        "--format", choices=("markdown", "html"),
        help="how to write it; markdown without, html for a FILE that ends so",
    )  # fmt: skip
    parser.add_argument("--output", metavar="FILE", help="write it there")
    parser.add_argument(
        "--no-backtest", action="store_true", help="do not hold learnings against past commits"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace, context: Context) -> int:
    """Gather, and write."""
    from ..monitoring.files import write_whole
    from ..monitoring.report.gathering import gather
    from ..monitoring.report.sections import document_of
    from ..sessions.store import MemoryStore

    repository = context.repository
    if not args.at and repository.head_commit() is None:
        raise UsageError("this repository has no commits yet")
    at = context.asked_commit(args.at or "HEAD")
    since, until = _period(args, context)
    store = MemoryStore(repository, lambda exchange: exchange)
    told = gather(
        repository, store, at, since, until, replay=not args.no_backtest, bar=_bars(context)
    )
    document = document_of(told)
    form = args.format or (
        "html" if (args.output or "").endswith((".html", ".htm")) else "markdown"
    )
    if form == "html":
        from ..monitoring.report.html import render
    else:
        from ..monitoring.report.markdown import render
    text = render(document)
    if args.output and args.output != "-":
        write_whole((context.folder or Path()) / args.output, text)
    else:
        context.out(text.removesuffix("\n"))
    return ExitCode.OK


def _period(args: argparse.Namespace, context: Context) -> tuple[int, int]:
    """Return the first and the last second of the period. Raises `UsageError`."""
    from datetime import datetime

    from ..git.dates import time_of
    from .stats import begin_of

    since = int(datetime.fromisoformat(begin_of(context, args.since)).timestamp())
    until = int(time.time())
    if args.until:
        asked = time_of(context.repository, args.until, end=True)
        until = min(int(datetime.fromisoformat(asked).timestamp()), until)
    if since >= until:
        raise UsageError("the period ends before it begins", "--since DATE --until DATE")
    return since, until


def _bars(
    context: Context,
) -> "Callable[[str], AbstractContextManager[Callable[[int, int], None] | None]]":
    return lambda title: progress_bar(title, context.quiet or not sys.stderr.isatty())
