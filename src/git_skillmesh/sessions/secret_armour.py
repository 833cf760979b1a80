"""Private keys in armour: PEM, OpenPGP, PuTTY, in files, in strings, in diffs and listings.

In: bytes and the place of the first line. Out: the body, piece by piece where quotes divide it.
"""

import re
from collections.abc import Iterator

from .secret_model import Span

_LONGEST_KEY = 32 * 1024
PEM = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
# What quotes, numbers or marks the lines of a key; the quantifiers never give back.
_MARGIN = (
    rb"(?:\s|\\+[nrt]|\\*[\"'`]|[,+>|#*<(\[]|\xe2\x86\x92|<br ?/?>"
    rb"|[0-9]{1,6}(?=[ \t|:]|\xe2\x86\x92))*+"
)
_BEGINS = re.compile(_MARGIN + rb"(?:(?:[A-Za-z0-9+/=]|\\+/){20}|[A-Z][A-Za-z-]{2,20}: )")
_UNCLOSED = re.compile(
    rb"(?:" + _MARGIN + rb"(?:[A-Za-z0-9+/=]|\\/){20,}+"
    rb"|" + _MARGIN + rb"[A-Z][A-Za-z-]{2,20}: [^\n\\]{1,80})*+"
)  # fmt: skip
_NOTHING = re.compile(rb"[.\sx*\\nr\xe2\x80\xa6]*")
# An escape is taken first, so that its letter never counts as the first of a piece.
_PIECES = re.compile(
    rb"\\+(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[a-zA-Z\"'/])?|([A-Za-z0-9+/=]{4,}(?:\\/[A-Za-z0-9+/=]*)*)"
)
# What no armour holds: then its end belongs to another string of the document.
_KEY_OF_JSON = re.compile(rb"[\"']\s*:")
# What stands in JSON without quotes.
_LITERAL = re.compile(rb"null|true|false|[0-9]+")
_EDGE = re.compile(rb"(?:\s|\\+[nrt])+")
_LINES = re.compile(rb"(?:\s|\\+[nr])+((?:[A-Za-z0-9+/=]{1,80}(?:\r?\n|\\+[nr])*)+)")
PUTTY = r"Private-Lines: [0-9]{1,3}"


def pem(data: bytes, start: int, end: int) -> Iterator[Span]:
    """The body goes, the first and the last line stay, and so does what quotes the lines."""
    if _BEGINS.match(data, end, end + 400) is None:
        return  # prose about keys
    close = data.find(b"-----END", end, end + _LONGEST_KEY)
    again = data.find(b"-----BEGIN", end, close if close >= 0 else end + _LONGEST_KEY)
    until = min((place for place in (again, close) if place >= 0), default=end + _LONGEST_KEY)
    if again >= 0 or close < 0 or _KEY_OF_JSON.search(data, end, until):
        # Without an end of its own it goes no further than what looks like a key.
        body = _UNCLOSED.match(data, end, until)
        close = body.end() if body else end
    text = data[end:close]
    found = [piece for piece in _PIECES.finditer(text) if piece[1]]
    pieces = [piece for piece in found if not _LITERAL.fullmatch(piece[1])]
    longest = max((len(piece[1]) for piece in pieces), default=0)
    if longest < 16 or (b"REDACTED_" in text and longest < 24):
        return  # redacted before
    if b'"' in text or b"'" in text or b"`" in text or b"<" in text:
        if longest >= 32:
            yield from ((end + piece.start(), end + piece.end()) for piece in pieces)
        return
    head = _EDGE.match(text)
    first = head.end() if head else 0
    last = len(text)
    while last > first and (text[last - 1 : last].isspace() or _escape_ends(text, last)):
        last -= 2 if _escape_ends(text, last) else 1
    while last > first and text[last - 1 : last] == b"\\":
        last -= 1
    if last - first >= 16 and not _NOTHING.fullmatch(text, first, last):
        yield end + first, end + last


def _escape_ends(text: bytes, end: int) -> bool:
    return text[end - 1 : end] in (b"n", b"r", b"t") and text[end - 2 : end - 1] == b"\\"


def putty(data: bytes, start: int, end: int) -> Iterator[Span]:
    """The lines of the private part go."""
    body = _LINES.match(data, end, end + _LONGEST_KEY)
    if body is None:
        return
    text = re.split(rb"(?:\r?\n|\\+[nr])+Private|(?:\r?\n|\\+[nr]|\s)*\Z", body[1])[0]
    if len(text) >= 16:
        yield body.start(1), body.start(1) + len(text)
