"""The built page: its files, from a list that is made once.

In: nothing. Out: name → bytes and type. A request can name one of these and nothing else.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGE = "index.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    "NOTICE": "text/plain; charset=utf-8",
}


class Asset(NamedTuple):
    """A file of the page."""

    data: bytes
    kind: str


@cache
def assets() -> dict[str, Asset]:
    """Return the files of the page by name."""
    folder = Path(__file__).parent / "page"
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = _TYPES.get(path.suffix) or _TYPES.get(path.name)
        if kind and path.is_file() and not path.is_symlink():
            found[path.relative_to(folder).as_posix()] = Asset(path.read_bytes(), kind)
    return found
