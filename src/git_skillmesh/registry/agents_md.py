"""A section in a file that is somebody else's, such as AGENTS.md.

In: the file as bytes, and a section. Out: the file with the section in it, and without it again,
byte for byte as it was. The first of the two marks says what stands between it and the text before.
"""

import re

from ..errors import UsageError

_BEGIN = re.compile(rb"<!-- git-skillmesh skills: begin (new|0|1|2) -->")
_END = b"<!-- git-skillmesh skills: end -->"
_ANY = re.compile(rb"<!-- git-skillmesh skills: (begin|end)")


def merged(old: bytes | None, section: str) -> bytes:
    """Return a file with a section, in the place of an older one or at the end.

    `old` is None where there is no file. Raises `UsageError` for a file that cannot be changed.
    """
    text = section.strip("\n").encode("utf-8", "replace")
    if _ANY.search(text):
        raise ValueError("the section has a mark in it")
    if old is not None and b"\0" in old:
        raise UsageError("the file is not text")
    newline = (
        b"\r\n" if old and b"\r\n" in old and old.count(b"\n") == old.count(b"\r\n") else b"\n"
    )
    text = text.replace(b"\n", newline)
    found = _find(old or b"")
    if found is not None and old is not None:
        mark, start, end = found
        return old[:start] + _marked(mark, text, newline) + old[end:]
    if not old:
        return _marked(b"new" if old is None else b"0", text, newline) + newline
    gaps = 1 if old.endswith(newline) else 2
    return old + newline * gaps + _marked(b"%d" % gaps, text, newline) + newline


def without(old: bytes) -> bytes | None:
    """Return the file as it was before, None where there was none. Raises `UsageError`."""
    found = _find(old)
    if found is None:
        return old
    mark, start, end = found
    newline = b"\r\n" if old[end:].startswith(b"\r\n") else b"\n"
    if old[end:].startswith(newline):
        end += len(newline)
    before = old[:start]
    for _ in range(int(mark) if mark != b"new" else 0):
        before = (
            before.removesuffix(b"\n").removesuffix(b"\r")
            if newline != b"\n"
            else (before.removesuffix(b"\n"))
        )
    rest = before + old[end:]
    return None if mark == b"new" and not rest else rest


def _marked(mark: bytes, text: bytes, newline: bytes) -> bytes:
    return b"<!-- git-skillmesh skills: begin %s -->" % mark + newline + text + newline + _END


def _find(old: bytes) -> "tuple[bytes, int, int] | None":
    """Return what the first mark says, and where the section is with its marks."""
    if not _ANY.search(old):
        return None
    begin = list(_BEGIN.finditer(old))
    if len(begin) != 1 or old.count(_END) != 1 or old.index(_END) < begin[0].end():
        raise UsageError("the marks of git-skillmesh in it do not fit", "take them out by hand")
    return begin[0][1], begin[0].start(), old.index(_END) + len(_END)
