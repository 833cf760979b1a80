"""Measure what a process and everything it starts cost.

In: a command. Out: `Cost`: wall time, processor time of the whole process tree, and, where asked
for, its peak memory. Costs that are to be compared are taken in turn (A B A B …) in one run, so
that a busy machine slows both alike.
"""

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

_SAMPLE_SECONDS = 0.02
T = TypeVar("T")


class Failed(Exception):
    """A measured command did not do what it should."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`wall` and `cpu` in seconds, `peak` in bytes (None where it was not measured)."""

    wall: float
    cpu: float
    output: bytes = b""
    peak: int | None = None


def run(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    accept: Sequence[int] = (0,),
    memory: bool = False,
) -> Cost:
    """Run a command to its end. Raises `Failed` when it ends with another code than `accept`.

    Processor time counts the command and all processes that were waited for (wait4(2)); what
    detaches itself does not count. Watching memory costs time, so never compare times taken with
    `memory`.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    errors: list[bytes] = []
    drain = Thread(target=lambda: errors.append(_read(process.stderr)), daemon=True)
    drain.start()
    watch = _MemoryWatch(process.pid) if memory else None
    output = _read(process.stdout)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = watch.stop() if watch else None
    drain.join()
    if process.returncode not in accept:
        said = b"".join(errors).decode(errors="replace").strip()
        raise Failed(f"{' '.join(command)}: exit code {process.returncode}\n{said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, output, peak)


def _read(stream: object) -> bytes:
    data: bytes = stream.read()  # type: ignore[attr-defined]
    stream.close()  # type: ignore[attr-defined]
    return data


def cpu_seconds() -> float:
    """Return the processor time of this process and of those it has waited for."""
    parts = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in parts)


def in_turn(cases: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run all cases in turn, `rounds` times, every other round backwards."""
    found: dict[str, list[T]] = {name: [] for name in cases}
    for number in range(rounds):
        for name in list(cases) if number % 2 == 0 else reversed(list(cases)):
            found[name].append(cases[name]())
    return found


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _MemoryWatch:
    """Samples the memory of a process and its descendants: Pss, which counts a page once."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._peak = 0
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int | None:
        self._over.set()
        self._thread.join()
        return self._peak or None

    def _watch(self) -> None:
        while not self._over.is_set():
            self._peak = max(self._peak, sum(_memory(pid) for pid in _family(self._root)))
            self._over.wait(_SAMPLE_SECONDS)


def _family(root: int) -> list[int]:
    """Return a process and its descendants, as far as Linux's /proc tells."""
    family, todo = [], [root]
    while todo:
        pid = todo.pop()
        family.append(pid)
        with suppress(OSError):  # it has just ended
            for path in list(Path(f"/proc/{pid}/task").glob("*/children")):
                with suppress(OSError):
                    todo += map(int, path.read_text().split())
    return family


def _memory(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024
