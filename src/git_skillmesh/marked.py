"""A section between two marks in a file that is somebody else's, such as AGENTS.md.

In: the file as bytes, and a section. Out: the file with the section in it, and without it again,
byte for byte as it was. The first mark says what stands between it and the text before, and, where
that is asked for, a sum of the section, by which a section that somebody has edited is known.
"""

import hashlib
import re
from dataclasses import dataclass

from .errors import UsageError


@dataclass(frozen=True, slots=True)
class Section:
    """A section as it stands: with its marks from `start` to before `end`."""

    gap: bytes
    sum: str
    start: int
    end: int
    text: bytes

    @property
    def edited(self) -> bool:
        """Whether it is not what was written, as far as the first mark can tell."""
        return bool(self.sum) and self.sum != _sum(self.text)


@dataclass(frozen=True, slots=True)
class Marks:
    """The two marks of one kind of section. `summed` puts a sum of the section into the first."""

    name: str
    opening: str = "<!-- "
    closing: str = " -->"
    summed: bool = False

    def merged(self, old: bytes | None, section: str) -> bytes:
        """Return a file with a section, in the place of an older one or at the end.

        `old` is None where there is no file. Raises `UsageError` for a file that cannot be changed.
        """
        text = section.strip("\n").encode("utf-8", "replace")
        if self._any.search(text):
            raise ValueError("the section has a mark in it")
        if old is not None and b"\0" in old:
            raise UsageError("the file is not text")
        newline = (
            b"\r\n" if old and b"\r\n" in old and old.count(b"\n") == old.count(b"\r\n") else b"\n"
        )
        text = text.replace(b"\n", newline)
        found = self.find(old or b"")
        if found is not None and old is not None:
            return old[: found.start] + self._marked(found.gap, text, newline) + old[found.end :]
        if not old:
            return self._marked(b"new" if old is None else b"0", text, newline) + newline
        gaps = 1 if old.endswith(newline) else 2
        return old + newline * gaps + self._marked(b"%d" % gaps, text, newline) + newline

    def without(self, old: bytes) -> bytes | None:
        """Return the file as it was before, None where there was none. Raises `UsageError`."""
        found = self.find(old)
        if found is None:
            return old
        end = found.end
        newline = b"\r\n" if old[end:].startswith(b"\r\n") else b"\n"
        if old[end:].startswith(newline):
            end += len(newline)
        before = old[: found.start]
        for _ in range(int(found.gap) if found.gap != b"new" else 0):
            before = before.removesuffix(b"\n")
            if newline != b"\n":
                before = before.removesuffix(b"\r")
        after = old[end:]
        runs_on = not before.endswith(b"\n") and not after.startswith((b"\n", b"\r\n"))
        if before and after and runs_on:
            before += newline  # what others wrote below does not run into what stood above
        rest = before + after
        return None if found.gap == b"new" and not rest else rest

    def find(self, old: bytes) -> Section | None:
        """Return the section in a file, None if there is none. Raises `UsageError`."""
        if not self._any.search(old):
            return None
        begin = list(self._begin.finditer(old))
        if len(begin) != 1 or old.count(self._end) != 1 or old.index(self._end) < begin[0].end():
            raise UsageError("the marks of git-skillmesh in it do not fit", "take them out by hand")
        last = old.index(self._end)
        text = old[begin[0].end() : last]
        said = (begin[0][2] or b"").decode()
        return Section(begin[0][1], said, begin[0].start(), last + len(self._end), text)

    def _marked(self, gap: bytes, text: bytes, newline: bytes) -> bytes:
        said = b" " + _sum(text).encode() if self.summed else b""
        begin = self._around(b"begin " + gap + said)
        return begin + newline + text + newline + self._end

    def _around(self, said: bytes) -> bytes:
        return f"{self.opening}{self.name}: ".encode() + said + self.closing.encode()

    @property
    def _end(self) -> bytes:
        return self._around(b"end")

    @property
    def _begin(self) -> "re.Pattern[bytes]":
        marks = (self.opening + self.name, self.closing)
        opening, closing = (re.escape(mark.encode()) for mark in marks)
        return re.compile(opening + rb": begin (new|0|1|2)(?: ([0-9a-f]{8}))?" + closing)

    @property
    def _any(self) -> "re.Pattern[bytes]":
        return re.compile(re.escape(f"{self.opening}{self.name}: ".encode()) + b"(begin|end)")


def _sum(text: bytes) -> str:
    """Return a sum of a section, whatever its line ends."""
    return hashlib.sha256(text.replace(b"\r\n", b"\n").strip(b"\n")).hexdigest()[:8]
