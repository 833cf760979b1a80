"""Keep the index of exchanges equal to the memory of the repository.

In: `refs/skillmesh/memory`. Out: an index like that of the code in `.git/skillmesh/chats`, in which
an exchange is a file: its path is made of the names that the memory has for session and exchange,
its version of the contents. Only sessions whose folder differs from the last time are looked at.
What was forgotten leaves the files of the index at once.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from ..errors import Damaged
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from ..git.treeobjects import Entries
from ..sessions import layout
from ..sessions.layout import Head, Segment
from ..sessions.model import Exchange
from ..sessions.reading import changed_folders, exchange_in, folders_in, segments_in, state_of
from ..sessions.text import TEXT_VERSION, SearchText, search_text
from .build import Version, assemble
from .catalogue import Catalogue
from .documents import TERMS_VERSION, Document, FileDocuments, documents_of
from .maintenance import WORTH_KEEPING
from .store import Store
from .sync import Progress
from .vectors import VectorSource

FOLDER = "chats"
# What a text and its terms depend on besides the exchange.
READING = f"{TEXT_VERSION}.{TERMS_VERSION}"
_BATCH_BYTES = 1_500_000
_TABLE = (
    "CREATE TABLE IF NOT EXISTS exchanges (file INTEGER PRIMARY KEY, session TEXT NOT NULL,"
    " exchange TEXT NOT NULL, agent TEXT NOT NULL, started TEXT NOT NULL, title TEXT NOT NULL,"
    " paths TEXT NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class ExchangeInfo:
    """What the index knows of an exchange; `paths` are the files that it changed or named."""

    file: int
    session: str
    exchange: str
    agent: str
    started: str
    title: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExchangesReport:
    """What one run did: exchanges `read` and `removed`, and how many `unreadable` were left out."""

    read: int = 0
    removed: int = 0
    unreadable: int = 0
    exchanges: int = 0


@dataclass(frozen=True, slots=True)
class _Stored:
    """An exchange as the memory stores it."""

    path: str
    version: str
    head: Head
    segments: Sequence[Segment]
    names: Entries


def exchange_store(repository: Repository) -> Store:
    """Return the store of the index of exchanges."""
    return Store(repository, FOLDER)


def memory_tree(db: ObjectDatabase) -> str | None:
    """Return the tree of the memory, None where there is none."""
    tip = db.tip(layout.REF)
    return tip.commit.tree if tip else None


def sync_exchanges(
    repository: Repository,
    source: VectorSource | None,
    wait_seconds: float = 0.0,
    most: int | None = None,
    progress: Progress | None = None,
) -> ExchangesReport | None:
    """Make the index equal to the memory; return None where more than `most` are to be read.

    Raises `Busy`, `ReadOnly`, `Damaged`.
    """
    store = exchange_store(repository)
    with ObjectDatabase(repository) as db:
        tree = memory_tree(db)
        if tree is None and not store.catalogue_path.exists():
            return ExchangesReport()
        store.drop_other_models(source, wait_seconds)
        with store.writing(wait_seconds) as catalogue:
            catalogue.connection.execute(_TABLE)
            return _Sync(db, store, catalogue, source, progress).run(tree, most)


class _Sync:
    """One run, inside the lock."""

    def __init__(
        self,
        db: ObjectDatabase,
        store: Store,
        catalogue: Catalogue,
        source: VectorSource | None,
        progress: Progress | None,
    ) -> None:
        self._db = db
        self._store = store
        self._catalogue = catalogue
        self._source = source
        self._progress = progress or (lambda done, total: None)
        self._unreadable = 0
        rows = catalogue.rows("SELECT id, path FROM files")
        # File id → key of its session.
        self._owners = {int(number): _session_of(os.fsdecode(path)) for number, path in rows}

    def run(self, tree: str | None, most: int | None) -> ExchangesReport | None:
        members, sessions, gone = self._changes(tree)
        # After a full listing, whatever is not listed is gone.
        gone |= set() if members else set(self._owners.values()) - set(sessions)
        found, missing = [], []
        for key, folder in sessions.items():
            for stored in self._listed(key, folder):
                number = self._catalogue.file_id(stored.path, stored.version, READING)
                if number is None:
                    missing.append(stored)
                else:
                    found.append(number)
        if most is not None and len(missing) > most:
            return None
        touched = {*sessions, *gone}
        kept = {number for number in members if self._owners[number] not in touched}
        new = self._add(missing)
        wanted = kept | set(found) | set(new)
        removed = self._drop(wanted, gone)
        with self._catalogue.transaction():
            if tree is not None:
                self._catalogue.put_tree(tree, READING, {}, np.array(sorted(wanted), np.int32))
            trees = self._catalogue.latest_trees()
            self._catalogue.forget_trees([one for one in trees if one[0] != tree])
        self._store.compact(self._catalogue)
        return ExchangesReport(len(new), removed, self._unreadable, len(wanted))

    def _changes(self, tree: str | None) -> tuple[set[int], dict[str, str], set[str]]:
        """Return the members so far, key → folder of the sessions to look at, and those gone."""
        known = self._catalogue.latest_trees(READING)[:1]
        base = known[0][0] if known else None
        stored = self._catalogue.tree(base, READING) if base else None
        members = set(stored[0].tolist()) if stored else set()
        if tree is None:
            return set(), {}, set()
        if base is not None:
            try:
                changed = changed_folders(self._db, base, tree)
            except Damaged:  # git has collected the old tree
                pass
            else:
                gone = {key for key, folder in changed.items() if folder is None}
                return members, {key: oid for key, oid in changed.items() if oid}, gone
        return set(), folders_in(self._db, tree), set()

    def _listed(self, key: str, folder: str) -> Iterator[_Stored]:
        """Yield the exchanges of a session's folder."""
        inner = self._db.trees.entries(folder)
        entry, listed = inner.get(layout.HEAD), inner.get(layout.EXCHANGES)
        head = layout.parse_head(self._db.reader.read(entry.oid)) if entry else None
        if head is None or head.key != key or listed is None:
            return
        names = self._db.trees.entries(listed.oid)
        for exchange, segments in segments_in(names).items():
            parts = [head.title, head.agent, *(segment.name for segment in segments)]
            version = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]
            yield _Stored(f"{key}/{exchange}", version, head, segments, names)

    def _add(self, missing: Sequence[_Stored]) -> list[int]:
        new: list[int] = []
        for batch in self._batches(missing):
            built = assemble([(version, read, size) for version, read, size, _ in batch],
                             self._source)  # fmt: skip
            base = self._catalogue.next_file_id()
            with self._catalogue.transaction():
                self._catalogue.connection.executemany(
                    "INSERT OR REPLACE INTO exchanges VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(base + place, *facts) for place, (_, _, _, facts) in enumerate(batch)],
                )
            self._store.add(self._catalogue, built)
            new += range(base, base + len(batch))
            self._progress(len(new), len(missing))
        return new

    def _batches(
        self, missing: Sequence[_Stored]
    ) -> Iterator[list[tuple[Version, FileDocuments, int, tuple[str, ...]]]]:
        batch, size = [], 0
        for stored in missing:
            try:
                exchange = exchange_in(state_of(self._db, stored.segments, stored.names))
            except Damaged:
                self._unreadable += 1
                continue
            text = search_text(exchange, stored.head.title)
            length = len(text.text)
            read = FileDocuments(stored.head.agent, None, _documents(text, stored.head.title))
            version = Version(stored.path, stored.version, length, READING)
            batch.append((version, read, length, _facts(stored.head, exchange, text)))
            size += length
            if size > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _drop(self, wanted: set[int], gone: set[str]) -> int:
        """Drop what is no longer in the memory; what was forgotten leaves the segments too."""
        dead = self._catalogue.files(n for n in self._owners if n not in wanted)
        if not dead:
            return 0
        forced = {row.segment for row in dead.values() if self._owners[row.id] in gone}
        with self._catalogue.transaction():
            self._catalogue.remove_files(dead)
            self._catalogue.connection.executemany(
                "DELETE FROM exchanges WHERE file = ?", [(number,) for number in dead]
            )
        alive = self._catalogue.chunk_counts()
        for number, documents, _ in self._catalogue.segments():
            if number in forced or alive.get(number, 0) < documents * WORTH_KEEPING:
                self._store.merge(self._catalogue, [number])
        return len(dead)


