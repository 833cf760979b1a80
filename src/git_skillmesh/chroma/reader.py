"""Read a Chroma store: briefly, and never beside a writer of a local one.

In: a `Target` and questions. Out: counts, records and nearest neighbours.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import Busy, SkillmeshError, Unavailable
from . import client as clients
from . import own_store, store
from .locking import acquire_in_turn
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

    def query(
        self,
        collection: str,
        embedding: "Sequence[float] | NDArray[Any]",
        n: int,
        where: Mapping[str, Any] | None = None,
        model_id: str | None = None,
    ) -> list[Hit]:
        """Return the `n` nearest as (id, cosine distance, metadata), nearest first.

        `model_id` names the model of `embedding`. Raises `Unavailable` when the collection holds
        vectors of another one, because their distances mean nothing.
        """
        held = self.info(collection).get("model_id")
        if model_id is not None and held != model_id:
            raise Unavailable(
                f"{collection} holds vectors of {held}, not of {model_id}", "git skillmesh index"
            )
        vectors: Any = [embedding]
        found: Any = self._do(
            lambda: self._collection(collection).query(
                query_embeddings=vectors,
                n_results=n,
                where=dict(where) if where else None,
                include=["metadatas", "distances"],
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
        offset = 0
        while True:
            asked = None if ids is None else list(ids[offset : offset + store.PAGE])
            if asked == []:
                return
            page = self._page(collection, asked, where, offset, include)
            for n, id_ in enumerate(page["ids"]):
                record = {"id": id_}
                record |= {name.removesuffix("s"): page[name][n] for name in include}
                yield record
            offset += store.PAGE
            if asked is None and len(page["ids"]) < store.PAGE:
                return

    def _page(
        self,
        collection: str,
        ids: list[str] | None,
        where: Mapping[str, Any] | None,
        offset: int,
        include: Sequence[str],
    ) -> dict[str, Any]:
        options: dict[str, Any] = {"include": list(include)}
        options |= {"ids": ids} if ids is not None else {"limit": store.PAGE, "offset": offset}
        if where:
            options["where"] = dict(where)
        return self._do(lambda: dict(self._collection(collection).get(**options)))

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
        return self._do(lambda: store.unfindable(self._collection(collection), vectors))

    def reports(self) -> list[dict[str, Any]]:
        """Describe every collection of the schema."""
        client = self._opened()
        return self._do(
            lambda: [store.report(store.find(client, name), name, {}) for name in COLLECTIONS]
        )

    def own(self) -> list[dict[str, Any]]:
        """Describe the collections that users have made, by name."""
        client = self._opened()
        found = self._do(
            lambda: [
                own_store.described(store.find(client, one.name) or one)
                for one in client.list_collections()
                if own_store.is_own(one.name)
            ]
        )
        return sorted(found, key=lambda one: str(one["collection_name"]))

    def own_shapes(self) -> list[dict[str, Any]]:
        """Return what the collections of users say of themselves, by name."""
        client = self._opened()
        found = self._do(
            lambda: [
                own_store.shape_of(store.find(client, one.name) or one)
                for one in client.list_collections()
                if own_store.is_own(one.name)
            ]
        )
        return sorted(found, key=lambda one: str(one["name"]))

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
