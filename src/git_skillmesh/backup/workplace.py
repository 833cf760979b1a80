"""A folder to unpack a backup in, which is gone afterwards.

In: a repository, or none. Out: an empty folder, readable by its owner alone. One restore at a time
works in a repository; it removes what a killed one has left. Without a repository that is left to
the system, whose folder for temporary files it is.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Busy, ReadOnly
from ..git.repository import Repository

_PREFIX = "restore-"
_LOCK = "restore.lock"


@contextmanager
def workplace(repository: Repository | None) -> Iterator[Path]:
    """Yield a folder beside the caches of a repository, or one for temporary files.

    Raises `Busy` where another restore is at work, `ReadOnly`.
    """
    if repository is None:
        with tempfile.TemporaryDirectory(prefix="skillmesh-") as name:
            yield Path(name)
        return
    state = repository.state_dir
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = os.open(state / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ReadOnly(f"cannot write {state}", error.strerror or str(error)) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another restore is at work here", "try again later") from None
        for left in state.glob(f"{_PREFIX}*"):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=state) as name:
            yield Path(name)
    finally:
        os.close(lock)
