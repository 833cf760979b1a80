"""`git skillmesh index`: make the index equal to the repository."""

import argparse
import time
from contextlib import closing
from typing import TYPE_CHECKING

from ..display import plural
from ..errors import ExitCode, UsageError
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..chroma.mirror import Outcome
    from ..index.learnings import LearningsReport
    from ..index.update import Update

# How long a run waits for another one before it says so and gives up.
_WAIT_SECONDS = 600


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "index",
        help="make the index equal to the repository",
        description="Read what the index does not know yet: the files of HEAD, of another "
        "revision, of every branch, or the changed files of the working tree. The first run and "
        "every later one are the same operation. Ctrl-C is safe: the next run goes on.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--all", action="store_true", help="index every branch and worktree")
    what.add_argument(
        "--changed", action="store_true", help="index changed and untracked files only"
    )
    what.add_argument("--rev", metavar="REV", help="index the tree of a revision")
    parser.add_argument("--rebuild", action="store_true", help="delete the index and make it anew")
    parser.add_argument(
        "--chroma",
        choices=("background", "wait", "off"),
        default="background",
        help="when to bring the Chroma collections up to date (default: in the background)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no summary")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Index, then bring the Chroma tier up to date."""
    if context.config.proposal is not None:
        context.note(safe_line(str(context.config.proposal)))
    if args.changed:
        return _index_changed(context)
    revisions = [args.rev or ""]
    if args.all:
        revisions += _heads(context)
    for number, revision in enumerate(revisions):
        outcome = update_with_progress(context, revision, rebuild=args.rebuild and number == 0)
    if not args.rev:
        _provenance(context, outcome)
        _exchanges(context, args.rebuild)
        _learnings(context, args.rebuild)
    if args.chroma != "off" and not args.rev:
        _chroma(context, wait=args.chroma == "wait")
    return ExitCode.OK if outcome.report.gaps == 0 else ExitCode.UNAVAILABLE


def first_index(context: Context) -> int:
    """Make the first index, as `init` does; the Chroma tier follows in the background."""
    _provenance(context, update_with_progress(context, "", rebuild=False))
    _exchanges(context, rebuild=False)
    _learnings(context, rebuild=False)
    _chroma(context, wait=False)
    return ExitCode.OK


def _provenance(context: Context, outcome: "Update") -> None:
    """Record which conversations made the lines of HEAD."""
    from ..index.update import update_provenance

    blamed = update_provenance(context.repository, outcome, _WAIT_SECONDS)
    if blamed and not context.json:
        context.note(f"looked up which conversations made the lines of {plural(blamed, 'file')}")


def _exchanges(context: Context, rebuild: bool) -> None:
    """Make the index of conversations equal to the memory."""
    from ..index.exchanges import exchange_store
    from ..index.update import update_exchanges

    if rebuild and exchange_store(context.repository).folder.exists():
        exchange_store(context.repository).clear(_WAIT_SECONDS)
    with progress_bar("conversations", context.quiet) as progress:
        report = update_exchanges(context.repository, context.config, _WAIT_SECONDS, progress)
    if report.read and not context.json:
        context.note(f"indexed {plural(report.read, 'exchange')} of conversations")
    if report.unreadable:
        context.note(f"{report.unreadable} exchanges of the memory cannot be read and are left out")


def _learnings(context: Context, rebuild: bool) -> None:
    """Make sure that the learnings of HEAD are in their index, and say which cannot be."""
    report = index_learnings(context, rebuild)
    if report.read and not context.json:
        context.note(f"indexed {plural(report.read, 'learning')}")
    for problem in report.broken:
        context.note(safe_line(f"left out: {problem}"))


def index_learnings(context: Context, rebuild: bool) -> "LearningsReport":
    """Bring the index of learnings up to date, or make it anew."""
    from ..index.learnings import learning_store
    from ..index.update import update_learnings

    store = learning_store(context.repository)
    if rebuild and store.folder.exists():
        store.clear(_WAIT_SECONDS)
    return update_learnings(context.repository, context.config, _WAIT_SECONDS)


def update_with_progress(context: Context, revision: str, rebuild: bool) -> "Update":
    """Run one update with a progress bar and print what it did."""
    from ..index.update import update

    started = time.monotonic()
    with progress_bar("indexing", context.quiet) as progress:
        outcome = update(
            context.repository,
            context.config,
            revision,
            rebuild=rebuild,
            wait_seconds=_WAIT_SECONDS,
            progress=progress,
        )
    _print(context, outcome, time.monotonic() - started)
    return outcome


def _print(context: Context, outcome: "Update", seconds: float) -> None:
    report = outcome.report
    if context.json:
        context.out_json(
            {
                "tree": report.resolution.tree,
                "commit": outcome.commit,
                "files_read": report.read,
                "chunks_made": report.chunks,
                "missing_in_clone": report.gaps,
                "embedded_again": outcome.embedded,
                "pruned": outcome.pruned,
                "note": outcome.note,
                "seconds": round(seconds, 3),
            }
        )
        return
    if report.files:
        read = f"{plural(report.files, 'file')}, {plural(report.chunks, 'chunk')}"
        context.note(f"indexed {read} in {seconds:.1f} s")
    else:
        context.note("the index is up to date")
    if outcome.embedded:
        context.note(f"embedded {outcome.embedded} chunks with another model")
    if report.gaps:
        context.note(f"{report.gaps} files are not in this partial clone: git fetch them first")
    if outcome.note:
        context.note(f"no vectors, words only: {outcome.note}")


def _heads(context: Context) -> list[str]:
    """Return the distinct commits of all local branches and worktrees."""
    git = context.repository.git
    branches = git.run("for-each-ref", "--format=%(objectname)", "refs/heads").decode().split()
    listed = git.run("worktree", "list", "--porcelain").decode(errors="replace")
    worktrees = [line[5:] for line in listed.splitlines() if line.startswith("HEAD ")]
    found = dict.fromkeys([*branches, *worktrees])
    return [commit for commit in found if commit.strip("0")]


def _index_changed(context: Context) -> int:
    from ..index.store import Store
    from ..index.vectors import source_of
    from ..index.view import NoIndexError, Scope, open_view

    if context.repository.is_bare:
        raise UsageError("a bare repository has no changed files", "use --rev")
    repository, config = context.repository, context.config
    store = Store(repository)
    source = source_of(config, store.embeddings_path)
    first = behind = 0
    try:
        with progress_bar("changed files", context.quiet) as progress:
            while True:  # a view reads as much as a query may wait for
                before = behind
                with closing(open_view(repository, config, store, source, Scope.WORKING_TREE)) as v:
                    behind, unread = v.behind, v.unread
                first = first or behind
                if progress and first:
                    progress(first - behind, first)
                if not unread or 0 < before <= behind:
                    break
    except NoIndexError:
        return first_index(context)
    if not behind:
        context.note("changed files are indexed")
    elif not unread:
        context.note(f"changed files are indexed; {_left(behind)} of HEAD: git skillmesh index")
    else:
        context.note(f"{_left(behind)}: the index cannot be written now")
    return ExitCode.OK


def _left(behind: int) -> str:
    return f"{plural(behind, 'file')} {'is' if behind == 1 else 'are'} still to be read"


def _chroma(context: Context, wait: bool) -> None:
    from ..chroma.target import target_of

    target = target_of(context.config, context.repository)
    if target is None:
        if not wait:
            context.go_on()  # conversations are taken in without Chroma too
        return
    if not wait:
        from ..hooks.main import start_worker

        start_worker("index", context.repository.git.cwd)
        return
    from ..chroma.breaker import Breaker
    from ..chroma.codebase import mirror_codebase
    from ..chroma.directory import announce
    from ..chroma.pipe import WriterWhenNeeded
    from ..chroma.remembered import REMEMBERED, mirror_remembered
    from ..chroma.schemas import CODE

    repository, config = context.repository, context.config
    watching = Breaker(target, repository.state_dir).watching()
    with watching, WriterWhenNeeded(target, repository.state_dir) as one:
        with progress_bar("Chroma", context.quiet) as progress:
            code = mirror_codebase(repository, config, target, progress, one)
        _mirrored(context, code, f"{CODE} ({target.describe()})")
        outcomes: dict[str, Outcome | None] = {CODE: code}
        for kind in REMEMBERED:
            with progress_bar(f"Chroma, {kind.what}", context.quiet) as progress:
                done = mirror_remembered(kind, repository, config, target, progress, one)
            _mirrored(context, done, kind.collection)
            outcomes[kind.collection] = done
        announce(repository, config, target, outcomes, one)


def _mirrored(context: Context, outcome: "Outcome | None", collection: str) -> None:
    if outcome is not None:
        context.note(
            f"Chroma: {outcome.upserted} written, {outcome.deleted} deleted, "
            f"{outcome.rows} in {collection}"
        )
        if outcome.note:
            context.note(f"Chroma: {collection.partition(' ')[0]} is left as it is: {outcome.note}")
