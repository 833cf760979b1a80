"""Where everything lies in the tree of `refs/skillmesh/memory`, and what session.json says.

In: ids and contents. Out: names and paths. docs/memory.md shows the same to people. Every name is
either made of the content or of the id of what it holds, so the union of two trees is a tree that
holds what both hold.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .model import Session

REF = "refs/skillmesh/memory"
SCHEMA = 1
SESSIONS, THOUGHTS, FORGOTTEN = "sessions", "thoughts", "forgotten"
HEAD, EXCHANGES, EVENTS = "session.json", "exchanges", "events"
# What a tombstone holds: nothing that differs, so that two of the same session are one.
TOMBSTONE = b'{"schema": 1}\n'

_THOUGHT = re.compile(r"(\d{4,7})-([0-9a-f]{16})-[0-9a-f]{16}\.json")
_SEGMENT = re.compile(r"(\d{4,})-([0-9a-f]{16})-[0-9a-f]{16}\.jsonl")
_TEXTS = ("session_id", "agent", "title", "directory", "branch", "parent", "source")
_STRINGS = (*_TEXTS, "started", "ended")


def key_of(session_id: str) -> str:
    """Return the name of a session's folder: ids may hold anything, and this one spreads evenly."""
    return _hash(session_id.encode("utf-8", "surrogatepass"), 32)


def is_key(name: str) -> bool:
    """Return whether a name may be that of a session's folder."""
    return re.fullmatch(r"[0-9a-f]{32}", name) is not None


def session_path(key: str) -> str:
    """Return the folder of a session: 16 times 16 folders keep every tree on the way short."""
    return f"{SESSIONS}/{key[0]}/{key[1]}/{key}"


def thinking_key(session_id: str) -> str:
    """Return the name of the folder of a session of thoughts.

    A conversation may have the same id; it is another key, so that one can be forgotten alone.
    """
    return _hash(b"thoughts\0" + session_id.encode("utf-8", "surrogatepass"), 32)


def thoughts_path(key: str) -> str:
    """Return the folder of a session of thoughts."""
    return f"{THOUGHTS}/{key[0]}/{key[1]}/{key}"


def branch_key(branch: str) -> str:
    """Return the part of a thought's name that stands for its branch; zeros for the main line."""
    return _hash(branch.encode("utf-8", "surrogatepass"), 16) if branch else "0" * 16


def thought_name(number: int, branch: str, content: bytes) -> str:
    """Return the name of the file of a thought: sorted by number, unique by content."""
    return f"{number:04}-{branch_key(branch)}-{_hash(content, 16)}.json"


def thought_place(name: str) -> tuple[int, str] | None:
    """Return the number and the branch's key that a file name tells, None if it is no thought's."""
    found = _THOUGHT.fullmatch(name)
    return (int(found[1]), found[2]) if found else None


def tombstone_path(key: str) -> str:
    """Return the path that says that a session is forgotten."""
    return f"{FORGOTTEN}/{key[0]}/{key[1]}/{key}.json"


def exchange_key(exchange_id: str) -> str:
    """Return the part of a segment's name that stands for the exchange."""
    return _hash(exchange_id.encode("utf-8", "surrogatepass"), 16)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A file of an exchange: what it said when first stored, or what it said more later."""

    number: int
    exchange: str
    name: str

    @classmethod
    def parse(cls, name: str) -> "Segment | None":
        """Return what a file name says, None if it is no segment's."""
        found = _SEGMENT.fullmatch(name)
        return cls(int(found[1]), found[2], name) if found else None

    @classmethod
    def of(cls, number: int, exchange: str, content: bytes) -> "Segment":
        """Return the segment for a content."""
        return cls(number, exchange, f"{number:04}-{exchange}-{_hash(content, 16)}.jsonl")


