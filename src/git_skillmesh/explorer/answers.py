"""From the path of a document to the document: the one list of what may be asked.

In: a path as `exchange/KEY`. Out: the document as plain data, harmless: control characters are made
visible, and nothing is there that UTF-8 cannot hold. A key that names nothing has no answer; no key
becomes a path.
"""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast

from ..display import safe, writable
from .data.refs import Document
from .keys import is_key
from .stores import Reading

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_LINE_END = re.compile(r"\r\n?")

# Kind of document → the view that makes it, `MODULE.FUNCTION` of `data`. A view is imported when
# it is asked for first: all of them are most of what the first answer would wait for.
ALONE = {"overview": "overview.overview", "learnings": "learnings.learnings"}
BY_NUMBER = {"timeline": "timeline.timeline", "sessions": "sessions.page_of_sessions"}
BY_KEY = {
    "session": "session.session",
    "exchange": "exchange.exchange",
    "file": "file.file",
    "commit": "commit.commit",
    "map": "area.area",
    "learning": "learnings.learning",
}
_SEARCH = "search.search"


def answer(reading: Reading, path: str, asked: Mapping[str, str] | None = None) -> Document | None:
    """Return the document at a path, None if there is none. Raises `SkillmeshError`.

    `asked` are the parameters of its address.
    """
    kind, _, key = path.partition("/")
    document = None
    if path == "search":
        document = _view(_SEARCH)(reading, (asked or {}).get("q", ""))
    elif path in ALONE:
        document = _view(ALONE[path])(reading)
    elif kind in BY_NUMBER and _NUMBER.fullmatch(key):
        document = _view(BY_NUMBER[kind])(reading, int(key))
    elif kind in BY_KEY and is_key(key):
        document = _view(BY_KEY[kind])(reading, key)
    return None if document is None else harmless(document)


def import_views() -> None:
    """Import all views, so that whoever asks for one later need not wait for that."""
    for name in (*ALONE.values(), *BY_NUMBER.values(), *BY_KEY.values(), _SEARCH):
        _view(name)


def _view(name: str) -> Callable[..., Document | None]:
    module, _, function = name.partition(".")
    found = getattr(import_module(f".data.{module}", __package__), function)
    return cast("Callable[..., Document | None]", found)


def harmless(value: Any) -> Any:
    """Return data in which no text has control characters or what UTF-8 cannot hold."""
    if isinstance(value, str):
        if value.isascii() and value.isprintable():
            return value
        return safe(writable(_LINE_END.sub("\n", value)))
    if isinstance(value, dict):
        return {name: harmless(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [harmless(one) for one in value]
    return value
