"""What searching keeps open between calls, and how it knows that it is still true.

In: a repository. Out: searchers of code, conversations and learnings as they are at the moment of
the call. An answer is never older than its question: the working tree is watched
(git/watching.py), HEAD and the memory are asked for, and each catalogue says whether another
process has written to it. Only what has changed is opened again.

Everything here belongs to one thread.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar, cast

from ..config import Config
from ..errors import ConfigurationError, Unavailable
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from ..git.watching import Watch
from ..index.catalogue import Catalogue
from ..index.exchange_view import ExchangeView, open_exchanges
from ..index.exchanges import exchange_store
from ..index.identity import repo_id
from ..index.learning_view import LearningView, open_learnings
from ..index.learnings import learning_store
from ..index.store import Store
from ..index.vectors import VectorSource, prose_source_of, source_of
from ..index.view import Scope, View, open_view
from ..retrieval.chats import ChatSearcher
from ..retrieval.dense import Wide
from ..retrieval.learnings import LearningSearcher
from ..retrieval.search import Searcher
from ..sessions import layout

# Views of other revisions that stay open beside the working tree.
_MOST_KEPT = 6


S = TypeVar("S")
T = TypeVar("T")
V = TypeVar("V", bound=View)


class Now(NamedTuple):
    """The state of the repository at the moment of a call: `looked` counts the looks at it."""

    looked: int
    commit: str | None


@dataclass(frozen=True, slots=True)
class Opened(Generic[S, V]):
    """A searcher, the view that it searches, and what embeds questions to it (or says why not)."""

    searcher: S
    view: V
    source: VectorSource | None
    note: str = ""


class _Stamp:
    """Says whether somebody else has written to a catalogue."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._catalogue: Catalogue | None = None
        self._inode = 0
        self._opened = 0

    def now(self) -> tuple[int, int] | None:
        """Return what differs after each write, None where there is no catalogue.

        Our connection keeps the old file alive, so another one has another number.
        """
        try:
            inode = self._store.catalogue_path.stat().st_ino
            if self._catalogue is None or inode != self._inode:
                self.close()
                self._catalogue, self._inode = self._store.reader(), inode
                self._opened += 1
        except FileNotFoundError:
            self.close()
            return None
        return self._opened, int(self._catalogue.rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the connection."""
        if self._catalogue is not None:
            self._catalogue.close()
            self._catalogue = None


class Warm:
    """The open views of one repository."""

    def __init__(self, repository: Repository, settings: Callable[[], Config]) -> None:
        self.repository = repository
        self._settings = settings
        self._config: Config | None = None
        self._watch = Watch(repository)
        self._objects = ObjectDatabase(repository)
        self._stamps = {
            "code": _Stamp(Store(repository)),
            "chats": _Stamp(exchange_store(repository)),
            "learnings": _Stamp(learning_store(repository)),
        }
        self._kept: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()
        self._looked = 0
        self._wide = Wide()

    @property
    def watched(self) -> str:
        """Why the working tree is compared before each answer, "" where it is watched."""
        return self._watch.problem

    def now(self) -> Now:
        """Notice what has happened since the last call. Raises `ConfigurationError`."""
        self._objects.reader.expect(["HEAD"])  # git looks while we do
        if not self._watch.quiet():
            self._looked += 1
            self._config = None
            self._watch.begin()
        if self._config is None:
            self._config = self._settings()
        tip = self._objects.tip("HEAD")
        return Now(self._looked, tip.oid if tip else None)

    @property
    def config(self) -> Config:
        """The settings at the moment of the last `now`."""
        if self._config is None:
            self._config = self._settings()
        return self._config

    def code(self, now: Now, scope: Scope, revision: str = "") -> Opened[Searcher, View]:
        """Return the searcher of a tree. Raises `NoIndexError`, `UsageError`, `Damaged`."""

        def make() -> Opened[Searcher, View]:
            store = Store(self.repository)
            source, note = self._source(source_of, store, "ranked by words only")
            view = open_view(self.repository, self.config, store, source, scope, revision)
            identity = repo_id(self.repository, self.config)
            return Opened(Searcher(view, identity, self._wide), view, source, note)

        commit = revision and self.repository.resolve(revision)[0]
        return self._get(("code", scope, commit), (now, self._stamps["code"].now()), make)

    def chats(self) -> Opened[ChatSearcher, ExchangeView]:
        """Return the searcher of the conversations. Raises `NoIndexError`, `Damaged`."""

        def make() -> Opened[ChatSearcher, ExchangeView]:
            store = exchange_store(self.repository)
            source, note = self._source(source_of, store, "conversations are ranked by words only")
            view = open_exchanges(self.repository, source)
            return Opened(ChatSearcher(view, self._wide), view, source, note)

        tip = self._objects.tip(layout.REF)
        key = (tip and tip.oid, self._looked, self._stamps["chats"].now())
        return self._get("chats", key, make)

    def learnings(
        self, now: Now, scope: Scope, revision: str = ""
    ) -> Opened[LearningSearcher, LearningView]:
        """Return the searcher of the learnings. Raises `UsageError`, `Damaged`, `Unavailable`."""

        def make() -> Opened[LearningSearcher, LearningView]:
            store = learning_store(self.repository)
            source, note = self._source(
                prose_source_of, store, "learnings are ranked by words only"
            )
            view = open_learnings(self.repository, source, scope, revision)
            return Opened(LearningSearcher(view), view, source, note)

        commit = revision and self.repository.resolve(revision)[0]
        return self._get(("learnings", scope, commit), (now, self._stamps["learnings"].now()), make)

    def close(self) -> None:
        """Close everything."""
        for name in list(self._kept):
            self._drop(name)
        for stamp in self._stamps.values():
            stamp.close()
        self._objects.reader.close()
        self._watch.close()

    def read_ahead(self) -> bool:
        """Read a little of what later questions need; return whether there is more."""
        return any(
            kept.searcher.read_ahead()
            for _, kept in list(self._kept.values())
            if isinstance(kept, Opened) and isinstance(kept.searcher, Searcher)
        )

    def _source(
        self, of: Callable[[Config, Path], VectorSource], store: Store, told: str
    ) -> tuple[VectorSource | None, str]:
        try:
            return of(self.config, store.embeddings_path), ""
        except (Unavailable, ConfigurationError) as error:
            return None, f"{told}: {error}"

    def _get(self, name: Hashable, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a name if it was made under the same key, else make it."""
        kept = self._kept.get(name)
        if kept is not None and kept[0] == key and not getattr(_view(kept[1]), "behind", 0):
            self._kept.move_to_end(name)
            return cast("T", kept[1])
        if kept is not None:
            self._drop(name)
        found = make()
        self._kept[name] = key, found
        if len(self._kept) > _MOST_KEPT:
            self._drop(next(iter(self._kept)))
        return found

    def _drop(self, name: Hashable) -> None:
        view = _view(self._kept.pop(name)[1])
        if view is not None:
            view.close()


def _view(kept: object) -> View | None:
    return kept.view if isinstance(kept, Opened) else None
