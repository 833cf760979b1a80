"""Start the writer process and talk to it.

In: a `Target` and requests. Out: replies, or the error that the writer named. The protocol is
described in `writer`.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from .. import errors
from ..errors import Busy, Damaged, SkillmeshError, Unavailable, Unreachable
from .locking import held
from .target import Target

LOCK_WAIT_S = 10.0
REPLY_TIMEOUT_S = 300.0
_END_TIMEOUT_S = 30.0
# What Chroma's settings would read from the user's environment, and what must not leak into it.
_FOREIGN = ("CHROMA_", "IS_PERSISTENT", "PERSIST_", "ALLOW_RESET", "ANONYMIZED_", "MIGRATIONS")
_FOREIGN_NAMES = ("ENVIRONMENT", "TENANT_ID", "TOPIC_NAMESPACE", "PYTHONHOME", "PYTHONSTARTUP")


class Writer:
    """A writer process for one store; leaving the block ends it and waits until it is gone."""

    # The module that the process runs, and its arguments.
    program: tuple[str, ...] = ("git_skillmesh.chroma.writer",)

    def __init__(self, target: Target, state_dir: Path, wait_s: float = LOCK_WAIT_S) -> None:
        self.target = target
        self._state_dir = state_dir
        self._wait_s = wait_s
        self._buffer = b""

    def __enter__(self) -> "Writer":
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", *self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._state_dir,
            env=_environment(),
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the parent, which ends the writer in order
        )
        try:
            reply = self.ask("start", target=self.target.to_message(), wait_s=self._wait_s)
        except BaseException:
            self._end()
            raise
        self.max_batch = int(reply["max_batch"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The writer's process id."""
        return self._process.pid

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send one request and return the reply. Raises what the writer says, or `Unavailable`."""
        line = json.dumps({"op": op, **fields}).encode() + b"\n"
        assert self._process.stdin is not None  # noqa: S101 - it was opened as a pipe
        try:
            view = memoryview(line)
            while view:
                view = view[self._process.stdin.write(view) :]
        except BrokenPipeError:
            pass  # It may have said why before it ended.
        reply = json.loads(self._line())
        if "error" in reply:
            raise _error_from(reply["error"])
        return dict(reply["ok"])

    def _line(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - it was opened as a pipe
        deadline = time.monotonic() + REPLY_TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self._process.kill()
                    raise Unreachable(
                        f"{self.target.describe()} did not answer for {REPLY_TIMEOUT_S:.0f} s",
                        "the next run catches up",
                    )
                chunk = os.read(self._process.stdout.fileno(), 1 << 20)
                if not chunk:
                    raise self._died()
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _died(self) -> SkillmeshError:
        status = self._process.wait()
        crashed = -status in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)
        if crashed and self.target.kind == "persistent":
            return Damaged(
                f"Chroma crashes on {self.target.describe()}", "git skillmesh doctor --repair"
            )
        how = f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
        return Unavailable(f"the Chroma writer {how}", "the next run catches up")

    def _end(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was opened as a pipe
        assert self._process.stdout is not None  # noqa: S101 - it was opened as a pipe
        self._process.stdin.close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class WriterWhenNeeded:
    """A writer that is started when it is first asked for, and ends with the block.

    Starting one costs more than a second of processor time, so that several collections share it.
    """

    def __init__(self, target: Target, state_dir: Path) -> None:
        self._new = Writer(target, state_dir)
        self._stack = ExitStack()
        self._started: Writer | None = None

    def __enter__(self) -> "WriterWhenNeeded":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def started(self) -> bool:
        """Whether anybody has asked for it."""
        return self._started is not None

    def writer(self) -> Writer:
        """Return the writer. Raises like `Writer.ask`."""
        if self._started is None:
            self._started = self._stack.enter_context(self._new)
        return self._started


class AlreadyMirroring(Busy):
    """Another process mirrors from this repository."""


def only_one(state_dir: Path, wait_s: float = 0.0) -> Any:
    """Hold the lock that lets one process at a time mirror. Raises `AlreadyMirroring`."""
    busy = AlreadyMirroring("another mirror of this repository is at work", "try again later")
    return held(state_dir / "mirror.lock", False, wait_s, busy)


def _environment() -> dict[str, str]:
    """Return an environment in which Chroma reads nothing but what the pipe says."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_FOREIGN) and name.upper() not in _FOREIGN_NAMES
    }
    package = os.fspath(Path(__file__).resolve().parents[2])
    inherited = [
        os.fspath(Path(part).absolute())
        for part in kept.get("PYTHONPATH", "").split(os.pathsep)
        if part
    ]
    kept["PYTHONPATH"] = os.pathsep.join([package, *inherited])
    return kept


def _error_from(told: Mapping[str, str]) -> SkillmeshError:
    kind = getattr(errors, told["kind"], Unavailable)
    error: SkillmeshError = kind(told["what"], told["mend"])
    return error
