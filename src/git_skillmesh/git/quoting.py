"""Paths as git writes them in patches and blame: quoted where they hold odd bytes.

In: what git wrote. Out: the path's bytes.
"""

import re

_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}


def unquoted(text: bytes) -> bytes:
    """Return a path that git has quoted, with C escapes between double quotes, or left bare."""
    if not (text.startswith(b'"') and text.endswith(b'"') and len(text) > 1):
        return text
    return _ESCAPE.sub(_plain, text[1:-1])


def _plain(escape: "re.Match[bytes]") -> bytes:
    code = escape[1]
    return bytes([int(code, 8) & 255]) if len(code) == 3 else _LETTERS.get(code, code)