def exchanges_in(names: Iterable[str]) -> tuple[int, list[str]]:
    """Return how many exchanges the files of a session tell of, and which files tell of the first.

    For a list of thousands, where `Segment`s would cost too much.
    """
    found = [match for name in names if (match := _SEGMENT.fullmatch(name))]
    first = min(found, key=lambda match: (int(match[1]), match[2]), default=None)
    its = sorted(match[0] for match in found if first and match[2] == first[2])
    return len({match[2] for match in found}), its


def events_name(content: bytes, time: str) -> str:
    """Return the name of a file of events: sorted by time, unique by content."""
    digits = re.sub(r"\D", "", time)[:14]
    return f"{digits or '0'}-{_hash(content, 16)}.jsonl"


def _hash(data: bytes, length: int) -> str:
    return hashlib.sha256(data).hexdigest()[:length]


@dataclass(frozen=True, slots=True)
class Head:
    """What session.json says. Times are ISO 8601 in UTC, "" where the agent's format has none.

    `more` is what a newer version of the program says beside it.
    """

    session_id: str
    agent: str
    title: str = ""
    directory: str = ""
    branch: str = ""
    parent: str = ""
    source: str = ""
    started: str = ""
    ended: str = ""
    revision: int = 1
    schema: int = SCHEMA
    more: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> str:
        """The name of the session's folder."""
        return key_of(self.session_id)

    def to_bytes(self) -> bytes:
        """Return the file."""
        document: dict[str, Any] = {"schema": self.schema}
        document |= {name: value for name in _STRINGS if (value := getattr(self, name))}
        document |= {"revision": self.revision, **self.more}
        return (json.dumps(document, indent=1) + "\n").encode()


def parse_head(data: bytes | None) -> Head | None:
    """Return what a session.json says, None if it is missing or none."""
    try:
        document = json.loads(data or b"")
        texts = {name: document.pop(name, "") for name in _STRINGS}
        schema, revision = (int(document.pop(name, 1)) for name in ("schema", "revision"))
        if texts["session_id"] and all(isinstance(value, str) for value in texts.values()):
            more = dict(sorted(document.items()))
            return Head(**texts, schema=schema, revision=revision, more=more)
    except (ValueError, TypeError, AttributeError):
        pass
    return None


def head_of(session: Session) -> Head:
    """Return the head of a session that was imported.

    A file name of this machine (`source`) means nothing elsewhere and is not kept; a ref is.
    """
    times = [time for e in session.exchanges for time in (e.started, e.ended) if time]
    texts = {name: getattr(session, name) for name in _TEXTS}
    texts["source"] = session.source if session.source.startswith("refs/") else ""
    return Head(**texts, started=min(times, default=""), ended=max(times, default=""))


def update_head(stored: Head | None, found: Head) -> Head:
    """Return the head to store after an import.

    What has been read later counts, and what it leaves open stays as it was.
    """
    if stored is None:
        return found
    first, second = (found, stored) if found.ended >= stored.ended else (stored, found)
    texts: dict[str, Any] = {n: getattr(first, n) or getattr(second, n) for n in _TEXTS}
    started = _earlier(found.started, stored.started)
    head = replace(stored, **texts, started=started, ended=first.ended)
    return head if head == stored else replace(head, revision=stored.revision + 1)


def join_heads(ours: bytes | None, theirs: bytes | None) -> bytes:
    """Return the session.json for two that differ; commutative, associative and idempotent.

    The one that was read later wins, then the one that says more.
    """
    left, right = parse_head(ours), parse_head(theirs)
    if left is None or right is None:
        known = left or right
        return known.to_bytes() if known else max(ours or b"", theirs or b"")
    winner = max(left, right, key=_rank)
    return replace(winner, started=_earlier(left.started, right.started)).to_bytes()


def _rank(head: Head) -> tuple[str, int, int, bytes]:
    # Without `started`: that is joined by itself, and would change the order it had a say in.
    data = replace(head, started="").to_bytes()
    return head.ended, sum(bool(getattr(head, name)) for name in _TEXTS), head.revision, data


def _earlier(one: str, other: str) -> str:
    return min(one, other) if one and other else one or other
