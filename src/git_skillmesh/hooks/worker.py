"""The background worker: after a quiet moment, make the index follow the repository.

In: the repository git has just run a hook in. Out: runs of `background.run_background`, a
log, and `last-error.json` for `status`.

Several workers may start at once. Each leaves a request, one file per working tree; the one that
gets the lock serves all requests, the others end. No wake-up is lost: a request is written before
the lock is tried, and whoever lets go of the lock looks for requests once more. A request in work
is renamed, not deleted, so that the next worker takes up what a killed one left behind.
"""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import SkillmeshError, last_error
from ..files import replace_file
from ..git.process import clean_environment
from ..git.repository import Repository, discover
from ..monitoring.record import record
from .main import HOOKS

QUIET_SECONDS = 0.3  # a run starts when no request has come for so long …
PATIENCE_SECONDS = 2.0  # … or when the oldest has waited for so long
LOG_BYTES = 256 * 1024  # a larger log becomes worker.log.1

RUNNING = ".running"
_VERBOSE = ("debug", "info")  # values of `log.level` that keep more than failures


def main(arguments: Sequence[str] = ()) -> None:
    """Serve the repository of the current folder. Raises nothing that concerns the user.

    `arguments` begin with the name of the hook; those of pre-push go on with the remote and the
    process that pushes. "serve" only serves what others have asked for.
    """
    _detach()
    repository = discover()
    os.chdir("/")  # a working tree must not be kept from being unmounted
    cleaned = clean_environment(os.environ)
    os.environ.clear()
    os.environ.update(cleaned)
    desk = Desk(repository.state_dir, repository)
    hook, remote, pusher = (*arguments, "", "", "")[:3]
    if hook in HOOKS:  # what its shim took, a shell cannot tell cheaply
        record(repository.state_dir, "hook", hook, "ok")
    if hook == "pre-push":
        from .sharing import await_push

        await_push(int(pusher))
    try:
        if hook != "serve":
            desk.request(folder_of(repository), remote)
    except OSError:
        return  # read-only or full: there is no place for an index either, nor for a complaint
    desk.serve()


def _detach() -> None:
    """Let go of the caller: its session, its open files."""
    with contextlib.suppress(OSError):  # the leader of a session already
        os.setsid()
    os.closerange(3, 1024)


def folder_of(repository: Repository) -> Path:
    """Return the folder from which the repository is found again without git's help.

    With `git --git-dir=… --work-tree=…` the working tree does not lead to it.
    """
    top = repository.top
    return top if top is not None and (top / ".git").exists() else repository.git_dir


class Desk:
    """Requests, lock, log and last error in the folder `state`.

    `known` is the repository of one of the folders, so that git need not be asked for it.
    """

    def __init__(self, state: Path, known: Repository | None = None) -> None:
        self.state = state
        self._known = known
        self.requests = state / "requests"
        self.log_path = state / "log" / "worker.log"
        self.error_path = state / "last-error.json"
        self.verbose = True

    def request(self, folder: Path, remote: str = "") -> Path:
        """Leave word that `folder` is to be served, and return where.

        With `remote`, conversations are to be shared with it too. Raises OSError.
        """
        self.requests.mkdir(parents=True, exist_ok=True)
        self.log_path.parent.mkdir(exist_ok=True)
        content = os.fsencode(f"{folder}\0{remote}" if remote else folder)
        path = self.requests / hashlib.sha256(content).hexdigest()[:16]
        replace_file(path, content, durable=False)
        return path

    def serve(self) -> None:
        """Serve all requests unless another worker does so."""
        while self._pending():
            with self._lock() as held:
                if not held:
                    return
                while pending := self._settled():
                    for name in pending:
                        self._serve_one(name)

    def _pending(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            names = {path.name for path in self.requests.iterdir()}
            return sorted({name.removesuffix(RUNNING) for name in names if name[0] != "."})
        return []

    def _settled(self) -> list[str]:
        """Wait until requests have stopped coming, and return them."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        seen: list[tuple[str, int]] | None = None
        quiet_since = time.monotonic()
        while time.monotonic() < deadline:
            now = self._stamps()
            if not now:
                break
            if now != seen:
                seen, quiet_since = now, time.monotonic()
            elif time.monotonic() - quiet_since >= QUIET_SECONDS:
                break
            time.sleep(0.05)
        return self._pending()

    def _stamps(self) -> list[tuple[str, int]]:
        stamps = []
        for name in self._pending():
            for path in (self.requests / name, self.requests / (name + RUNNING)):
                with contextlib.suppress(FileNotFoundError):
                    stamps.append((path.name, path.stat().st_mtime_ns))
        return stamps

    def _serve_one(self, name: str) -> None:
        claimed = self.requests / (name + RUNNING)
        with contextlib.suppress(FileNotFoundError):  # left by a worker that was killed
            (self.requests / name).replace(claimed)
        folder, _, remote = os.fsdecode(claimed.read_bytes()).partition("\0")
        self._run(Path(folder), remote)
        claimed.unlink(missing_ok=True)

    def _run(self, folder: Path, remote: str) -> None:
        what = f"run {os.fspath(folder)!r}"
        if not folder.is_dir():
            self.log(f"{what} skipped: the folder is gone")
            self._forgive(folder)
            return
        started = time.monotonic()
        try:
            from ..config import load
            from ..monitoring.switch import follow
            from .background import run_background

            repository = self._repository(folder)
            config = load(repository)
            self.verbose = config["log.level"] in _VERBOSE
            follow(self.state, config)
            self.log(f"{what} begin")
            run_background(repository, config, self.log, remote)
        except BaseException as error:  # a panic of an extension module is no Exception
            import json
            import traceback

            self._timed("failed", started)
            summary = str(error) if isinstance(error, SkillmeshError) else _summary(error)
            self.log(f"{what} failed: {summary}\n{traceback.format_exc().rstrip()}", failed=True)
            record = {"time": _now(), "what": summary, "where": os.fspath(folder)}
            replace_file(self.error_path, json.dumps(record).encode(), durable=False)
        else:
            self.log(f"{what} end after {time.monotonic() - started:.2f} s")
            self._timed("ok", started)
            self._forgive(folder)

    def _repository(self, folder: Path) -> Repository:
        """Return the repository of a folder. Raises `NotARepository`."""
        one = self._known
        # A hook's GIT_DIR may name another one than the folder leads to.
        if one is not None and one.top == folder and one.git_dir == folder / ".git":
            return one
        return discover(folder)

    def _timed(self, outcome: str, started: float) -> None:
        """Record the run, and sum up what has been recorded where it has become much."""
        from ..monitoring.journal import fold

        record(self.state, "worker", "worker", outcome, time.monotonic() - started)
        fold(self.state)

    def _forgive(self, folder: Path) -> None:
        """Forget the last error if it was about `folder` or a folder that is gone."""
        error = last_error(self.state)
        if error and (error["where"] == os.fspath(folder) or not Path(error["where"]).is_dir()):
            self.error_path.unlink(missing_ok=True)

    def log(self, text: str, failed: bool = False) -> None:
        """Append to the log, as far as `log.level` lets it; only the holder of the lock does."""
        if not (failed or self.verbose):
            return
        with contextlib.suppress(FileNotFoundError):
            if self.log_path.stat().st_size > LOG_BYTES:
                self.log_path.replace(self.log_path.with_name("worker.log.1"))
        with self.log_path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"{_now()} [{os.getpid()}] {text}\n")

    @contextlib.contextmanager
    def _lock(self) -> Iterator[bool]:
        with (self.state / "worker.lock").open("ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def _summary(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
