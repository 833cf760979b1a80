"""Look up sessions and exchanges by their ids, many with one git process.

In: an open object database and the ref of the memory. Out: heads, numbers, prompts, exchanges, as
they are at the moment of opening. What is not there is None: links outlive what they point at.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from ..errors import Damaged
from ..git.database import ObjectDatabase
from ..git.treeobjects import Entries
from . import layout
from .layout import Head, Segment
from .model import Exchange
from .reading import exchange_in, segments_in, state_of

_TEXT = re.compile(rb'\{"exchange_id":("(?:[^"\\]|\\.)*"),"prompt":("(?:[^"\\]|\\.){0,4000})')
# Not in a text: there the quotes would be escaped.
_TIME = re.compile(rb',"(started|ended)":"([0-9TZ:.+-]{1,40})"')
_BROKEN_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")


class Lookup:
    """The memory under a ref, as long as the database is open."""

    def __init__(self, db: ObjectDatabase, ref: str = layout.REF) -> None:
        self._db = db
        tip = db.tip(ref)
        self._tree = tip.commit.tree if tip else None
        self._folders: dict[str, Entries] = {}
        self._files: dict[str, Entries] = {}
        self._segments: dict[str, dict[str, list[Segment]]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever stored."""
        return self._tree is None

    def has(self, session: str) -> bool:
        """Return whether there is anything of a session, be it readable or not."""
        return bool(self._folder(session))

    def head(self, session: str) -> Head | None:
        """Return the head of a session, None if it is not there or cannot be read."""
        entry = self._folder(session).get(layout.HEAD)
        return layout.parse_head(self._db.reader.read(entry.oid)) if entry else None

    def is_forgotten(self, session: str) -> bool:
        """Return whether a session was forgotten."""
        path = layout.tombstone_path(layout.key_of(session))
        return self._db.trees.at(self._tree, path) is not None

    def number(self, session: str, exchange: str) -> int:
        """Return which exchange of its session this is, from 1; 0 if it is not there."""
        segments = self._of(session).get(layout.exchange_key(exchange))
        return segments[0].number if segments else 0

    def is_alone(self, session: str, number: int) -> bool:
        """Whether a number means one exchange; two clones, or two sources, may use it twice."""
        return sum(segments[0].number == number for segments in self._of(session).values()) == 1

    def count(self, session: str) -> int:
        """Return how many exchanges a session has."""
        return len(self._of(session))

    def exchange(self, session: str, exchange: str) -> Exchange | None:
        """Return an exchange. Raises `Damaged`."""
        segments = self._of(session).get(layout.exchange_key(exchange))
        if not segments:
            return None
        return exchange_in(state_of(self._db, segments, self._names(session)))

    def exchanges(self, session: str, skip: int = 0) -> Iterator[tuple[int, Exchange | Damaged]]:
        """Yield number and exchange of a session in order; what cannot be read as its error.

        The first `skip` of them are left out.
        """
        groups = sorted(self._of(session).values())
        for number, same in groupby(groups, key=lambda segments: segments[0].number):
            # Two clones may have gone on from the same place, see reading.py.
            both = list(same)
            if len(both) <= skip:
                skip -= len(both)
                continue
            found = [(number, self._read(session, segments)) for segments in both]
            yield from sorted(found, key=_moment)[skip:]
            skip = 0

    def _read(self, session: str, segments: list[Segment]) -> Exchange | Damaged:
        try:
            return exchange_in(state_of(self._db, segments, self._names(session)))
        except Damaged as error:
            return error

    def opening(self, session: str, exchange: str) -> str:
        """Return how the prompt of an exchange begins."""
        names = self._names(session)
        segments = self._of(session).get(layout.exchange_key(exchange), [])
        found = self._db.reader.read_many(names[segment.name].oid for segment in segments)
        return beginning_of(first_of(list(found)))[1]

    def beginnings(self, session: str) -> Iterator[tuple[int, str, str]]:
        """Yield number, id and the beginning of the prompt of each exchange of a session."""
        names = self._names(session)
        listed = list(self._of(session).values())
        oids = [names[segment.name].oid for segments in listed for segment in segments]
        data = iter(self._db.reader.read_many(oids))
        for segments in listed:
            exchange, prompt = beginning_of(first_of([next(data) for _ in segments]))
            if exchange:
                yield segments[0].number, exchange, prompt

    def _folder(self, session: str) -> Entries:
        if session not in self._folders:
            path = layout.session_path(layout.key_of(session))
            self._folders[session] = self._db.trees.folder(self._tree, path)
        return self._folders[session]

    def _names(self, session: str) -> Entries:
        if session not in self._files:
            listed = self._folder(session).get(layout.EXCHANGES)
            self._files[session] = self._db.trees.entries(listed.oid) if listed else {}
        return self._files[session]

    def _of(self, session: str) -> dict[str, list[Segment]]:
        if session not in self._segments:
            self._segments[session] = segments_in(self._names(session))
        return self._segments[session]


def _moment(found: tuple[int, Exchange | Damaged]) -> tuple[str, str]:
    _, one = found
    return (one.started, one.exchange_id) if isinstance(one, Exchange) else ("", "")


def time_in(data: bytes) -> str:
    """Return when the exchange was that a segment begins with, "" if it does not say."""
    times = {
        str(name.decode()): str(time.decode())
        for name, time in _TIME.findall(data.partition(b"\n")[0])
    }
    return times.get("started") or times.get("ended", "")


def first_of(segments: Iterable[bytes | None]) -> bytes:
    """Return which of the segments of an exchange tells how it begins, "" if none does.

    Their names are hashes: what was added to it later may well come first.
    """
    return next((data for data in segments if data and beginning_of(data)[0]), b"")


def beginning_of(data: bytes | None) -> tuple[str, str]:
    """Return the id of the exchange that a segment begins with, and how its prompt begins.

    Both are "" for a segment that only adds to an earlier one. Only the beginning is looked at: a
    segment may be megabytes long.
    """
    found = _TEXT.match(data or b"")
    if not found:
        return "", ""
    prompt = found[2].decode("utf-8", "ignore")
    try:
        return json.loads(found[1]), json.loads(_BROKEN_ESCAPE.sub("", prompt) + '"')
    except ValueError:
        return json.loads(found[1]), ""
