"""The stores that the views read, and how they know that what they keep is still true.

In: a repository. Out: `Reading`s, each of one state of HEAD, memory, notes, learnings and index.
Every request asks git where the refs are; what was made of them is kept until one has moved.
Several threads may read at once: each has a git process of its own for as long as it reads.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from ..config import Config
from ..git.database import ObjectDatabase
from ..git.notes import REF as NOTES
from ..git.repository import Repository
from ..index.origins import catalogue_place
from ..learnings.model import FOLDER
from ..mcp.host import Host
from ..sessions.layout import REF as MEMORY
from ..sessions.lookup import Lookup
from .blames import Blames

if TYPE_CHECKING:
    from ..mcp.engine import Engine

T = TypeVar("T")
# Readers with a git process that wait for the next request.
_MOST_FREE = 4


class State(NamedTuple):
    """Where everything is: commits of the refs, and what differs when files have changed."""

    head: str | None
    tree: str | None
    memory: str | None
    notes: str | None
    learnings: object
    indexed: object

    @property
    def name(self) -> str:
        """A short text that is another one for another state."""
        return hashlib.sha256(repr(tuple(self)).encode()).hexdigest()[:16]


@dataclass(slots=True)
class _Part:
    """Something made of a state, under the key that it was made for."""

    lock: threading.Lock
    key: object = None
    value: object = None
    is_made: bool = False


class Reading:
    """One state, for one thread: git processes, and what was made of the state so far.

    What takes long is waited for `patience` times as long as somebody at a browser would wait.
    """

    def __init__(
        self, stores: "Stores", state: State, db: ObjectDatabase, lookup: Lookup, patience: float
    ) -> None:
        self.stores = stores
        self.state = state
        self.db = db
        self.lookup = lookup
        self.patience = patience
        self._parts: dict[str, tuple[object, Any]] = {}

    @property
    def repository(self) -> Repository:
        """The repository."""
        return self.stores.repository

    def part(self, name: str, key: object, make: Callable[[], T]) -> T:
        """Return what is kept under a name if it was made for this key, else make it.

        It stays as it is for as long as this is open, whatever others read meanwhile.
        """
        known = self._parts.get(name)
        if known is None or known[0] != key:
            known = self._parts[name] = key, self.stores.part(name, key, make)
        return cast("T", known[1])


class Stores:
    """Everything that the views read of one repository, open for as long as it is shown."""

    def __init__(self, host: Host) -> None:
        self.repository = host.repository
        self._host = host
        self.blames = Blames(host.repository)
        self._lock = threading.Lock()
        self._refs_lock = threading.Lock()
        self._refs = ObjectDatabase(host.repository)
        self._parts: dict[str, _Part] = {}
        self._free: list[tuple[ObjectDatabase, str | None, Lookup]] = []

    def config(self) -> Config:
        """Return the settings in force now. Raises `ConfigurationError`."""
        return self._host.config

    @property
    def engine(self) -> "Engine":
        """What searches, with what it keeps open between questions."""
        return self._host.engine

    @contextmanager
    def reading(self, state: State | None = None, patience: float = 1.0) -> Iterator[Reading]:
        """Give a state, that of this moment without any, and what reads it. Raises `Damaged`."""
        state = state or self.state()
        db, lookup = self._taken(state)
        try:
            yield Reading(self, state, db, lookup, patience)
        except BaseException:
            db.reader.close()  # it may be in the middle of an answer
            raise
        with self._lock:
            if len(self._free) < _MOST_FREE:
                self._free.append((db, state.memory, lookup))
                return
        db.reader.close()

    def state(self) -> State:
        """Return where everything is now. Raises `Damaged`."""
        with self._refs_lock:
            try:
                head, memory, notes = (self._refs.tip(name) for name in ("HEAD", MEMORY, NOTES))
            except BaseException:
                self._refs.reader.close()
                raise
        return State(
            head.oid if head else None,
            head.commit.tree if head else None,
            memory.oid if memory else None,
            notes.oid if notes else None,
            self._learnings(),
            _stamp_of_index(self.repository),
        )

    def part(self, name: str, key: object, make: Callable[[], T]) -> T:
        """Return what is kept under a name if it was made for this key, else make it once."""
        with self._lock:
            part = self._parts.setdefault(name, _Part(threading.Lock()))
        with part.lock:
            if not part.is_made or part.key != key:
                part.value, part.key, part.is_made = make(), key, True
            return cast("T", part.value)

    def peek(self, name: str) -> Any:
        """Return what is kept under a name, None if nothing is yet."""
        part = self._parts.get(name)
        return part.value if part and part.is_made else None

    def close(self) -> None:
        """End all git processes."""
        self.blames.close()
        self._host.close()
        with self._refs_lock:
            self._refs.reader.close()
        with self._lock:
            for db, _, _ in self._free:
                db.reader.close()
            self._free.clear()

    def _taken(self, state: State) -> tuple[ObjectDatabase, Lookup]:
        with self._lock:
            db, memory, lookup = self._free.pop() if self._free else (None, None, None)
        if db is None:
            db = ObjectDatabase(self.repository)
        if lookup is None or memory != state.memory:
            lookup = Lookup(db, state.memory or MEMORY)
        return db, lookup

    def _learnings(self) -> object:
        """Return what differs when a file of a learning has changed."""
        top = self.repository.top
        if top is None:
            return None  # they are those of HEAD
        try:
            found = []
            for place in (top / FOLDER).iterdir():
                info = place.lstat()
                found.append((place.name, info.st_size, info.st_mtime_ns))
            return tuple(sorted(found))
        except OSError:
            return ()


def _stamp_of_index(repository: Repository) -> object:
    """Return what differs after a write to the catalogue of the index."""
    path = catalogue_place(repository)
    found = []
    for place in (path, path.with_name(f"{path.name}-wal")):
        try:
            info = place.stat()
            found.append((info.st_ino, info.st_size, info.st_mtime_ns))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)
