"""`git skillmesh init`: make a repository one that keeps its index up to date by itself.

In: the repository of the context. Out: hooks, configuration, a first index; `--remove` undoes it.
"""

import argparse
import fcntl
import shutil
import time
from typing import TYPE_CHECKING, BinaryIO

from ..config import COMMITTED
from ..errors import Busy, ConfigurationError, ReadOnly, SkillmeshError, UsageError
from ..git.repository import Repository
from ..hooks import install as hooks
from ..settings import SETTINGS
from .terminal import agrees, is_somebody_there, safe_line

if TYPE_CHECKING:
    from .context import Context

_PURGE_SECONDS = 30
_LATE_SECONDS = 0.5  # until the worker of a hook that has just run has begun, more or less
_BROUGHT = (COMMITTED, ".env")  # places of settings that a clone may bring
_FETCH_SECONDS = 300


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "init",
        help="install the hooks and make the first index",
        description="Install git hooks that keep the index up to date in the background, pin the "
        "identity of the repository, let git carry notes over amend and rebase, and make the "
        "first index. Hooks that are there already are kept and run first. Conversations that the "
        "remote has are fetched.",
    )
    parser.add_argument("--remove", action="store_true", help="undo init, restore what was there")
    parser.add_argument(
        "--purge", action="store_true", help="with --remove: delete the index as well"
    )
    parser.add_argument("--no-index", action="store_true", help="do not make the first index now")
    parser.add_argument(
        "--no-fetch", action="store_true", help="do not fetch the conversations of the remote now"
    )
    parser.add_argument(
        "--track",
        action="store_true",
        help="let every `git fetch` bring the conversations of the remote, too",
    )
    parser.add_argument(
        "--shared-hooks",
        action="store_true",
        help="allow a hooks folder that other repositories use too (core.hooksPath)",
    )
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help="agree to what files of the clone ask for: an embedding provider, a push that shares",
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
        _show(context, "removed from" if report.hooks else "nothing installed in", report)
        return 0
    more = _tracking(context.repository) if args.track else []
    report = hooks.install(context.repository, shared_hooks=args.shared_hooks, more_settings=more)
    _show(context, "hooks in", report)
    if not args.no_fetch:
        _fetch_memory(context)
    _ask_about_sharing(context, args.yes)
    _ask_about_provider(context, args.yes)
    _say_what_leaves(context)
    if args.no_index:
        return 0
    from .index import first_index

    code = first_index(context)
    if context.on_screen:
        context.note(
            "next: git skillmesh query WORDS, git skillmesh import for what agents have kept"
        )
    return code


def _tracking(repository: Repository) -> list[tuple[str, str]]:
    """Return the configuration for --track. Raises `UsageError`."""
    from ..git.remotes import default_remote, fetch_settings
    from ..sessions.sync import REFS

    remote = default_remote(repository)
    if remote is None:
        raise UsageError("--track needs a remote", "git remote add origin ADDRESS")
    return fetch_settings(remote, REFS)


def _fetch_memory(context: "Context") -> None:
    """Fetch what the default remote has. A remote that cannot be reached is no reason to fail."""
    from ..git.remotes import default_remote
    from ..git.transport import Manners
    from ..sessions.sync import sync

    remote = default_remote(context.repository)
    if remote is None:
        return
    try:
        manners = Manners(seconds=_FETCH_SECONDS)
        outcome = sync(context.repository, remote, push_too=False, manners=manners)
    except SkillmeshError as error:
        context.note(safe_line(f"no conversations fetched, {error}; later: git skillmesh sync"))
        return
    if outcome.fetched:
        context.out(safe_line(f"fetched from {remote.shown}: {outcome.fetched}"))


