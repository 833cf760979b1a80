"""Read and replace configuration files that other programs write, too.

In: paths. Out: their bytes, or a new content in one step. A link is followed and stays a link; the
rights of the file stay; what somebody else wrote meanwhile is never lost.
"""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import Busy, ConfigurationError, ReadOnly, UsageError

_LARGEST = 32_000_000


def real_path(path: Path, top: Path | None) -> Path:
    """Return the file that a path leads to. Raises `UsageError` if that is out of `top`."""
    real = Path(os.path.realpath(path))
    if top is not None and not real.is_relative_to(os.path.realpath(top)):
        raise UsageError(
            f"{path} leads out of the repository, to {real}",
            "--user, or replace the link by a file",
        )
    return real


def read(path: Path) -> bytes | None:
    """Return the content of a file, None where there is none. Raises `ConfigurationError`."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}", error.strerror or "") from None
    with open(number, "rb") as stream:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigurationError(f"{path} is no regular file", "nothing was changed")
        if found.st_size > _LARGEST:
            raise ConfigurationError(f"{path} is too large", "nothing was changed")
        return stream.read()


def read_text(path: Path) -> str | None:
    """Return the text of a file, None where there is none. Raises `ConfigurationError`."""
    data = read(path)
    return None if data is None else decoded(data, path)


def decoded(data: bytes, path: Path) -> str:
    """Return the text that bytes are. Raises `ConfigurationError`."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: not UTF-8", "nothing was changed") from None


def missing_folders(path: Path) -> list[Path]:
    """Return the folders above a file that do not exist, the outermost first."""
    found = []
    for folder in path.parents:
        if folder.exists():
            break
        found.append(folder)
    return found[::-1]


class ChangedMeanwhile(Exception):
    """Somebody else has written the file since it was read."""


def replace(path: Path, before: bytes | None, after: bytes | None) -> None:
    """Write a file, or delete it (None), if it still is what it was.

    Raises `ChangedMeanwhile` and `ReadOnly`.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.skillmesh")
    try:
        if after is None:
            if read(path) != before:
                raise ChangedMeanwhile
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        found = path.stat() if before is not None else None
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with open(number, "wb") as stream:
            if found is not None:
                with contextlib.suppress(OSError):
                    os.fchown(number, found.st_uid, found.st_gid)
                os.fchmod(number, stat.S_IMODE(found.st_mode))
            stream.write(after)
        if read(path) != before:
            raise ChangedMeanwhile
        fresh.replace(path)
    except OSError as error:
        where = error.filename or path
        raise ReadOnly(f"cannot write {where}", error.strerror or "") from None
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one install or remove at a time work on what a record tells of. Raises `Busy`."""
    lock = path.with_name(path.name + ".lock")
    number = _open_lock(lock)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()
        os.close(number)


def _open_lock(lock: Path) -> int:
    while True:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            number = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ReadOnly(f"cannot write {lock}", error.strerror or "") from None
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.stat(lock).st_ino == os.fstat(number).st_ino:  # noqa: PTH116
                return number
        except BlockingIOError:
            os.close(number)
            raise Busy("agents are being installed", "try again in a moment") from None
        except FileNotFoundError:  # whoever held it has just deleted it
            pass
        os.close(number)
