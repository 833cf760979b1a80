"""Linux tells of changes to files: the few calls of inotify(7), by ctypes.

In: folders. Out: events. The kernel puts an event into the queue before the call that changed the
file returns, so whoever reads the queue until it is empty has heard of all that was done before.
That does not hold for libraries that read it in a thread of their own.
"""

import ctypes
import errno
import os
import struct
import sys
from typing import NamedTuple

# Constants of <sys/inotify.h>.
_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
OVERFLOW, IGNORED, IS_FOLDER = 0x4000, 0x8000, 0x40000000
_ONLY_FOLDERS, _NO_LINKS, _EXCLUDE_UNLINKED = 0x01000000, 0x02000000, 0x04000000
_WANTED = (
    _MODIFY | _ATTRIB | _CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE
    | DELETE_SELF | MOVE_SELF | _ONLY_FOLDERS | _NO_LINKS | _EXCLUDE_UNLINKED
)  # fmt: skip
_HEADER = struct.Struct("iIII")
_BUFFER = 1 << 16
# Kinds of file systems on which only this machine writes, from <linux/magic.h>: ext, XFS, Btrfs,
# tmpfs, ramfs, F2FS, ZFS, bcachefs, overlay.
_LOCAL = frozenset(
    {0xEF53, 0x58465342, 0x9123683E, 0x01021994, 0x858458F6, 0xF2F52010, 0x2FC12FC1, 0xCA451A4E,
     0x794C7630}
)  # fmt: skip


class Event(NamedTuple):
    """What happened (`mask`) to an entry (`name`) of the folder that is watched as `watch`."""

    watch: int
    mask: int
    name: bytes


class Unwatchable(Exception):
    """The kernel cannot tell of changes here."""


class Inotify:
    """One queue of events."""

    def __init__(self) -> None:
        """Raises `Unwatchable`."""
        if not sys.platform.startswith("linux"):
            raise Unwatchable("this system has no inotify")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._queue < 0:
            raise Unwatchable(os.strerror(ctypes.get_errno()))

    def watch(self, folder: bytes) -> int | None:
        """Watch a folder; None where there is none (any more). Raises `Unwatchable`."""
        number = int(self._libc.inotify_add_watch(self._queue, folder, ctypes.c_uint32(_WANTED)))
        if number >= 0:
            return number
        error = ctypes.get_errno()
        if error in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise Unwatchable(os.strerror(error))

    def events(self) -> list[Event]:
        """Return all events up to now."""
        found: list[Event] = []
        while True:
            try:
                data = os.read(self._queue, _BUFFER)
            except BlockingIOError:
                return found
            except InterruptedError:
                continue
            at = 0
            while at < len(data):
                watch, mask, _, length = _HEADER.unpack_from(data, at)
                at += _HEADER.size
                found.append(Event(watch, mask, data[at : at + length].rstrip(b"\0")))
                at += length

    def close(self) -> None:
        """Watch nothing any more."""
        if self._queue >= 0:
            os.close(self._queue)
            self._queue = -1


def only_written_here(folder: bytes) -> bool:
    """Whether no other machine writes to the file system of a folder, as far as one can tell."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(512)  # struct statfs begins with the kind, a long
    if libc.statfs(folder, room) != 0:
        return False
    return ctypes.c_long.from_buffer(room).value & 0xFFFFFFFF in _LOCAL
