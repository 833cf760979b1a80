"""Locks between processes: flock on a file that is never removed.

In: a path. Out: an open file descriptor that holds the lock until it is closed or the process
ends, whichever way it ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Busy, ReadOnly

_PAUSE_S = 0.02


def acquire(path: Path, shared: bool, wait_s: float, busy: Busy) -> int:
    """Return a descriptor that holds the lock. Raises `busy` after `wait_s`, `ReadOnly`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ReadOnly(f"cannot write {path}: {error.strerror}") from None
    deadline = time.monotonic() + wait_s
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise busy from None
            time.sleep(_PAUSE_S)


def acquire_in_turn(path: Path, shared: bool, wait_s: float, busy: Busy) -> int:
    """Acquire like `acquire`, but let nobody who comes later keep somebody who waits waiting.

    Many readers that hold a shared lock in turn would otherwise never leave a gap for a writer.
    """
    started = time.monotonic()
    with held(path.with_name(path.name + ".turn"), shared, wait_s, busy):
        return acquire(path, shared, wait_s - (time.monotonic() - started), busy)


@contextmanager
def held(path: Path, shared: bool, wait_s: float, busy: Busy) -> Iterator[None]:
    """Hold the lock for a block. Raises like `acquire`."""
    descriptor = acquire(path, shared, wait_s, busy)
    try:
        yield
    finally:
        os.close(descriptor)
