"""The file of a backup: a tar archive of which every byte follows from its manifest.

In: members. Out: bytes, and members again. The first member is manifest.json, the second
SHA256SUMS (for `sha256sum -c`, with the manifest's own sum), then those that the manifest lists, in
its order. There are plain files only, and a header is a function of name, size and whether the
file is a program. So a reader needs no trust: whatever is not exactly as it would have been written
is refused, be it in a header, the padding or behind the end.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from ..errors import Damaged
from .manifest import Manifest, Member, member_name, parse

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
LARGEST_MANIFEST = 256 << 20
_RECORD = 512
_END = bytes(2 * _RECORD)
_BLOCK = 1 << 20
_LONGEST_NAME = 100
_LARGEST_OCTAL = 8**11
_OCTAL = re.compile(rb"[0-7]{11}")
_HEADER, _LONG_NAME = b"0", b"L"

Progress = Callable[[int, int], None]


class Changed(Damaged):
    """A member is not what it was a moment ago: somebody writes it."""


class Sink(Protocol):
    """Takes the bytes of a member."""

    def write(self, data: bytes, /) -> object:
        """Take some of them."""


Opened = AbstractContextManager[Sink]


def header_of(name: str, size: int, executable: bool = False, kind: bytes = _HEADER) -> bytes:
    """Return the header of a member as GNU tar understands it: 512 bytes, more for a long name."""
    raw, before = member_name(name), b""
    if len(raw) > _LONGEST_NAME:
        told = raw + b"\0"
        before = header_of("././@LongLink", len(told), kind=_LONG_NAME) + _padded(told)
        raw = raw[:_LONGEST_NAME]
    fields = [
        raw.ljust(100, b"\0"),
        b"0000700\0" if executable else b"0000600\0",
        b"0000000\0" * 2,  # owner and group
        _number(size),
        b"00000000000\0",  # time
        b" " * 8,  # the sum of the header is made with spaces in its place
        kind,
        bytes(100),
        b"ustar  \0",
    ]
    header = b"".join(fields).ljust(_RECORD, b"\0")
    return before + header[:148] + b"%06o\0 " % sum(header) + header[156:]


def _number(size: int) -> bytes:
    if size < _LARGEST_OCTAL:
        return b"%011o\0" % size
    return b"\x80" + size.to_bytes(11, "big")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _RECORD)


def sums_of(manifest: bytes, members: Sequence[Member]) -> bytes:
    """Return SHA256SUMS as `sha256sum` writes it."""
    lines = [_sum_line(hashlib.sha256(manifest).hexdigest(), MANIFEST.encode())]
    return b"".join(lines + [_sum_line(one.sha256, member_name(one.path)) for one in members])


def _sum_line(digest: str, name: bytes) -> bytes:
    shown = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return b"%s%s  %s\n" % (b"\\" if shown != name else b"", digest.encode(), shown)


def size_of(manifest: bytes, members: Sequence[Member]) -> int:
    """Return how many bytes the whole file has."""
    sizes = [(MANIFEST, len(manifest)), (SUMS, len(sums_of(manifest, members)))]
    sizes += [(one.path, one.size) for one in members]
    return len(_END) + sum(len(header_of(name, n)) + n + -n % _RECORD for name, n in sizes)


def write(
    sink: Sink,
    manifest: bytes,
    members: Sequence[Member],
    contents: Iterable[Iterator[bytes]],
    progress: Progress | None = None,
) -> str:
    """Write a backup and return its SHA-256. Raises `Changed` if a member is not what was said."""
    total, done, whole = size_of(manifest, members), 0, hashlib.sha256()

    def put(data: bytes) -> None:
        nonlocal done
        sink.write(data)
        whole.update(data)
        done += len(data)
        if progress:
            progress(done, total)

    for name, data in ((MANIFEST, manifest), (SUMS, sums_of(manifest, members))):
        put(header_of(name, len(data)) + _padded(data))
    for member, blocks in zip(members, contents, strict=True):
        put(header_of(member.path, member.size, member.executable))
        digest, size = hashlib.sha256(), 0
        for block in blocks:
            digest.update(block)
            size += len(block)
            put(block)
        if size != member.size or digest.hexdigest() != member.sha256:
            raise Changed(f"{member.path} changed while it was backed up", "run it again")
        put(bytes(-size % _RECORD))
    put(_END)
    return whole.hexdigest()


def begins(head: bytes) -> bool:
    """Whether 512 bytes are the beginning of a backup."""
    return _manifest_size(head) is not None


def _manifest_size(head: bytes) -> int | None:
    size = _size_in(head)
    if size is None or size > LARGEST_MANIFEST or head != header_of(MANIFEST, size):
        return None
    return size


def _size_in(head: bytes) -> int | None:
    return int(head[124:135], 8) if _OCTAL.fullmatch(head[124:135]) else None


def read(
    file: BinaryIO,
    name: str,
    keep: Callable[[Manifest, Member], Opened | None] = lambda manifest, member: None,
    progress: Progress | None = None,
) -> Manifest:
    """Read a backup to its end and return its manifest; `keep` opens what takes a member.

    `name` is what errors call the file. Nothing that was kept counts before this returns.

    Raises:
        Damaged: a byte is not what it was, or not there, or there are more.
        UsageError: a newer version of the program has written it.
    """
    source = _Source(file, name)
    head = source.take(_RECORD)
    size = _manifest_size(head)
    if size is None:
        raise Damaged(f"{name} is no backup of git skillmesh, or damaged at its beginning")
    text = source.take(size)
    source.padding(size)
    # Whether it is whole comes before what it says, such as that it is of a newer version.
    sums = _read_sums(source, text)
    manifest = parse(text, name)
    if sums != sums_of(text, manifest.members):
        raise source.damaged(f"{SUMS} is not what was written")
    total = size_of(text, manifest.members)
    for member in manifest.members:
        source.expect(header_of(member.path, member.size, member.executable), member.path)
        _read_member(source, manifest, member, keep, progress, total)
        source.padding(member.size)
    source.expect(_END, "its end")
    if file.read(1):
        raise source.damaged("there is more behind its end")
    return manifest


def _read_sums(source: "_Source", manifest: bytes) -> bytes:
    """Return SHA256SUMS, whose first line is the sum of the manifest. Raises `Damaged`."""
    head = source.take(_RECORD)
    size = _size_in(head)
    if size is None or size > LARGEST_MANIFEST or head != header_of(SUMS, size):
        raise source.damaged(f"{SUMS} is not what was written")
    sums = source.take(size)
    source.padding(size)
    if not sums.startswith(sums_of(manifest, ())):
        raise source.damaged(f"{MANIFEST} is not what was written")
    return sums


def _read_member(
    source: "_Source",
    manifest: Manifest,
    member: Member,
    keep: Callable[[Manifest, Member], Opened | None],
    progress: Progress | None,
    total: int,
) -> None:
    digest, left, opened = hashlib.sha256(), member.size, keep(manifest, member)
    with opened or _Nowhere() as sink:
        while left:
            block = source.take(min(left, _BLOCK))
            left -= len(block)
            digest.update(block)
            sink.write(block)
            if progress:
                progress(source.at, total)
    if digest.hexdigest() != member.sha256:
        raise source.damaged(f"{member.path} is not what was written")


class _Nowhere:
    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def write(self, data: bytes, /) -> object:
        return len(data)


class _Source:
    """Bytes that have to be there."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self.at = 0

    def take(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            part = self._file.read(left)
            if not part:
                raise self.damaged(f"it ends after {self.at:,} bytes")
            parts.append(part)
            left -= len(part)
            self.at += len(part)
        return b"".join(parts)

    def expect(self, wanted: bytes, what: str) -> None:
        if self.take(len(wanted)) != wanted:
            raise self.damaged(f"{what} is not what was written")

    def padding(self, size: int) -> None:
        if self.take(-size % _RECORD).strip(b"\0"):
            raise self.damaged("there is something between its members")

    def damaged(self, what: str) -> Damaged:
        return Damaged(f"{self._name} cannot be used, {what}", "nothing was taken from it")