def _documents(text: SearchText, title: str) -> tuple[Document, ...]:
    names = " ".join(PurePosixPath(path).name for path in text.paths[:40])
    return documents_of(text.chunks, title, names)


def _facts(head: Head, exchange: Exchange, text: SearchText) -> tuple[str, ...]:
    facts = (
        head.session_id, exchange.exchange_id, head.agent, exchange.started or head.started,
        head.title, json.dumps(text.paths[:200]),
    )  # fmt: skip
    # JSON allows half of a pair of surrogates, SQLite does not.
    return tuple(fact.encode("utf-8", "backslashreplace").decode() for fact in facts)


def _session_of(path: str) -> str:
    return path.partition("/")[0]


def read_infos(catalogue: Catalogue, files: Iterable[int]) -> dict[int, ExchangeInfo]:
    """Return file id → what is known of the exchange."""
    found = {}
    for number in files:
        for row in catalogue.rows("SELECT * FROM exchanges WHERE file = ?", (int(number),)):
            found[int(number)] = _info(row)
    return found


def all_infos(catalogue: Catalogue) -> Iterator[ExchangeInfo]:
    """Yield what is known of every exchange."""
    for row in catalogue.rows("SELECT * FROM exchanges"):
        yield _info(row)


def _info(row: Sequence[object]) -> ExchangeInfo:
    number, session, exchange, agent, started, title, paths = row
    return ExchangeInfo(
        int(str(number)), str(session), str(exchange), str(agent), str(started), str(title),
        tuple(json.loads(str(paths))),
    )  # fmt: skip
