"""The memory of a repository: sessions under `refs/skillmesh/memory`, written and read.

In: sessions as importers give them. Out: what became of them; reading is in reading.py.
docs/memory.md shows the tree. What is stored is never changed, only added to, until a session is
forgotten.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ..errors import UsageError
from ..git.database import ObjectDatabase, Tip
from ..git.refs import until_moved
from ..git.repository import Repository
from . import layout
from .events import Event, encode_events
from .forgetting import Forgotten, forget
from .layout import Head, Segment
from .merge import merge_memory
from .model import Exchange, Session
from .reading import MemoryReader, fetched, segments_in, state_of
from .records import additions, encode, records_of

Redact = Callable[[Exchange], Exchange]
# A commit of a large import is made when this much of it is staged: what is killed loses at most
# that, and memory stays bounded.
_STAGED_BYTES = 32_000_000
_STAGED_SESSIONS = 500


@dataclass(frozen=True, slots=True)
class Written:
    """What became of sessions: the ids of those that are new, grew, were known, are forgotten."""

    new: tuple[str, ...] = ()
    grown: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.new + other.new,
            self.grown + other.grown,
            self.unchanged + other.unchanged,
            self.forgotten + other.forgotten,
        )


@dataclass(frozen=True, slots=True)
class _Staged:
    """A session on its way: `files` are paths and blobs that the ref does not have yet."""

    head: Head
    files: dict[str, str]
    size: int


class MemoryStore(MemoryReader):
    """Reads and writes the sessions under a ref.

    `redact` is applied to every exchange (and, as the prompt of one, to titles and folders) before
    anything is written. It has no default, so that nobody stores secrets by leaving it out.
    """

    def __init__(self, repository: Repository, redact: Redact, ref: str = layout.REF) -> None:
        super().__init__(repository, ref)
        self._redact = redact

    def add(self, sessions: Iterable[Session]) -> Written:
        """Store what is new of sessions. They may be whole, or just what came since the last time.

        Nothing is lost when several processes add at once. A session without exchanges is nothing,
        one that was forgotten is left out.

        Raises:
            ReadOnly: the repository cannot be written.
            Busy: another process keeps the ref locked.
            Damaged: git cannot read what is stored.
        """
        written = Written()
        with ObjectDatabase(self.repository) as db:
            staged: dict[str, _Staged] = {}
            for session in sessions:
                key = layout.key_of(session.session_id)
                size = sum(entry.size for entry in staged.values())
                if key in staged or size > _STAGED_BYTES or len(staged) >= _STAGED_SESSIONS:
                    written += self._commit(db, staged)
                    staged = {}
                if session.exchanges:
                    staged[key] = self._stage(db, key, session)
            return written + self._commit(db, staged)

    def preview(self, sessions: Iterable[Session]) -> Written:
        """Return what `add` would answer, and write nothing. Raises `Damaged`."""
        written = Written()
        with ObjectDatabase(self.repository) as db:
            for session in sessions:
                if session.exchanges:
                    key = layout.key_of(session.session_id)
                    staged = {key: self._stage(db, key, session)}
                    written += self._changes(db, db.tip(self.ref), staged)[1]
                    db.writer.discard()
        return written

    def append_events(self, session_id: str, events: Iterable[Event]) -> None:
        """Add events to a session, in one file. Raises as `add`, and `UsageError` without it."""
        self.append_to_many({session_id: events})

    def append_to_many(self, events: Mapping[str, Iterable[Event]]) -> None:
        """Add events to sessions, by their ids, in one commit. Raises as `append_events`."""
        listed = {session: each for session, found in events.items() if (each := list(found))}
        if not listed:
            return
        with ObjectDatabase(self.repository) as db:
            files = {}
            for session_id, each in listed.items():
                content = encode_events(each)
                name = layout.events_name(content, max(event.time for event in each))
                files[session_id] = name, db.blob(content)

            def attempt() -> None:
                tip = db.tip(self.ref)
                changes: dict[str, str | None] = {}
                for session_id, (name, blob) in files.items():
                    path = layout.session_path(layout.key_of(session_id))
                    if tip is None or not db.trees.folder(tip.commit.tree, path):
                        raise UsageError(f"no such session: {session_id}")
                    changes[f"{path}/{layout.EVENTS}/{name}"] = blob
                if tip is not None:
                    self._change(db, tip, changes, "add events")

            until_moved(attempt, self.ref)

    def append_event(self, session_id: str, event: Event) -> None:
        """Add one event to a session. Raises as `append_events`."""
        self.append_events(session_id, (event,))

    def forget(self, session_id: str) -> Forgotten:
        """Remove a session and its subagents for good; see `forgetting.forget`."""
        family = self._family(session_id)
        return until_moved(lambda: forget(self.repository, self.ref, family), self.ref)

    def merge(self, theirs: str) -> str:
        """Unite the memory with that of another commit and return the commit of both.

        Raises as `add`.
        """

        def attempt() -> str:
            with ObjectDatabase(self.repository) as db:
                tip = db.tip(self.ref)
                new = merge_memory(self.repository, tip.oid if tip else None, theirs)
                if tip is None or new != tip.oid:
                    db.move(self.ref, new, tip.oid if tip else None, "skillmesh: merge")
                return new

        return until_moved(attempt, self.ref)

    def _family(self, session_id: str) -> tuple[str, ...]:
        """Return a session and all that it started, directly or not."""
        parents = [(found.head.parent, found.head.session_id) for found in self.sessions()]
        family = [session_id]
        for one in family:
            family += [child for parent, child in parents if parent == one and child not in family]
        return tuple(family)

    def _stage(self, db: ObjectDatabase, key: str, session: Session) -> _Staged:
        """Write what is new of a session; nothing refers to it yet."""
        tip = db.tip(self.ref)
        path = layout.session_path(key)
        names = db.trees.folder(tip.commit.tree, f"{path}/{layout.EXCHANGES}") if tip else {}
        stored = segments_in(names)
        exchanges = _unmistakable(session.exchanges)
        last = 0
        if layout.exchange_key(exchanges[0].exchange_id) not in stored:  # only the new ones came
            last = max((segments[0].number for segments in stored.values()), default=0)
        files, size = {}, 0
        for exchange in exchanges:
            redacted = replace(self._redact(exchange), exchange_id=exchange.exchange_id)
            identity = layout.exchange_key(exchange.exchange_id)
            known = stored.get(identity, [])
            last = known[0].number if known else last + 1
            content = encode(records_of(redacted))
            segment = Segment.of(last, identity, content)
            if known and segment.name not in names:
                # Only an exchange that is not what was stored at first has to be read.
                content = encode(additions(state_of(db, known, names), redacted))
                segment = Segment.of(last, identity, content)
            if content and segment.name not in names:
                files[f"{path}/{layout.EXCHANGES}/{segment.name}"] = db.blob(content)
                size += len(content)
        return _Staged(layout.head_of(self._redacted(session)), files, size)

    def _redacted(self, session: Session) -> Session:
        """Return the session with a redacted head."""

        def clean(text: str) -> str:
            return self._redact(Exchange(session.session_id, text, "")).prompt if text else ""

        title, directory = clean(session.title), clean(session.directory)
        return replace(session, title=title, directory=directory, branch=clean(session.branch))

    def _commit(self, db: ObjectDatabase, staged: dict[str, _Staged]) -> Written:
        """Make staged sessions part of the ref."""
        if not staged:
            return Written()
        return until_moved(lambda: self._attempt(db, staged), self.ref)

    def _attempt(self, db: ObjectDatabase, staged: dict[str, _Staged]) -> Written:
        tip = db.tip(self.ref)
        changes, written = self._changes(db, tip, staged)
        if changes:
            fates = {"new": written.new, "grown": written.grown}
            counts = (f"{len(ids)} {fate}" for fate, ids in fates.items() if ids)
            self._change(db, tip, changes, f"sessions: {', '.join(counts)}")
        return written

    def _changes(
        self, db: ObjectDatabase, tip: Tip | None, staged: dict[str, _Staged]
    ) -> tuple[dict[str, str | None], Written]:
        """Return (path → blob, what becomes of each session) for a tip."""
        tree = tip.commit.tree if tip else None
        changes: dict[str, str | None] = {}
        fates: dict[str, list[str]] = {"new": [], "grown": [], "unchanged": [], "forgotten": []}
        for key, entry in staged.items():
            path = layout.session_path(key)
            if db.trees.at(tree, layout.tombstone_path(key)):
                fates["forgotten"].append(entry.head.session_id)
                continue
            old = db.trees.at(tree, f"{path}/{layout.HEAD}")
            stored = self._parsed(db, old.oid) if old else None
            head = layout.update_head(stored, entry.head)
            # Somebody else may have stored the same since this was staged.
            there = db.trees.folder(tree, f"{path}/{layout.EXCHANGES}") if old else {}
            fresh = {p: oid for p, oid in entry.files.items() if p.rpartition("/")[2] not in there}
            if not fresh and head == stored:
                fates["unchanged"].append(entry.head.session_id)
                continue
            changes |= fresh
            changes[f"{path}/{layout.HEAD}"] = db.blob(head.to_bytes())
            fates["new" if stored is None else "grown"].append(entry.head.session_id)
        return changes, Written(**{fate: tuple(ids) for fate, ids in fates.items()})

    def _parsed(self, db: ObjectDatabase, oid: str) -> Head | None:
        return layout.parse_head(fetched(db.reader.read(oid), self.ref))

    def _change(
        self, db: ObjectDatabase, tip: Tip | None, changes: dict[str, str | None], message: str
    ) -> None:
        """Commit changes on a tip and move the ref. Raises `RefMoved`."""
        tree = db.trees.change(tip.commit.tree if tip else None, changes)
        # Never before its parent: git walks history by time.
        now = max(int(time.time()), tip.commit.time if tip else 0)
        commit = db.commit(tree, (tip.oid,) if tip else (), message, now)
        db.move(self.ref, commit, tip.oid if tip else None, f"skillmesh: {message}")


def _unmistakable(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Return the exchanges with ids of their own: the second of the same name gets a number."""
    seen: dict[str, int] = {}
    found = []
    for exchange in exchanges:
        name = exchange.exchange_id
        seen[name] = seen.get(name, 0) + 1
        found.append(
            replace(exchange, exchange_id=f"{name}~{seen[name]}") if seen[name] > 1 else exchange
        )
    return tuple(found)
