"""Write objects: whatever is put together goes to git as one pack, in one process.

In: kinds and bytes. Out: object ids. Nothing refers to the objects before a ref is moved to a
commit of them (refs.py), so a process that dies on the way leaves nothing but garbage for git gc.
"""

import hashlib
import struct
import zlib

from ..errors import ReadOnly
from .process import GitFailed
from .repository import Repository

_KINDS = {"commit": 1, "tree": 2, "blob": 3}
# As git fetch does: few objects become loose ones, many a pack. A pack for every small write
# would soon make each look-up slow.
_LOOSE_UP_TO = 100
# What is held in memory before it is handed over.
_FLUSH_BYTES = 16_000_000
# Transcripts get 18 % larger than at zlib's default, in a third of the time. git writes loose
# objects at this level too, and packs them better when it packs them.
_LEVEL = 1
# What git says when it cannot write, in the C locale (process.py).
_UNWRITABLE = (
    "Read-only file system", "Permission denied", "No space left", "insufficient permission",
    "Disk quota exceeded", "failed to write new configuration file",
)  # fmt: skip


class ObjectWriter:
    """Collects objects and hands them to git. Call `flush` before anything may refer to them."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._known: set[str] = set()
        self._entries: list[bytes] = []
        self._size = 0

    def put(self, kind: str, data: bytes) -> str:
        """Take an object and return its id. Raises `ReadOnly`, `GitFailed`."""
        digest = hashlib.new(
            self._repository.object_format, b"%s %d\0" % (kind.encode(), len(data))
        )
        digest.update(data)
        oid = digest.hexdigest()
        if oid not in self._known:
            self._known.add(oid)
            entry = _entry_header(_KINDS[kind], len(data)) + zlib.compress(data, _LEVEL)
            self._entries.append(entry)
            self._size += len(entry)
            if self._size > _FLUSH_BYTES:
                self.flush()
        return oid

    def discard(self) -> None:
        """Forget what was put and not stored yet."""
        self._entries, self._size = [], 0
        self._known.clear()

    def flush(self) -> None:
        """Make git store everything that was put. Raises `ReadOnly`, `GitFailed`."""
        if not self._entries:
            return
        few = len(self._entries) <= _LOOSE_UP_TO
        parts = [b"PACK" + struct.pack(">II", 2, len(self._entries)), *self._entries]
        self._entries, self._size = [], 0
        checksum = hashlib.new(self._repository.object_format)
        for part in parts:
            checksum.update(part)
        pack = b"".join((*parts, checksum.digest()))
        del parts  # the pack is in memory once, not twice, while git reads it
        command = ("unpack-objects", "-q") if few else ("index-pack", "--stdin")
        try:
            self._repository.git.run(*command, stdin=pack)
        except GitFailed as error:
            raise unwritable(error) or error from None


def unwritable(error: GitFailed) -> ReadOnly | None:
    """Return what to raise instead if git could not write, None if it failed otherwise."""
    for line in error.stderr.splitlines():
        if any(sign in line for sign in _UNWRITABLE):
            return ReadOnly("git cannot write to the repository", line.partition(": ")[2] or line)
    return None


def _entry_header(kind: int, size: int) -> bytes:
    """Return the type and size of an entry of a pack (gitformat-pack(5))."""
    byte, size = kind << 4 | size & 15, size >> 4
    header = bytearray()
    while size:
        header.append(byte | 128)
        byte, size = size & 127, size >> 7
    header.append(byte)
    return bytes(header)
