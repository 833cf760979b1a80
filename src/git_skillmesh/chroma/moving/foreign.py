"""Read a store that another program has filled, without changing a byte of it.

In: a `Target`. Out: names of collections, counts, and rows without vectors. Of a folder a snapshot
is read: Chroma brings the database of an older version up to date when it opens it, and the
program that owns the store may still need the older one.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...errors import Damaged, Unavailable
from .. import client as clients
from .. import store
from ..pages import CLOUD_MOST
from ..target import Target
from .patience import patiently

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_TIMEOUT_S = 60.0
_PATIENCE_S = 30.0
# Adapted to the size of the rows: a page of large texts is a few rows.
_FIRST_PAGE, _PAGE_BYTES = 50, 8 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it was found; nothing of it is to be believed."""

    id: str
    metadata: dict[str, Any]
    document: str


class ForeignStore:
    """An open store; a context manager. Raises `Unavailable`, `Damaged` and as a server does."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._stack = ExitStack()
        self._client: ClientAPI

    def __enter__(self) -> "ForeignStore":
        try:
            target = self.target
            if target.kind == "persistent":
                folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="skillmesh-"))
                _snapshot(clients.database_of(target), Path(folder) / "chroma.sqlite3")
                target = replace(target, path=Path(folder))
            try:
                self._client = clients.open_client(target, _TIMEOUT_S)
            except Exception as error:
                raise clients.explain(error, self.target) from error
            self._stack.callback(clients.close, self._client)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def names(self) -> list[str]:
        """Return the names of the collections."""
        return sorted(one.name for one in self._do(partial(store.all_collections, self._client)))

    def is_ours(self, name: str) -> bool:
        """Whether git skillmesh has made a collection."""
        found = self._do(partial(store.find, self._client, name))
        return found is not None and "schema" in store.metadata_of(found)

    def count(self, name: str) -> int:
        """Return how many rows a collection has, 0 where there is none."""
        found = self._do(partial(store.find, self._client, name))
        return 0 if found is None else int(self._do(found.count))

    def rows(self, name: str, *, texts: bool = True) -> Iterator[Row]:
        """Yield the rows of a collection, none where there is none; a bounded page in memory."""
        found = self._do(partial(store.find, self._client, name))
        if found is None:
            return
        include: Any = ["metadatas", "documents"] if texts else ["metadatas"]
        offset, limit = 0, _FIRST_PAGE
        while True:
            page = self._do(partial(found.get, limit=limit, offset=offset, include=include))
            if not page["ids"]:
                return
            documents = page["documents"] or [None] * len(page["ids"])
            size = 1
            for id_, metadata, document in zip(
                page["ids"], page["metadatas"], documents, strict=True
            ):
                size += len(document or "") + sum(len(str(v)) for v in (metadata or {}).values())
                yield Row(id_, dict(metadata or {}), document or "")
            offset += len(page["ids"])
            limit = max(1, min(CLOUD_MOST, _PAGE_BYTES * len(page["ids"]) // size))

    def _do(self, call: Any) -> Any:
        return patiently(call, self.target, _PATIENCE_S)


def _snapshot(database: Path, copy: Path) -> None:
    """Copy a database as one of its transactions has left it, also while somebody writes."""
    if not database.is_file():
        raise Unavailable(f"there is no Chroma store in {database.parent}")
    try:
        source = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=10)
        target = sqlite3.connect(copy)
        try:
            source.backup(target, pages=4096)
        finally:
            target.close()
            source.close()
    except sqlite3.OperationalError as error:
        raise Unavailable(
            f"the Chroma store in {database.parent} cannot be read: {error}"
        ) from None
    except sqlite3.DatabaseError as error:
        raise Damaged(f"the Chroma store in {database.parent} cannot be read: {error}") from None
