"""Files below one folder, read and written without ever following a link.

In: a folder, paths below it that anybody may have chosen. Out: what is there; files, each written
whole or not at all. Every step of the way is opened as what it must be, a folder, so that a link in
a clone leads nowhere.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import ReadOnly

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its path below the folder, whether it is a program."""

    path: str
    executable: bool


def listing(folder: Path, start: str = "") -> tuple[list[Found], dict[str, str]]:
    """Return all plain files below a folder by path, and path → why for what is none.

    Only `start` and what lies below it; folders of git are left out.
    """
    found: list[Found] = []
    others: dict[str, str] = {}
    todo = [start]
    if start and (folder / start).is_symlink():
        return [], {start: "a link"}
    while todo:
        inner = todo.pop()
        try:
            entries = list(os.scandir(folder / inner))
        except FileNotFoundError:
            continue
        except OSError as error:
            others[inner] = error.strerror or "cannot be read"
            continue
        for entry in entries:
            path = f"{inner}/{entry.name}" if inner else entry.name
            if entry.name.lower() == ".git":
                continue
            if entry.is_symlink():
                others[path] = "a link"
            elif entry.is_dir(follow_symlinks=False):
                todo.append(path)
            elif entry.is_file(follow_symlinks=False):
                mode = entry.stat(follow_symlinks=False).st_mode
                found.append(Found(path, bool(mode & stat.S_IXUSR)))
            else:
                others[path] = "no plain file"
    return sorted(found, key=lambda one: os.fsencode(one.path)), others


def open_file(folder: Path, path: str) -> int:
    """Open a plain file below a folder for reading. Raises OSError (ELOOP for a link)."""
    with _opened_folder(folder, path, make=False) as (parent, name):
        number = os.open(name, _FILE, dir_fd=parent)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "no plain file")
    return number


def write_file(folder: Path, path: str, source: int, executable: bool) -> None:
    """Write a file below a folder from an open descriptor, in place of one that may be there.

    Raises `ReadOnly`, also where a link is on the way.
    """
    try:
        with _opened_folder(folder, path, make=True) as (parent, name):
            part = f".{os.getpid()}.part"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            mode = 0o777 if executable else 0o666
            try:
                target = os.open(part, flags, mode, dir_fd=parent)
                with open(target, "wb") as out, open(source, "rb", closefd=False) as read:
                    while block := read.read(1 << 20):
                        out.write(block)
                    out.flush()
                    os.fsync(target)
                os.rename(part, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(OSError):
                    os.unlink(part, dir_fd=parent)
                raise
    except OSError as error:
        link = error.errno in (errno.ELOOP, errno.ENOTDIR)
        why = "a link or a file is in its way" if link else error.strerror or str(error)
        raise ReadOnly(f"cannot write {folder / path}", why) from None


@contextmanager
def _opened_folder(folder: Path, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
    """Yield a descriptor of the folder of a path, and the last part of it."""
    *above, name = path.split("/")
    # The folder itself is the user's choice: it may be reached through a link.
    number = os.open(folder, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for part in above:
            try:
                inner = os.open(part, _FOLDER, dir_fd=number)
            except FileNotFoundError:
                if not make:
                    raise
                os.mkdir(part, dir_fd=number)
                inner = os.open(part, _FOLDER, dir_fd=number)
            os.close(number)
            number = inner
        yield number, name
    finally:
        os.close(number)
