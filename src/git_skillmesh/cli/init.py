"""`git skillmesh init`: make a repository one that keeps its index up to date by itself.

In: the repository of the context. Out: hooks, configuration, a first index; `--remove` undoes it.
"""

import argparse
import fcntl
import json
import os
import shutil
import time
from typing import TYPE_CHECKING

from ..errors import Busy, ReadOnly, UsageError
from ..git.repository import Repository
from ..hooks import install as hooks

if TYPE_CHECKING:
    from .context import Context

_PURGE_SECONDS = 30


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "init",
        help="install the hooks and make the first index",
        description="Install git hooks that keep the index up to date in the background, pin the "
        "identity of the repository, let git carry notes over amend and rebase, and make the "
        "first index. Hooks that are there already are kept and run first.",
    )
    parser.add_argument("--remove", action="store_true", help="undo init, restore what was there")
    parser.add_argument(
        "--purge", action="store_true", help="with --remove: delete the index as well"
    )
    parser.add_argument("--no-index", action="store_true", help="do not make the first index now")
    parser.add_argument(
        "--shared-hooks",
        action="store_true",
        help="allow a hooks folder that other repositories use too (core.hooksPath)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: "Context") -> int:
    """Install or remove. Raises the errors of `hooks.install`."""
    if args.purge and not args.remove:
        raise UsageError("--purge belongs to --remove", "git skillmesh init --remove --purge")
    if args.remove:
        report = hooks.remove(context.repository, shared_hooks=args.shared_hooks)
        if args.purge:
            _purge(context.repository)
        _show(context, report, "removed", "nothing was installed here")
        return 0
    report = hooks.install(context.repository, shared_hooks=args.shared_hooks)
    _show(context, report, "hooks", "")
    if args.no_index:
        return 0
    from .index import first_index

    return first_index(context)


def _show(context: "Context", report: hooks.Report, title: str, nothing: str) -> None:
    if context.json:
        context.out(
            json.dumps(
                {
                    "folder": os.fspath(report.folder),
                    "hooks": report.hooks,
                    "config": report.config,
                    "notes": report.notes,
                }
            )
        )
        return
    context.out(f"{title} in {report.folder}" if report.hooks else nothing)
    for line in report.hooks:
        context.out(f"  {line}")
    for line in report.config:
        context.out(f"  config: {line}")
    for line in report.notes:
        context.note(line)


def _purge(repository: Repository) -> None:
    """Delete all caches, once no worker writes to them. Raises `Busy` and `ReadOnly`."""
    state = repository.state_dir
    if not state.is_dir():
        return
    try:
        with (state / "worker.lock").open("ab") as lock:
            deadline = time.monotonic() + _PURGE_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Busy(
                            "background indexing is still running", "try again in a moment"
                        ) from None
                    time.sleep(0.1)
            shutil.rmtree(state)
    except OSError as error:
        raise ReadOnly(f"cannot delete {error.filename or state}: {error.strerror}") from error
