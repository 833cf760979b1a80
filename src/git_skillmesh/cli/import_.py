"""`git skillmesh import`: store the conversations that agents and other programs have kept."""

import argparse
import contextlib
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..sessions.importing import Report

_SAME_SHOWN = 5  # problems that say the same of other places


_LINK = "next: git skillmesh link, to know which lines they made; after init that goes by itself"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "import",
        help="store the conversations that agents have kept",
        description="Store the conversations of this repository in its memory, each exchange "
        "once and without secrets. A second import stores what has been added since.",
    )
    parser.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="*",
        help="a format (docs/formats.md), a transcript or a folder of transcripts; without one, "
        "everything that is found for this repository",
    )
    parser.add_argument(
        "--since", metavar="DATE", help="leave out sessions that ended before, as git reads dates"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only show what would be stored and redacted"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no problems")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/commands.md")


def run(args: argparse.Namespace, context: Context) -> int:
    """Import, source by source."""
    from ..git.dates import time_of
    from ..sessions.importers.source import KINDS, open_source, roots_of
    from ..sessions.importing import Intake
    from ..sessions.known import alone

    repository = context.repository
    since = time_of(repository, args.since) if args.since else ""
    sources = [_from_folder(context, source, KINDS) for source in args.sources or KINDS]
    roots = roots_of(repository)
    reports: list[Report] = []
    with (
        _asked_to_stop() as stopped,
        contextlib.nullcontext() if args.dry_run else alone(repository),
        contextlib.closing(Intake(repository, context.config, dry_run=args.dry_run)) as intake,
    ):
        for source in sources:
            reading = open_source(source, repository, roots)
            if not reading.total or stopped():
                continue
            with progress_bar(safe_line(source), context.quiet or args.json) as progress:
                reports.append(
                    intake.take(source, reading, since=since, progress=progress, stopped=stopped)
                )
        interrupted = stopped()
    stored = not args.dry_run and any(report.new or report.grown for report in reports)
    by_itself = stored and context.go_on()
    if args.json:
        _print_json(context, reports, args.dry_run, interrupted)
    else:
        _print(context, reports, args.dry_run)
        if stored and not by_itself:
            context.note(_LINK)
    if interrupted:
        raise KeyboardInterrupt
    return ExitCode.RECORDS_LEFT_OUT if any(r.problems for r in reports) else ExitCode.OK


def _from_folder(context: Context, source: str, kinds: Sequence[str]) -> str:
    """Return a source; a path counts from the folder that -C names."""
    if source in kinds or context.folder is None:
        return source
    return str(context.folder / source)


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C end the work at the next file, so that what was read is stored."""
    asked = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _print(context: Context, reports: "list[Report]", dry_run: bool) -> None:
    for report in reports:
        seen = Counter[str]()
        for problem in report.problems:
            seen[problem.message] += 1
            if seen[problem.message] <= _SAME_SHOWN:
                context.note(safe_line(str(problem)))
        for message, count in seen.items():
            if count > _SAME_SHOWN:
                more = f"and {count - _SAME_SHOWN:,} more like it (--json lists them): {message}"
                context.note(safe_line(more))
    told = [r for r in reports if r.new or r.grown or r.unchanged or r.forgotten]
    width = max((len(report.source) for report in told), default=0)
    for report in told:
        name = context.style.bold(safe_line(report.source).ljust(width))
        context.out(f"{name}  {_counts(report)}")
    if not told:
        context.out("no conversations of this repository were found")
        return
    new, grown = (len(set().union(*(getattr(r, k) for r in told))) for k in ("new", "grown"))
    exchanges, redactions = sum(r.exchanges for r in told), sum(r.redactions.total() for r in told)
    if not new and not grown:
        context.out("nothing new")
    else:
        verb = "would store" if dry_run else "stored"
        context.out(
            f"{verb} {_plural(new, 'new session')}, {grown} grown: "
            f"{_plural(exchanges, 'new exchange')}, {_plural(redactions, 'redaction')}"
        )


def _counts(report: "Report") -> str:
    fates = ("new", "grown", "unchanged", "forgotten")
    sessions = [f"{len(getattr(report, fate))} {fate}" for fate in fates if getattr(report, fate)]
    said = [*sessions, _plural(report.exchanges, "exchange")]
    if report.redactions:
        kinds = (f"{rule} {count}" for rule, count in report.redactions.most_common())
        said.append(f"{_plural(report.redactions.total(), 'redaction')} ({', '.join(kinds)})")
    if report.problems:
        said.append(_plural(len(report.problems), "problem"))
    return ", ".join(said)


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _print_json(
    context: Context, reports: "list[Report]", dry_run: bool, interrupted: bool
) -> None:
    documents: list[dict[str, Any]] = [
        {
            "source": report.source,
            "new": sorted(report.new),
            "grown": sorted(report.grown),
            "unchanged": sorted(report.unchanged),
            "forgotten": sorted(report.forgotten),
            "exchanges": report.exchanges,
            "redactions": dict(sorted(report.redactions.items())),
            "problems": [
                {"source": problem.source, "line": problem.line, "message": problem.message}
                for problem in report.problems
            ],
        }
        for report in reports
    ]
    context.out_json({"dry_run": dry_run, "interrupted": interrupted, "sources": documents})
