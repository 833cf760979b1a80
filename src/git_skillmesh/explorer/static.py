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
        if path.is_file() and path.suffix in _TYPES and not path.is_symlink():
            name = path.relative_to(folder).as_posix()
            found[name] = Asset(path.read_bytes(), _TYPES[path.suffix])
    return found
