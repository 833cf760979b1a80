"""Text of any origin as people see it: harmless, in colour, and as wide as it looks.

In: text. Out: text that a terminal shows and does not obey, cut, filled up or broken into lines to
a width. It knows of no stream: that is `cli.terminal` and `cli.columns`.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping

# A line is looked at up to here: nothing that is longer is text.
_LOOKED_AT = 4_000
# A rule of thumb: English and code have between 3 and 4.5 bytes a token with today's tokenizers.
BYTES_PER_TOKEN = 3.5
# Columns that text is broken into at least.
_NARROWEST = 20
# C0 and C1 controls, and the characters that reorder text (CVE-2021-42574).
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)

# What encloses retrieved text, and what could be taken for it.
_TAG = "retrieved"
_CLOSES = re.compile(rf"<(?=\s*/?\s*{_TAG}\b)", re.IGNORECASE)
_LONGEST_ATTRIBUTE = 200


def safe(text: str) -> str:
    """Return text with control characters made visible; tabs and line feeds stay."""
    return _CONTROLS.sub(_visible, text)


def _visible(match: "re.Match[str]") -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def safe_line(text: str) -> str:
    """Return `safe` text that stays on one line, for paths and names."""
    return safe(text).replace("\n", "\u240a").replace("\t", "\u2409")


class Style:
    """ANSI styles, or nothing where colour is off."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.enabled else text

    def tint(self, number: int, text: str) -> str:
        """One of six colours, to tell neighbours apart."""
        return self._wrap(str((36, 33, 35, 32, 34, 31)[number % 6]), text)

    def bold(self, text: str) -> str:
        """Names."""
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        """Asides."""
        return self._wrap("2", text)

    def path(self, text: str) -> str:
        """Places in files."""
        return self._wrap("36", text)

    def match(self, text: str) -> str:
        """Matched words."""
        return self._wrap("1;33", text)

    def good(self, text: str) -> str:
        """What is in order."""
        return self._wrap("32", text)

    def bad(self, text: str) -> str:
        """What is not."""
        return self._wrap("31", text)


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


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield safe lines of a text, those that are too long broken between words."""
    for line in text.split("\n"):
        yield from _broken(safe(line).expandtabs(4), max(width, _NARROWEST))


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


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def bytes_word(number: float) -> str:
    """Return a size as people read it: 999 B, 1.0 kB, 2.3 MB."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"


def lines_word(first: int, last: int) -> str:
    """Return a range of lines as it is typed."""
    return str(first) if first == last else f"{first}-{last}"


def tokens(text: str) -> int:
    """Estimate how many tokens a text has: a token for 3.5 bytes of UTF-8."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def quoted(text: str, source: str, about: Mapping[str, str] | None = None) -> str:
    """Return retrieved text as data: `source` says where it is from, `about` what is known of it.

    A reader is told beforehand that nothing between these tags is an order.
    """
    names = {"from": source, **(about or {})}
    shown = " ".join(f'{name}="{_attribute(value)}"' for name, value in names.items() if value)
    return f"<{_TAG} {shown}>\n{escaped(text).rstrip()}\n</{_TAG}>"


def escaped(text: str) -> str:
    """Return text that cannot end a block of `quoted`, nor begin one."""
    return _CLOSES.sub("&lt;", safe(writable(text)))


def writable(text: str) -> str:
    """Return text that JSON can carry: bytes of a path that are no text become visible."""
    return text.encode("utf-8", "backslashreplace").decode()


def _attribute(value: str) -> str:
    shown = clip(writable(value), _LONGEST_ATTRIBUTE)
    return shown.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
