"""Files that are there whole or not at all, and on the disk when a function returns.

In: a path and bytes. Out: the file. A crash at any point leaves the old file or the new one, and
at worst a `.NAME.THREAD.part` beside it. Light: hooks may import it.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_native_id
from typing import IO

# Codes of SQLite (sqlite.org/rescode.html), which is slow to import. A full disk is often a "disk
# I/O error": the shared memory of a database in WAL mode cannot grow.
_FULL_READONLY_CANTOPEN = (13, 8, 14)
_IOERR_WRITING = tuple(10 | kind << 8 for kind in (3, 4, 6, 18, 19, 21))


def is_unwritable(error: Exception) -> bool:
    """Whether an error of SQLite tells of a full or read-only disk, not of a damaged file."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _FULL_READONLY_CANTOPEN or code in _IOERR_WRITING


def replace_file(path: Path, data: bytes, mode: int = 0o666, *, durable: bool = True) -> None:
    """Write a file under another name, then give it its own. `mode` is cut by the umask.

    Nobody waits for the disk where it need not be `durable`, as a cache need not: what a power
    failure leaves may then be empty. Raises `OSError`; then the old file is still there.
    """
    with replacing(path, mode, durable=durable) as file:
        file.write(data)


def rewrite_file(path: Path, data: bytes) -> None:
    """Replace a file of the user's: one that is there keeps its rights. Raises `OSError`."""
    path.parent.stat()  # no folder is made: one that is not there is a slip of the keyboard
    with replacing(path) as file:
        with suppress(FileNotFoundError):
            os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
        file.write(data)


@contextmanager
def replacing(path: Path, mode: int = 0o666, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Yield a file to write to that takes the place of `path` once the block has ended well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{get_native_id()}.part")
    try:
        # One of these names that is there was left by a process that is gone.
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "r+b") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        part.replace(path)
        if durable:
            sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def expanded(path: str | Path) -> Path:
    """Return a path with `~` for a home; that of nobody known here stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # Path's own raises RuntimeError then


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
