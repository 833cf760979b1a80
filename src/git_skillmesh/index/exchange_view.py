"""What a query about conversations sees: the exchanges of the memory as it is now.

In: a repository. Out: a `View` over the index of exchanges, whose texts are made anew from the
memory, so that nothing of a conversation lies in the index in words. A small gap is closed on the
way; a large one is counted.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from ..errors import Busy, Damaged, ReadOnly
from ..git.database import ObjectDatabase
from ..git.objects import BlobReader
from ..git.repository import Repository
from ..sessions import layout
from ..sessions.model import Exchange
from ..sessions.reading import exchange_in, segments_in, state_of
from ..sessions.text import search_text
from .catalogue import FileRow
from .exchanges import (
    READING,
    ExchangeInfo,
    all_infos,
    exchange_store,
    memory_tree,
    read_infos,
    sync_exchanges,
)
from .store import Store
from .vectors import VectorSource
from .view import NoIndexError, Scope, View

# Texts of exchanges that stay in memory.
_KEPT_BYTES = 16_000_000
# What a query reads by itself before it answers.
QUICK_EXCHANGES = 200


@dataclass(slots=True)
class ExchangeView(View):
    """A `View` whose files are exchanges."""

    db: ObjectDatabase | None = None
    read: dict[int, bytes] = field(default_factory=dict)

    def infos(self, files: Iterable[int]) -> dict[int, ExchangeInfo]:
        """Return file id → what is known of the exchange."""
        return read_infos(self.catalogue, files) if self.catalogue is not None else {}

    def live_infos(self) -> list[ExchangeInfo]:
        """Return what is known of every exchange that is searched."""
        if self.catalogue is None:
            return []
        infos = all_infos(self.catalogue)
        return [info for info in infos if info.file < len(self.live) and self.live[info.file]]

    def texts(self, files: Sequence[FileRow]) -> dict[int, bytes]:
        """Return the texts in which exchanges are searched. Raises `Damaged`."""
        unread = [row for row in files if row.id not in self.read]
        infos = self.infos(row.id for row in unread)
        new = {
            row.id: search_text(self._exchange(row.path), infos[row.id].title).text.encode(
                errors="replace"
            )
            for row in unread
        }
        found = {row.id: new.get(row.id) or self.read.get(row.id, b"") for row in files}
        if sum(map(len, self.read.values())) + sum(map(len, new.values())) > _KEPT_BYTES:
            self.read.clear()
        self.read |= new
        return found

    def commits(self, files: Iterable[FileRow]) -> dict[int, str]:
        """Return nothing: an exchange is not brought by a commit."""
        return {}

    def _exchange(self, path: str) -> Exchange:
        key, _, wanted = path.partition("/")
        if self.db is None:
            raise Damaged("the memory is gone", "git skillmesh index")
        folder = f"{layout.session_path(key)}/{layout.EXCHANGES}"
        names = self.db.trees.folder(self.tree, folder)
        segments = segments_in(names).get(wanted)
        if not segments:
            raise Damaged("the index names an exchange that the memory does not have",
                          "git skillmesh index --rebuild")  # fmt: skip
        return exchange_in(state_of(self.db, segments, names))

    def close(self) -> None:
        """Close the catalogue and git."""
        if self.db is not None:
            self.db.__exit__(None, None, None)
        View.close(self)


def open_exchanges(
    repository: Repository, source: VectorSource | None, most: int = QUICK_EXCHANGES
) -> ExchangeView:
    """Open the exchanges for searching.

    Raises `NoIndexError` when more than `most` would have to be read first and nothing is indexed,
    `Damaged`.
    """
    unread = False
    with suppress(Busy, ReadOnly, OSError):  # then what is indexed so far answers
        unread = sync_exchanges(repository, source, most=most) is None
    store = exchange_store(repository)
    for _ in range(5):
        try:
            return _open(repository, store, source, unread)
        except FileNotFoundError:
            if not store.catalogue_path.exists():
                break
            continue  # a segment was merged away between catalogue and file: look again
    raise NoIndexError


def _open(
    repository: Repository, store: Store, source: VectorSource | None, unread: bool
) -> ExchangeView:
    db = ObjectDatabase(repository)
    catalogue = store.reader_if_any()
    try:
        tree = memory_tree(db) or repository.empty_tree
        known = catalogue.latest_trees(READING)[:1] if catalogue is not None else []
        if catalogue is not None and not known and tree != repository.empty_tree:
            raise NoIndexError
        stored = catalogue.tree(*known[0]) if catalogue is not None and known else None
        members = stored[0] if stored is not None else np.zeros(0, np.int32)
        model = source.model_id if source is not None else None
        segments = store.load(catalogue, model) if catalogue is not None else []
        highest = max((int(s.files.max(initial=0)) for s in segments), default=0)
        live = np.zeros(max(highest, int(members.max(initial=0))) + 1, np.bool_)
        live[members] = True
    except BaseException:
        db.__exit__(None, None, None)
        if catalogue is not None:
            catalogue.close()
        raise
    return ExchangeView(
        repository=repository,
        scope=Scope.COMMITTED,
        commit=None,
        # The tree that the index describes: a newer one may lack an exchange that it names.
        tree=known[0][0] if known else tree,
        segments=segments,
        live=live,
        behind=int(unread or bool(known and known[0][0] != tree)),
        catalogue=catalogue,
        reader=BlobReader(repository),
        db=db,
    )
