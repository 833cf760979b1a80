"""What a push sets off: conversations are shared with the remote by the background worker.

In: the remote of `git push`. Out: a request at the worker's desk; with `sync.push=wait` also the
time until it is served. How it went stands in `sharing.json`. A push never fails or hangs because
of this.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Config
from ..files import replace_file
from ..git.repository import Repository, discover

if TYPE_CHECKING:
    from .worker import Desk

# A push takes long where much is pushed; the worker goes on beside it after this.
_PUSH_SECONDS = 600
_POLL_SECONDS = 0.05


def answer_push(arguments: Sequence[str]) -> str:
    """Ask the worker to share, and wait for it if the settings say so; return what went wrong.

    `arguments` are git's: the name of the remote or its address. pre-commit has them in its
    environment. Raises `SkillmeshError`, OSError.
    """
    from ..config import load
    from ..monitoring.timing import Timed
    from .main import start_worker
    from .worker import Desk, folder_of

    remote = arguments[0] if arguments else os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    repository = discover()
    config = load(repository)
    if config["sync.push"] not in ("auto", "wait") or not remote:
        return ""
    desk = Desk(repository.state_dir)
    before = _record(repository.state_dir, ("id",))
    request = desk.request(folder_of(repository), remote)
    start_worker("serve")
    if config["sync.push"] == "auto":
        return ""
    with Timed(repository.state_dir, "hook", "pre-push") as wait:
        problem = _wait_for(desk, request, before, config.number("sync.timeout"))
        wait.outcome = "failed" if problem else "ok"
    return problem


def _wait_for(desk: "Desk", request: Path, before: dict[str, str] | None, seconds: int) -> str:
    """Wait until a request is served; return what went wrong, "" if nothing did."""
    from .worker import RUNNING

    deadline = time.monotonic() + seconds
    while request.exists() or request.with_name(request.name + RUNNING).exists():
        if _record(desk.state, ("id",)) != before:
            after = last_sharing(desk.state)
            return after["what"] if after and after["failed"] == "yes" else ""
        if time.monotonic() > deadline:
            return f"nothing shared after {seconds} s, it goes on in the background"
        time.sleep(_POLL_SECONDS)
    return ""


def await_push(process: int) -> None:
    """Wait until `git push` has ended: its remote, its line and its key belong to the user."""
    deadline = time.monotonic() + _PUSH_SECONDS
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except OSError:
            return
        time.sleep(_POLL_SECONDS)


def share(
    repository: Repository, config: Config, remote_name: str, log: Callable[[str], None]
) -> None:
    """Sync with a remote if the user lets a push do so, and record how it went.

    Raises nothing that concerns the remote: the next push tries again.
    """
    from ..git.remotes import find_remote
    from ..git.transport import Manners
    from ..monitoring.timing import Timed
    from ..sessions.consent import why_not_by_itself
    from ..sessions.sync import sync

    try:
        remote = find_remote(repository, remote_name)
        if reason := why_not_by_itself(repository, config, remote):
            what, failed = f"not shared with {remote.shown}: {reason}", "no"
        else:
            with Timed(repository.state_dir, "sync", "worker"):
                outcome = sync(repository, remote, manners=Manners(seconds=300))
            what, failed = f"shared with {remote.shown}: {outcome.shared}", "no"
            what += f"; fetched: {outcome.fetched}" if outcome.fetched else ""
    except Exception as error:  # the index, which comes next, is not to suffer from it
        what, failed = f"not shared: {error if str(error) else type(error).__name__}", "yes"
    log(what)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    record = {"time": now, "what": what, "failed": failed, "id": f"{time.time_ns()}"}
    text = json.dumps(record)
    with contextlib.suppress(OSError):
        replace_file(repository.state_dir / "sharing.json", text.encode(), durable=False)


def take_over_fetched(repository: Repository, log: Callable[[str], None]) -> None:
    """Unite what `git fetch` has brought with what is here. Raises nothing about what came."""
    from ..git.refs import list_refs
    from ..git.remotes import TRACKING

    try:
        if not list_refs(repository, TRACKING):  # most repositories
            return
        from ..sessions.sync import unite_fetched

        if found := unite_fetched(repository):
            log(f"taken over from what was fetched: {found}")
    except Exception as error:
        log(f"not taken over: {error if str(error) else type(error).__name__}")


def last_sharing(state: Path) -> dict[str, str] | None:
    """Return how the last push shared: time, what, failed (yes or no); None if none did."""
    return _record(state, ("time", "what", "failed"))


def _record(state: Path, names: Sequence[str]) -> dict[str, str] | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads((state / "sharing.json").read_bytes())
        return {name: str(found[name]) for name in names}
    return None
