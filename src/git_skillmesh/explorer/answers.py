"""From the path of a document to the document: the one list of what may be asked.

In: a path as `exchange/KEY`. Out: the document as plain data, harmless: control characters are made
visible, and nothing is there that UTF-8 cannot hold. A key that names nothing has no answer; no key
becomes a path.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..display import safe, writable
from .data.area import area
from .data.commit import commit
from .data.exchange import exchange
from .data.file import file
from .data.learnings import learning, learnings
from .data.overview import overview
from .data.refs import Document
from .data.search import search
from .data.session import session
from .data.sessions import page_of_sessions
from .data.timeline import timeline
from .keys import is_key
from .stores import Reading

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_LINE_END = re.compile(r"\r\n?")

Answer = Callable[[Reading, str], Document | None]


def _numbered(answer: Callable[[Reading, int], Document | None]) -> Answer:
    def asked(reading: Reading, text: str) -> Document | None:
        return answer(reading, int(text)) if _NUMBER.fullmatch(text) else None

    return asked


ALONE: dict[str, Callable[[Reading], Document]] = {
    "overview": overview,
    "learnings": learnings,
}
BY_KEY: dict[str, Answer] = {
    "timeline": _numbered(timeline),
    "sessions": _numbered(page_of_sessions),
    "session": session,
    "exchange": exchange,
    "file": file,
    "commit": commit,
    "map": area,
    "learning": learning,
}


def answer(reading: Reading, path: str, asked: Mapping[str, str] | None = None) -> Document | None:
    """Return the document at a path, None if there is none. Raises `SkillmeshError`.

    `asked` are the parameters of its address.
    """
    kind, _, key = path.partition("/")
    document = None
    if path == "search":
        document = search(reading, (asked or {}).get("q", ""))
    elif not key and kind in ALONE and path == kind:
        document = ALONE[kind](reading)
    elif kind in BY_KEY and is_key(key):
        document = BY_KEY[kind](reading, key)
    return None if document is None else harmless(document)


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
