"""What is known of the rows of a store: from the ledger, or from a store that clones share.

In: a reader and a ledger. Out: ids, paths and hashes, for doctor.
"""

import os
from typing import Any

from .ledger import Known, Ledger
from .model import ByUnion, RowSource
from .prepare import clean
from .reader import ChromaReader


class Stored:
    """The rows of one repository."""

    def __init__(
        self, ledger: Ledger, mirror: int, reader: ChromaReader, source: RowSource
    ) -> None:
        self._ledger = ledger
        self._mirror = mirror
        self._reader = reader
        self._repo = source.repo_id
        self._by = source.sharing

    def listed(self, name: str) -> dict[str, str]:
        """Return id → path of all rows in the store; no paths where it is not shared."""
        fields = ("metadatas",) if self._by else ()
        rows = self._reader.get(name, where={"repo_id": self._repo}, include=fields)
        return {row["id"]: self._path(row.get("metadata") or {}) for row in rows}

    def _path(self, metadata: dict[str, Any]) -> str:
        if self._by is None:
            return ""
        told = str(metadata.get(self._by.field, ""))
        return self._by.path_of(told) if isinstance(self._by, ByUnion) else told

    def of_paths(self, paths: set[str], stored: dict[str, str]) -> set[str]:
        """Return the ids of these paths."""
        if self._by is None:
            return set(self._ledger.ids(self._mirror, [clean(path) for path in paths]))
        named = {os.fsencode(path).decode(errors="replace") for path in paths}
        return {id_ for id_, path in stored.items() if path in named}

    def noted(self) -> set[str]:
        """Return the ids that the ledger has."""
        return set(self._ledger.ids(self._mirror))

    def of_rows(self, name: str, ids: list[str]) -> dict[str, Known]:
        """Return what the rows were when they were written."""
        if self._by is None:
            return self._ledger.known(self._mirror, ids)
        found = {}
        for row in self._reader.get(name, ids=ids):
            said = row["metadata"] or {}
            row_hash, commit = str(said.get("row_hash", "")), str(said.get("commit_sha", ""))
            found[row["id"]] = Known(self._path(said), row_hash, "", commit)
        return found
