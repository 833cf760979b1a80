"""Keys: ids and paths as names that are safe in addresses and in files.

In: an id or a path, whatever bytes it has. Out: ASCII. A key is looked up among the keys of what
there is, and never made into a path. Two ids have the same key only if their cut ends have the same
sha256.
"""

import hashlib
import os
import re
from collections.abc import Iterable

# A segment that is longer is cut, and gets a hash.
LONGEST = 150
ROOT = "_root"
_DIGITS = 16
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_ESCAPED = re.compile(r"~([0-9a-f]{2})")
_VALID = re.compile(r"(?:[A-Za-z0-9._-]|~[0-9a-f]{2})+")
_MANY = 4_096


def key_of_id(text: str) -> str:
    """Return the key of an id: one segment."""
    return _segment(text.encode("utf-8", "surrogatepass"))


def key_of_path(path: str) -> str:
    """Return the key of a path, segment by segment; that of the top folder is `_root`."""
    if not path:
        return ROOT
    key = "/".join(map(_segment, os.fsencode(path).split(b"/")))
    # A file of the name of the top folder's key.
    return f"~5f{key[1:]}" if key == ROOT else key


def key_of_exchange(session: str, exchange: str) -> str:
    """Return the key of an exchange, whose id is its own in its session only."""
    return key_of_id(f"{session}/{exchange}")


def is_key(text: str) -> bool:
    """Return whether a text may be a key."""
    return len(text) <= _MANY and all(_VALID.fullmatch(part) for part in text.split("/"))


def text_of(key: str) -> str | None:
    """Return the id that a key was made of, None if it was cut or is no key."""
    try:
        data = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), key).encode("latin-1")
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeError:
        return None
    return text if key_of_id(text) == key else None


def keyed(paths: Iterable[str]) -> dict[str, str]:
    """Return key → path."""
    return {key_of_path(path): path for path in paths}


def _segment(data: bytes) -> str:
    text = "".join(chr(byte) if byte in _PLAIN else f"~{byte:02x}" for byte in data)
    if text in (".", ".."):
        text = f"~2e{text[1:]}"
    if len(text) <= LONGEST:
        return text
    kept = text[:LONGEST]
    kept = kept[: kept.rindex("~")] if "~" in kept[-2:] else kept
    return f"{kept}~{hashlib.sha256(data).hexdigest()[:_DIGITS]}"
