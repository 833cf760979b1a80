"""A file of HEAD: its lines, and for each where it comes from.

In: a reading, the key of a file. Out: `File`. Blame has a bounded time: what it has not told by
then is shown without an origin, and the next question has more.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ...chunking import language_of
from ...gate.scope import applying_to
from ...git.commitlog import Headline
from ...learnings.model import Learning
from ...learnings.sources import Sources
from ...sessions.answering import Line, attribute
from ..learned import sources_of
from ..parts import commits, files
from ..stores import Reading
from .learned import refs
from .refs import Document, commit_ref, exchange_refs, file_ref

_SECONDS = 2.0
_MOST_BYTES = 4_000_000
_MOST_LINES = 30_000
_LONGEST_LINE = 5_000
_LOOK = 8_000


def file(reading: Reading, key: str) -> Document | None:
    """Return a file, None if HEAD has none of this key."""
    listed, head = files(reading), reading.state.head
    path = listed.by_key.get(key)
    if path is None or head is None:
        return None
    data = reading.db.reader.read(listed.blobs[path])
    binary = data is None or b"\0" in data[:_LOOK]
    texts = [] if binary or data is None else _lines(data)
    shown = texts[:_MOST_LINES]
    why = None
    lines: Sequence[Line] = ()
    if data is None:
        why = "this clone lacks the contents: git fetch --refetch --no-filter"
    elif shown:
        blaming = reading.stores.blames.of(head, path, _SECONDS * reading.patience)
        lines = attribute(reading.db, [one for one in blaming.lines() if one.number <= len(shown)])
        if not blaming.done:
            why = "git blame is taking long and goes on: ask again in a moment"
        elif blaming.failed:
            why = "git blame failed: git fsck, and look at blame.ignoreRevsFile"
    if why is None and (len(texts) > len(shown) or (data and len(data) > _MOST_BYTES)):
        why = f"only the first {len(shown):,} lines are shown"
    return {
        "file": file_ref(path),
        "language": language_of(path, (data or b"")[:_LOOK]) or None,
        "commit": _newest(reading, lines),
        "lines": shown,
        "total_lines": len(texts),
        "origins": list(_origins(reading, lines, len(shown))),
        "complete": why is None,
        "why_incomplete": why,
        "binary": binary,
        "learnings": refs(_applying(path, sources_of(reading))),
    }


def _lines(data: bytes) -> list[str]:
    text = data[:_MOST_BYTES].decode("utf-8", "replace")
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.removesuffix("\r")[:_LONGEST_LINE] for line in lines]


def _newest(reading: Reading, lines: Sequence[Line]) -> Document | None:
    """Return the newest commit that has lines in the file."""
    found = {line.blamed.commit.oid: line.blamed.commit for line in lines}
    newest = max(found.values(), key=lambda one: (one.time, one.oid), default=None)
    return _commit(reading, newest.oid) or commit_ref(newest) if newest else None


def _commit(reading: Reading, oid: str) -> Document | None:
    known: Headline | None = commits(reading).by_id.get(oid)
    return commit_ref(known) if known else None


def _origins(reading: Reading, lines: Sequence[Line], count: int) -> Iterator[Document]:
    """Yield runs of lines of the same origin, those that nobody has told of included."""
    by_number = {line.blamed.number: line for line in lines}

    def key(number: int) -> tuple[str, str, str, float]:
        line = by_number.get(number)
        if line is None:
            return ("", "", "", 0.0)
        link = line.link
        told = (link.session, link.exchange, round(link.confidence, 3)) if link else ("", "", 0.0)
        return (line.blamed.commit.oid, *told)

    named = exchange_refs(
        reading, ((one.link.session, one.link.exchange) for one in lines if one.link)
    )
    for (oid, session, exchange, sure), same in groupby(range(1, count + 1), key):
        numbers = list(same)
        pair = (session, exchange)
        line = by_number.get(numbers[0])
        yield {
            "start": numbers[0],
            "end": numbers[-1],
            "commit": (_commit(reading, oid) or commit_ref(line.blamed.commit)) if line else None,
            "exchange": named.get(pair),
            "confidence": sure if session else None,
        }


def _applying(path: str, sources: Sources) -> list[Learning]:
    return applying_to(path, sources.all()) if sources else []