def _ask_about_sharing(context: "Context", yes: bool) -> None:
    """Ask whether a push may share, where a file of the clone wants it; else it does not."""
    from ..git.remotes import default_remote
    from ..sessions.consent import answer, is_asked_by_clone, remember

    repository = context.repository
    try:
        config = context.config
    except ConfigurationError:
        return  # whoever needs the settings says so
    remote = default_remote(repository)
    if remote is None or not is_asked_by_clone(repository, config):
        return
    said = answer(repository, remote)
    wish = f"{config.origins['sync.push']} wants a push to share your conversations"
    if said is None and not yes and is_somebody_there():
        said = agrees(safe_line(f"{wish} with {remote.url}: agree?"))
        remember(repository, remote, said)
    elif yes and not said:
        said = True
        remember(repository, remote, said)
    if said:
        context.note(
            safe_line(
                f"a push shares your conversations with {remote.url}; "
                "to keep them here: git config skillmesh.sync.push never"
            )
        )
    elif said is None:
        context.note(safe_line(f"{wish}; it does not, to agree: git skillmesh init --yes"))


def _ask_about_provider(context: "Context", yes: bool) -> None:
    """Ask whether a provider that a clone names may have text; without an answer it gets none."""
    from ..git.answers import keep_answer

    try:
        proposal = context.config.proposal
    except ConfigurationError:
        return
    if proposal is None:
        return
    if not yes and (proposal.refused or not is_somebody_there()):
        context.note(safe_line(str(proposal)))
        return
    agreed = yes or agrees(
        safe_line(
            f"{proposal.origin} names the embedding provider {proposal.shown}: let it have the "
            "text of code and conversations?"
        )
    )
    keep_answer(context.repository, "embedding", proposal.place, agreed)
    del context.config


def _say_what_leaves(context: "Context") -> None:
    """Say to whom text goes, where a file of the working tree decides it: a clone brings those."""
    from ..chroma.target import target_of

    try:
        config = context.config
    except ConfigurationError:
        return
    try:
        target_of(config, context.repository)
    except ConfigurationError as error:
        context.note(safe_line(str(error)))
        return
    impl, provider = config["chroma.impl"], config["embedding.provider"]
    going: list[tuple[str, str, str, tuple[str, ...]]] = []
    if impl in ("http", "cloud"):
        place = config.shown("chroma.url") if impl == "http" else "Chroma Cloud"
        going.append((place, "chroma.impl", "off", ("chroma.impl", "chroma.url")))
    if provider != "builtin":
        going.append((provider, "embedding.provider", "builtin", ("embedding.provider",)))
    for place, name, none, deciding in going:
        origins = [config.origins[one] for one in deciding if config.origins[one] in _BROUGHT]
        if origins:
            mend = f"git config skillmesh.{name} {none}"
            if ".env" in origins:
                mend = f"{SETTINGS[name].env}={none} in the environment"
            context.note(
                safe_line(
                    f"text of code and conversations goes to {place} "
                    f"({name}={config[name]}, {origins[0]}); to keep it here: {mend}"
                )
            )


def _show(context: "Context", title: str, report: hooks.Report) -> None:
    context.out(safe_line(f"{title} {report.folder}"))
    for line in report.hooks:
        context.out(safe_line(f"  {line}"))
    for line in report.config:
        context.out(safe_line(f"  git config: {line}"))
    for line in report.notes:
        context.note(safe_line(line))


def _purge(repository: Repository) -> None:
    """Delete all caches, once no worker writes to them. Raises `Busy` and `ReadOnly`.

    A worker that a hook has started a moment ago may yet come and make the folder anew.
    """
    state, deadline = repository.state_dir, time.monotonic() + _PURGE_SECONDS
    gone = state.with_name(f"{state.name}.purged")
    try:
        shutil.rmtree(gone, ignore_errors=True)  # left by a purge that was killed
        while state.is_dir():
            with (state / "worker.lock").open("ab") as lock:
                _wait_for(lock, deadline)
                # Under another name it is not written to while it is deleted.
                state.rename(gone)
                shutil.rmtree(gone, ignore_errors=True)
                if gone.is_dir():  # a request came in between, or it cannot be deleted
                    shutil.rmtree(gone)
            time.sleep(_LATE_SECONDS)
    except OSError as error:
        raise ReadOnly(f"cannot delete {error.filename or state}: {error.strerror}") from error


def _wait_for(lock: BinaryIO, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Busy(
                    "background indexing is still running", "try again in a moment"
                ) from None
            time.sleep(0.1)
