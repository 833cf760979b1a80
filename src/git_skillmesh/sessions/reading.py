"""Read the memory of a repository.

In: a repository. Out: heads, sessions, exchanges and events, as they are at the moment of asking.
One git process answers each question.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from itertools import groupby

from ..errors import Damaged, UsageError
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from ..git.treeobjects import Entries, Entry
from . import layout
from .events import Event, decode_events, in_order
from .layout import Head, Segment
from .model import Exchange, Session
from .records import Incomplete, State, decode, exchange_of, unite


@dataclass(frozen=True, slots=True)
class Summary:
    """A session as a list shows it: its head and how many exchanges it has.

    `opening` names the blobs of the files that hold the first of them, `listed` the tree of all
    such files, `events` the tree of its events; each is "" without any.
    """

    head: Head
    exchanges: int
    opening: str = ""
    events: str = ""
    listed: str = ""


class MemoryReader:
    """The sessions under a ref. Writing is in `store.MemoryStore`."""

    def __init__(self, repository: Repository, ref: str = layout.REF) -> None:
        self.repository = repository
        self.ref = ref

    def sessions(
        self,
        known: Mapping[str, Summary] | None = None,
        found: MutableMapping[str, Summary] | None = None,
    ) -> tuple[Summary, ...]:
        """Return all sessions, the one that was active last at the end.

        `known` are summaries by the trees of folders, which are not read again; `found` gets all.
        Raises `Damaged` when git cannot read all of them. A folder without a session.json that
        fits it is left out.
        """
        with ObjectDatabase(self.repository) as db:
            folders = _folders(db, self.ref)
            before = {tree: known[tree] for tree in folders.values() if known and tree in known}
            fresh = {key: tree for key, tree in folders.items() if tree not in before}
            summed = {**before, **self._summed(db, fresh)}
        if found is not None:
            found.update(summed)
        return tuple(sorted(summed.values(), key=lambda s: (s.head.ended, s.head.session_id)))

    def _summed(self, db: ObjectDatabase, folders: dict[str, str]) -> dict[str, Summary]:
        """Return tree → summary of the sessions in folders (key → tree)."""
        if not folders:
            return {}
        inner = dict(zip(folders, db.trees.many(list(folders.values())), strict=True))
        with_head = {key: inner[key] for key in inner if layout.HEAD in inner[key]}
        heads = db.reader.read_many(entry[layout.HEAD].oid for entry in with_head.values())
        found = {
            key: head
            for key, data in zip(with_head, heads, strict=True)
            if (head := layout.parse_head(fetched(data, self.ref))) and head.key == key
        }
        lists = [
            inner[key][layout.EXCHANGES].oid for key in found if layout.EXCHANGES in inner[key]
        ]
        names = dict(zip(lists, db.trees.many(lists), strict=True))
        summaries = {}
        for key, head in found.items():
            listed = inner[key].get(layout.EXCHANGES)
            files = names[listed.oid] if listed else {}
            count, first = layout.exchanges_in(files)
            opening = " ".join(files[name].oid for name in first)
            events = inner[key].get(layout.EVENTS)
            told = events.oid if events else ""
            whole = listed.oid if listed else ""
            summaries[folders[key]] = Summary(head, count, opening, told, whole)
        return summaries

    def session(self, session_id: str) -> Session:
        """Return a session with all its exchanges.

        Raises `UsageError` when there is none of this id, `Damaged` when it cannot be read.
        """
        with ObjectDatabase(self.repository) as db:
            folder = self._folder(db, session_id)
            head = self._head(db, session_id, folder)
            exchanges = tuple(_exchanges(db, folder))
        return Session(
            head.session_id,
            head.agent,
            exchanges,
            title=head.title,
            directory=head.directory,
            branch=head.branch,
            parent=head.parent,
            source=head.source,
        )

    def head(self, session_id: str) -> Head:
        """Return the head of a session. Raises `UsageError`, `Damaged`."""
        with ObjectDatabase(self.repository) as db:
            return self._head(db, session_id, self._folder(db, session_id))

    def head_at(self, key: str) -> Head:
        """Return the head of the session with a key (`Head.key`). Raises `Damaged`."""
        with ObjectDatabase(self.repository) as db:
            tip = db.tip(self.ref)
            path = layout.session_path(key)
            return self._head(db, key, db.trees.folder(tip.commit.tree, path) if tip else {})

    def exchanges(self, session_id: str) -> Iterator[Exchange]:
        """Yield the exchanges of a session in order, one in memory at a time.

        Raises `UsageError`, `Damaged`.
        """
        with ObjectDatabase(self.repository) as db:
            yield from _exchanges(db, self._folder(db, session_id))

    def exchange(self, exchange_id: str, session_id: str = "") -> Exchange:
        """Return one exchange; with the id of its session it is found at once.

        Without it, the names of all exchanges are looked through. Raises `UsageError`, `Damaged`.
        """
        session_id = session_id or self.session_of(exchange_id)
        wanted = layout.exchange_key(exchange_id)
        with ObjectDatabase(self.repository) as db:
            folder = self._folder(db, session_id)
            listed = folder.get(layout.EXCHANGES)
            names = db.trees.entries(listed.oid) if listed else {}
            segments = segments_in(names).get(wanted)
            if not segments:
                raise UsageError(f"session {session_id} has no exchange {exchange_id}")
            return exchange_in(state_of(db, segments, names))

    def session_of(self, exchange_id: str) -> str:
        """Return the id of the session that an exchange belongs to. Raises `UsageError`."""
        wanted = f"-{layout.exchange_key(exchange_id)}-".encode()
        with ObjectDatabase(self.repository) as db:
            trees = db.trees.many(list(_folders(db, self.ref).values()))
            folders = {
                folder[layout.EXCHANGES].oid: folder
                for folder in trees
                if layout.EXCHANGES in folder and layout.HEAD in folder
            }
            for listed, data in zip(folders, db.reader.read_many(list(folders)), strict=True):
                if data and wanted in data:
                    head = layout.parse_head(db.reader.read(folders[listed][layout.HEAD].oid))
                    if head:
                        return head.session_id
        raise UsageError(f"no such exchange: {exchange_id}", "git skillmesh has not stored it")

    def events(self, session_id: str) -> tuple[Event, ...]:
        """Return the events of a session, the oldest first. Raises `UsageError`, `Damaged`."""
        with ObjectDatabase(self.repository) as db:
            return _events(db, self._folder(db, session_id))

    def all_events(self) -> dict[str, tuple[Event, ...]]:
        """Return key of the session (`Head.key`) → events, for sessions that have some."""
        with ObjectDatabase(self.repository) as db:
            folders = _folders(db, self.ref)
            inner = dict(zip(folders, db.trees.many(list(folders.values())), strict=True))
            return {
                key: _events(db, folder) for key, folder in inner.items() if layout.EVENTS in folder
            }

    def is_forgotten(self, session_id: str) -> bool:
        """Return whether a session was forgotten: then it is not stored again."""
        with ObjectDatabase(self.repository) as db:
            tip = db.tip(self.ref)
            path = layout.tombstone_path(layout.key_of(session_id))
            return tip is not None and db.trees.at(tip.commit.tree, path) is not None

    def _folder(self, db: ObjectDatabase, session_id: str) -> Entries:
        tip = db.tip(self.ref)
        path = layout.session_path(layout.key_of(session_id))
        folder = db.trees.folder(tip.commit.tree, path) if tip else {}
        if not folder:
            raise UsageError(f"no such session: {session_id}")
        return folder

    def _head(self, db: ObjectDatabase, session_id: str, folder: Entries) -> Head:
        entry = folder.get(layout.HEAD)
        head = layout.parse_head(db.reader.read(entry.oid)) if entry else None
        if head is None:
            raise Damaged(f"session {session_id} has no {layout.HEAD} that can be read")
        return head


def _folders(db: ObjectDatabase, ref: str) -> dict[str, str]:
    """Return key → tree of every session."""
    tip = db.tip(ref)
    return folders_in(db, tip.commit.tree) if tip else {}


def folders_in(db: ObjectDatabase, tree: str) -> dict[str, str]:
    """Return key → tree of every session in a tree of the memory. Raises `Damaged`."""
    top = db.trees.at(tree, layout.SESSIONS)
    level = [top] if top else []
    for _ in range(2):
        level = [entry for below in _below(db, level) for entry in below.values()]
    return {
        key: entry.oid
        for below in _below(db, level)
        for key, entry in below.items()
        if entry.is_folder
    }


def changed_folders(db: ObjectDatabase, old: str, new: str) -> dict[str, str | None]:
    """Return key → tree in `new` of every session that differs, None for one that is gone.

    Only folders that differ are read. Raises `Damaged`.
    """
    return differing(db, db.trees.at(old, layout.SESSIONS), db.trees.at(new, layout.SESSIONS))


def differing(db: ObjectDatabase, old: Entry | None, new: Entry | None) -> dict[str, str | None]:
    """Return the same for two folders of folders of sessions, of whatever kind."""
    level = [(old, new)]
    found: dict[str, str | None] = {}
    for depth in range(3):
        below: list[tuple[Entry | None, Entry | None]] = []
        for left, right in level:
            before = db.trees.entries(left.oid) if left and left.is_folder else {}
            after = db.trees.entries(right.oid) if right and right.is_folder else {}
            for name in {**before, **after}:
                pair = before.get(name), after.get(name)
                if pair[0] != pair[1]:
                    below.append(pair)
                    if depth == 2:
                        found[name] = pair[1].oid if pair[1] and pair[1].is_folder else None
        level = below
    return found


def _below(db: ObjectDatabase, entries: list[Entry]) -> Iterator[Entries]:
    return db.trees.many([entry.oid for entry in entries if entry.is_folder])


def _exchanges(db: ObjectDatabase, folder: Entries) -> Iterator[Exchange]:
    listed = folder.get(layout.EXCHANGES)
    names = db.trees.entries(listed.oid) if listed else {}
    groups = sorted(segments_in(names).values())
    for _, same in groupby(groups, key=lambda segments: segments[0].number):
        # Two clones may have gone on from the same place: then time decides, then the id.
        found = [exchange_in(state_of(db, segments, names)) for segments in same]
        yield from sorted(found, key=lambda e: (e.started, e.exchange_id))


def _events(db: ObjectDatabase, folder: Entries) -> tuple[Event, ...]:
    listed = folder.get(layout.EVENTS)
    return events_in(db, listed.oid) if listed else ()


def events_in(db: ObjectDatabase, tree: str) -> tuple[Event, ...]:
    """Return the events in the files of a tree, the oldest first. Raises `Damaged`."""
    files = db.reader.read_many(entry.oid for entry in db.trees.entries(tree).values())
    return in_order(event for data in files for event in decode_events(data or b""))


def segments_in(names: Iterable[str]) -> dict[str, list[Segment]]:
    """Return key of the exchange → its segments, the one with the lowest number first."""
    found: dict[str, list[Segment]] = defaultdict(list)
    for segment in sorted(filter(None, map(Segment.parse, names))):
        found[segment.exchange].append(segment)
    return found


def state_of(db: ObjectDatabase, segments: Iterable[Segment], names: Entries) -> State:
    """Return what the segments of one exchange amount to. Raises `Damaged`."""
    listed = list(segments)
    try:
        contents = db.reader.read_many(names[segment.name].oid for segment in listed)
        return unite(record for data in contents for record in decode(_there(data)))
    except Incomplete as error:
        raise Damaged(f"{listed[0].name} cannot be read: {error}") from None


def exchange_in(state: State) -> Exchange:
    """Return the exchange of a state. Raises `Damaged`."""
    try:
        return exchange_of(state)
    except Incomplete as error:
        raise Damaged(f"a stored exchange cannot be read: {error}") from None


def fetched(data: bytes | None, ref: str) -> bytes:
    """Return the bytes of a blob. Raises `Damaged`: without it the answer would be wrong.

    A partial clone may lack it.
    """
    if data is None:
        mend = f"git fetch --refetch --no-filter origin +{ref}:{ref}"
        raise Damaged(f"{ref} has not been fetched whole", mend)
    return data


def _there(data: bytes | None) -> bytes:
    if data is None:
        raise Incomplete("git does not have it")
    return data
