"""Change the repository's own git configuration, also while another process is doing so.

In: the arguments of `git config --local`, once or several times. Out: nothing, or an error that
says why not. git does not wait for the lock of the file, and two of our processes may well answer
the same thing at once.
"""

import os
import random
import stat
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import Busy, ReadOnly
from .process import GitFailed
from .repository import Repository
from .writing import unwritable

_PATIENCE_SECONDS = 10.0
_NOTHING_TO_UNSET = 5  # git-config(1)


def change_config(repository: Repository, *arguments: str) -> None:
    """Run `git config --local` with arguments that write. To unset what is not set is no error.

    Raises:
        Busy: another process keeps the file locked, or was killed and left its lock.
        ReadOnly: the repository cannot be written.
        GitFailed: git refuses the arguments, or cannot read the file.
    """
    command = ("config", "--local", *arguments)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        result = repository.git.run_unchecked(*command)
        if result.returncode in (0, _NOTHING_TO_UNSET):
            return
        error = GitFailed(command, result.returncode, result.stderr)
        if "File exists" not in error.stderr:
            raise unwritable(error) or error
        _wait(repository, deadline)


def change_config_at_once(repository: Repository, changes: Sequence[Sequence[str]]) -> None:
    """Make several such changes, all of them or, if it is cut off anywhere, none.

    Raises as `change_config`.
    """
    path = (repository.common_dir / "config").resolve()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with tempfile.TemporaryDirectory(prefix="skillmesh-config-") as folder:
        copy = Path(folder, "config")
        try:
            while True:
                before = path.read_bytes()
                copy.write_bytes(before)
                _change(repository, copy, changes)
                if _replaced(path, before, copy.read_bytes()):
                    return
                _wait(repository, deadline)
        except OSError as error:
            raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None


def _change(repository: Repository, file: Path, changes: Iterable[Sequence[str]]) -> None:
    for arguments in changes:
        command = ("config", "--file", str(file), *arguments)
        result = repository.git.run_unchecked(*command)
        if result.returncode not in (0, _NOTHING_TO_UNSET):
            raise GitFailed(command, result.returncode, result.stderr)


def _replaced(path: Path, before: bytes, after: bytes) -> bool:
    """Replace a file under git's own lock; return False if it is locked, or was changed."""
    lock = path.with_name(f"{path.name}.lock")
    mode = stat.S_IMODE(path.stat().st_mode)
    try:
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        return False
    is_ours = True
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.read_bytes() != before:
                return False
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        lock.replace(path)
        is_ours = False
    finally:
        if is_ours:
            lock.unlink(missing_ok=True)
    return True


def _wait(repository: Repository, deadline: float) -> None:
    """Wait for whoever holds the lock. Raises `Busy` after the deadline."""
    if time.monotonic() > deadline:
        lock = repository.common_dir / "config.lock"
        raise Busy(
            "another process keeps git's configuration locked",
            f"or one that was killed left {lock}",
        )
    time.sleep(0.02 * (1 + random.random()))  # noqa: S311
