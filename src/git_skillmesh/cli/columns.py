"""Text in columns: as wide as it looks on a terminal.

In: text of any origin. Out: the same, made safe, cut, filled up or broken into lines to a width.
"""

import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

from .terminal import safe, safe_line

# Of a pipe, which has no width of its own.
_WIDTH_OF_A_PIPE = 160
_NARROWEST = 40
# A line is looked at up to here: nothing that is longer is text.
_LOOKED_AT = 4_000


def screen_width() -> int:
    """Return the columns of standard output."""
    if not sys.stdout.isatty():
        return _WIDTH_OF_A_PIPE
    import shutil  # slow to load, and no use in a pipe

    return max(shutil.get_terminal_size().columns, _NARROWEST)


def width_of(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    category = unicodedata.category(character)
    if category in ("Cf", "Me", "Mn"):
        return 0
    if category == "Cs":
        return 6  # half a surrogate pair is printed as \ud800
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def clip(text: str, width: int) -> str:
    """Return safe text of one line that is at most so wide; `…` stands for what is cut off."""
    if len(text) <= width and text.isascii() and text.isprintable():
        return text
    text = safe_line(text[: _LOOKED_AT + 1])
    if width_of(text) <= width and len(text) <= _LOOKED_AT:
        return text
    kept, used = [], 0
    for character in text[: 4 * width]:  # combining characters have no end of their own
        used += _width(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…" * (width > 0)


def fit(text: str, width: int) -> str:
    """Return safe text that is exactly so wide."""
    text = clip(text, width)
    return text + " " * (width - width_of(text))


def code_line(text: bytes, width: int) -> str:
    """Return a line of a file, tabs as spaces, at most so wide."""
    shown = text[:_LOOKED_AT].decode("utf-8", "replace").rstrip("\r").expandtabs(4)
    return clip(shown + " " * (len(text) > _LOOKED_AT), width).rstrip()


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield safe lines of a text, those that are too long broken between words."""
    for line in text.split("\n"):
        yield from _broken(safe(line).expandtabs(4), max(width, _NARROWEST // 2))


def _broken(line: str, width: int) -> Iterator[str]:
    if width_of(line) <= width:
        yield line.rstrip()
        return
    indent = len(line) - len(line.lstrip())
    hanging = " " * min(indent + (2 if line.lstrip()[:2] in ("- ", "* ", "+ ") else 0), width // 2)
    shown, used, first = "", 0, True
    for word in line.strip().split(" "):
        for piece in _pieces(word, width - len(hanging)):
            wide = width_of(piece)
            if shown and used + 1 + wide > width:
                yield shown
                shown, first = "", False
            if shown:
                shown, used = f"{shown} {piece}", used + 1 + wide
            else:
                shown = (line[:indent][: width // 2] if first else hanging) + piece
                used = width_of(shown)
    yield shown


def _pieces(word: str, width: int) -> Iterator[str]:
    """Yield a word, or the parts of one that is wider than a line."""
    if width_of(word) <= width:
        yield word
        return
    start, used = 0, 0
    for place, character in enumerate(word):
        wide = _width(character)
        if used + wide > width or place - start >= 4 * width:
            yield word[start:place]
            start, used = place, 0
        used += wide
    yield word[start:]


def local_time(iso: str) -> str:
    """Return a stored time as the user's clock had it, to the minute; "" without one."""
    try:
        when = datetime.fromisoformat(iso)
        return (
            (when if when.tzinfo else when.replace(tzinfo=UTC))
            .astimezone()
            .isoformat(" ", "minutes")[:16]
        )
    except (ValueError, OverflowError, OSError):
        return ""


def local_day(seconds: int) -> str:
    """Return the day of a commit as the user's calendar had it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "?"


def utc(seconds: int) -> str:
    """Return the time of a commit as stored times are written."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def lines_word(first: int, last: int) -> str:
    """Return a range of lines as it is typed."""
    return str(first) if first == last else f"{first}-{last}"
