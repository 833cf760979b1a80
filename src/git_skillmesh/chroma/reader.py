"""Read a Chroma store: briefly, and never beside a writer of a local one.

In: a `Target` and questions. Out: counts, records and nearest neighbours.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import Busy, SkillmeshError, Unavailable
from . import client as clients
from . import finding, own_store, store
from .locking import acquire_in_turn
from .pages import Pages
from .schemas import COLLECTIONS
from .target import Target

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

T = TypeVar("T")

WAIT_S = 2.0
_TIMEOUT_S = 20.0
# Somebody waits for the answer.
_RETRY_FOR_S = 1.0
Hit = tuple[str, float, dict[str, Any]]


class ChromaReader:
    """An open store; a context manager that should be left soon, because a writer waits for it.

    Raises `Unavailable` when there is no store or no answer, `Busy` when a writer is at work,
    `Damaged` when a local store cannot be read.
    """

    def __init__(self, target: Target, wait_s: float = WAIT_S) -> None:
        self.target = target
        self.pages = Pages(target)
        self._wait_s = wait_s
        self._lock: int | None = None
        self._client: ClientAPI | None = None
        self._open: dict[str, Collection] = {}

    def __enter__(self) -> "ChromaReader":
        try:
            if self.target.kind == "persistent":
                self._lock_folder()
            self._client = clients.open_client(self.target, _TIMEOUT_S)
        except BaseException as error:
            self._release()
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise clients.explain(error, self.target) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    def _lock_folder(self) -> None:
        if not clients.database_of(self.target).is_file():
            raise Unavailable(
                f"there is no Chroma store in {self.target.store}", "git skillmesh index"
            )
        busy = Busy("the Chroma store is being written", "try again in a moment")
        if os.access(self.target.lock_file.parent, os.W_OK):
            self._lock = acquire_in_turn(self.target.lock_file, True, self._wait_s, busy)
            if os.fstat(self._lock).st_size:
                # A writer was killed. What it left makes Chroma write while it reads: do it alone.
                os.close(self._lock)
                self._lock = acquire_in_turn(self.target.lock_file, False, self._wait_s, busy)

    def _release(self) -> None:
        client, self._client = self._client, None
        self._open.clear()
        try:
            if client is not None:
                clients.close(client)
        finally:
            lock, self._lock = self._lock, None
            if lock is not None:
                os.close(lock)

    def info(self, collection: str) -> dict[str, Any]:
        """Return the collection's own metadata: schema_version, model_id, dimension."""
        return self._do(lambda: store.metadata_of(self._collection(collection)))

    def count(self, collection: str, repo_id: str) -> int:
        """Return how many records of a repository the collection holds."""
        return self._do(lambda: store.count(self._collection(collection), repo_id))

    def keeps_documents(self, collection: str, repo_id: str) -> bool:
        """Whether the rows of a repository have texts, or would have."""
        return self._do(
            lambda: store.keeps_documents(self._collection(collection), self.target, repo_id)
        )

    def query(
        self,
        collection: str,
        embedding: "Sequence[float] | NDArray[Any]",
        n: int,
        where: Mapping[str, Any] | None = None,
        model_id: str | None = None,
    ) -> list[Hit]:
        """Return the `n` nearest as (id, cosine distance, metadata), nearest first.

        No more are asked for than a request may, `pages.most`.

        `model_id` names the model of `embedding`. Raises `Unavailable` when the collection holds
        vectors of another one, because their distances mean nothing.
        """
        held = self.info(collection).get("model_id")
        if model_id is not None and held != model_id:
            raise Unavailable(
                f"{collection} holds vectors of {held}, not of {model_id}", "git skillmesh index"
            )
        options: Any = {
            "query_embeddings": [embedding],
            "where": dict(where) if where else None,
            "include": ["metadatas", "distances"],
        }
        found: Any = self._do(
            lambda: self.pages.ask(
                lambda most: self._collection(collection).query(n_results=min(n, most), **options)
            )
        )
        return [
            (id_, float(distance), dict(meta or {}))
            for id_, distance, meta in zip(
                found["ids"][0], found["distances"][0], found["metadatas"][0], strict=True
            )
        ]

    def get(
        self,
        collection: str,
        ids: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        include: Sequence[str] = ("metadatas",),
    ) -> Iterator[dict[str, Any]]:
        """Yield the records with these ids, or those that `where` selects, a page at a time.

        A record is {"id", …} with "metadata", "document" and "embedding" as `include` asks.
        """
        options: dict[str, Any] = {"include": list(include)}
        if where:
            options["where"] = dict(where)
        offset = 0
        while ids is None or offset < len(ids):
            page = self._page(collection, ids, offset, options)
            asked = self.pages.most
            for n, id_ in enumerate(page["ids"]):
                record = {"id": id_}
                record |= {name.removesuffix("s"): page[name][n] for name in include}
                yield record
            offset += asked
            if ids is None and len(page["ids"]) < asked:
                return

    def _page(
        self, collection: str, ids: Sequence[str] | None, offset: int, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        def ask(most: int) -> dict[str, Any]:
            which: Any = (
                {"limit": most, "offset": offset}
                if ids is None
                else {"ids": list(ids[offset : offset + most]), "limit": most}
            )
            return dict(self._collection(collection).get(**which, **options))

        return self._do(lambda: self.pages.ask(ask))

    def first(self, collection: str, where: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the metadata of one record that `where` selects, None where there is none."""
        got: Any = self._do(
            lambda: self._collection(collection).get(
                where=dict(where), limit=1, include=["metadatas"]
            )
        )
        return dict(got["metadatas"][0] or {}) if got["ids"] else None

    def search_for_themselves(
        self, collection: str, vectors: "Mapping[str, NDArray[Any]]"
    ) -> list[str]:
        """Return the ids whose own vector does not find a record at a distance of about 0."""
        return self._do(lambda: finding.unfindable(self._collection(collection), vectors))

    def reports(self) -> list[dict[str, Any]]:
        """Describe every collection of the schema."""
        client = self._opened()
        return self._do(
            lambda: [store.report(store.find(client, name), name, {}) for name in COLLECTIONS]
        )

    def own(self) -> list[dict[str, Any]]:
        """Describe the collections that users have made, by name."""
        return self._of_own(own_store.described)

    def own_shapes(self) -> list[dict[str, Any]]:
        """Return what the collections of users say of themselves, by name."""
        return self._of_own(own_store.shape_of)

    def _of_own(self, told: "Callable[[Collection], T]") -> list[T]:
        """Tell something of each collection that users have made, in the order of their names."""
        client = self._opened()

        def look() -> list[T]:
            names = sorted(one.name for one in store.all_collections(client))
            found = [store.find(client, name) for name in names if own_store.is_own(name)]
            return [told(one) for one in found if one is not None]  # some may just have gone

        return self._do(look)

    def require(self, collection: str) -> "Collection":
        """Return a collection of a user's. Raises `UsageError` where there is none."""
        client = self._opened()
        return self._do(lambda: own_store.opened(client, collection))

    def _opened(self) -> "ClientAPI":
        if self._client is None:
            raise ValueError("the reader is not open")
        return self._client

    def _collection(self, name: str) -> "Collection":
        if name not in self._open:
            found = store.find(self._opened(), name)
            if found is None:
                raise Unavailable(
                    f"there is no collection {name} in {self.target.describe()}",
                    "git skillmesh index",
                )
            self._open[name] = found
        return self._open[name]

    def _do(self, call: Callable[[], T]) -> T:
        try:
            if self.target.kind == "persistent":
                return call()
            from .patience import patiently

            return patiently(call, _RETRY_FOR_S)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            explained: SkillmeshError = clients.explain(error, self.target)
            raise explained from None
