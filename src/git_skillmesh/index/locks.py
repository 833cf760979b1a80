"""Locks between processes: flock, which the kernel lets go of when a process dies.

In: the path of a lock file. Out: a held lock, or `Busy`.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Busy, ReadOnly

_POLL_SECONDS = 0.02


@contextmanager
def exclusive(path: Path, wait_seconds: float = 0.0, what: str = "the index") -> Iterator[None]:
    """Hold the lock for the duration of the block.

    Raises `Busy` when another process holds it for longer than `wait_seconds`, `ReadOnly` when
    the lock file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None
    try:
        _acquire(descriptor, path, wait_seconds, what)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, wait_seconds: float, what: str) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Busy(f"another process is writing {what}", "try again in a moment") from None
            time.sleep(_POLL_SECONDS)
        except OSError as error:
            raise ReadOnly(f"cannot lock {path}", error.strerror or str(error)) from None
        else:
            return
