"""Run a step as a process of its own, which Ctrl-C reaches in an orderly way.

In: a command line. Out: `Ended`: its exit code, its JSON, its last line of standard error. The
process leads a group of its own, so that a terminal's Ctrl-C comes through this one only: it is
passed on once, and the step may take its time to save what it has. A second one ends it.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

from ...errors import ExitCode
from . import leash

# In the environment of every process of a step: by it the leftovers of a killed run are found.
TOKEN = "SKILLMESH_NIGHTLY_RUN"  # noqa: S105  # a name
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a list of exchanges in `rewards --json` would take is not needed here.
_LONGEST_RESULT = 16_000_000
_LONGEST_LINE = 2_000
# How long a leftover may take to save what it has.
_PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Ended:
    """How a step ended. `result` is the JSON it printed, {} if there was none."""

    code: int
    result: dict[str, Any] = field(default_factory=dict)
    line: str = ""
    seconds: float = 0.0
    interrupted: bool = False


class Signals:
    """Passes signals on to the group of the process that runs; without one they interrupt."""

    def __init__(self) -> None:
        self.asked = 0
        self._group = 0
        self._starting = False

    @contextmanager
    def held(self) -> Iterator["Signals"]:
        """Take signals over for the duration of the block, where this is the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        # What is ignored stays so: nohup wants it.
        taken = [one for one in _SIGNALS if one is signal.SIGINT or not _ignored(one)]
        before = {number: signal.signal(number, self._come) for number in taken}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def starting(self) -> None:
        """Keep what comes until it is known where it goes."""
        self._starting = True

    def follow(self, group: int) -> None:
        """Name the group that signals go to; 0 for none."""
        self._group = group
        was_starting, self._starting = self._starting, False
        if was_starting and group and self.asked:
            _tell(group, signal.SIGINT)

    def _come(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1
        if self._starting:
            return
        if not self._group:
            raise KeyboardInterrupt
        passed = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[min(self.asked, 3) - 1]
        _tell(self._group, passed)


def run(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], result: Path, log: IO[bytes],
    signals: Signals,
) -> Ended:  # fmt: skip
    """Run a command. Its JSON is kept at `result`, its standard error goes to `log`.

    It is interrupted if this process is killed.
    """
    began = time.monotonic()
    part = result.with_name(f".{result.name}.part")
    line = b""
    with part.open("wb") as out, leash.held() as pipe:
        signals.starting()
        try:
            process = subprocess.Popen(
                list(command), cwd=folder, env={**environ, leash.PIPE: str(pipe)}, pass_fds=(pipe,),
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            signals.follow(0)
            raise
        signals.follow(process.pid)
        try:
            for said in process.stderr or ():
                log.write(said)
                log.flush()
                line = said.strip()[:_LONGEST_LINE] or line
            code = process.wait()
        except BaseException:
            _tell(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            signals.follow(0)
            if process.stderr:
                process.stderr.close()
    found = _read(part)
    if found:
        part.replace(result)
    text = line.decode("utf-8", "replace").removeprefix("git-skillmesh: ")
    if code < 0:
        name = _name_of(-code)
        text = f"it was ended by {name}" + ("; is there enough memory?" if code == -9 else "")
    seconds = round(time.monotonic() - began, 3)
    stopped = signals.asked > 0 and (code == ExitCode.INTERRUPTED or code < 0)
    return Ended(code if code >= 0 else ExitCode.INTERNAL, found, text, seconds, stopped)


def end_leftovers(tokens: Collection[str]) -> int:
    """End what a killed run has left running, with time to save; return how many there were.

    Needs /proc; elsewhere nothing is found.
    """
    marks = {f"{TOKEN}={token}".encode() for token in tokens}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    found = first = _marked(marks)
    for process in first:
        _tell(process, signal.SIGINT, group=False)
    while found and time.monotonic() < deadline:
        time.sleep(0.05)
        found = _marked(marks)
    for process in found:
        _tell(process, signal.SIGKILL, group=False)
    return len(first)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # those of real time have none
        return f"signal {number}"


def _ignored(number: signal.Signals) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN


def _marked(marks: set[bytes]) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:  # gone, or somebody else's
            continue
        if not marks.isdisjoint(environment.split(b"\0")) and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def _tell(process: int, number: int, *, group: bool = True) -> None:
    try:
        (os.killpg if group else os.kill)(process, number)
    except (ProcessLookupError, PermissionError):
        return


def _read(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, {} if there is none."""
    try:
        if path.stat().st_size > _LONGEST_RESULT:
            return {}
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
