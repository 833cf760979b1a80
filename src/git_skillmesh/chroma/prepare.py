"""Turn a source's row into the record that Chroma gets.

In: a `Row` and what the ledger knows of its id. Out: `Record`: cleaned metadata, the vector's
bytes and the hash that decides whether anything must be written.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from .ledger import Known
from .model import Row
from .store import canonical

VOLATILE = frozenset(("indexed_at", "row_hash"))
HALF = 16


@dataclass(frozen=True, slots=True)
class Record:
    """One record: `vector` is little-endian float32, `row_hash` is body and metadata."""

    id: str
    path: str
    metadata: Mapping[str, str | int | float | bool]
    document: str | None
    vector: bytes
    content_hash: str
    row_hash: str

    @property
    def known(self) -> Known:
        """What the ledger shall remember once this record is stored."""
        commit = str(self.metadata.get("commit_sha", ""))
        return Known(self.path, self.row_hash, self.content_hash, commit)


def prepare(row: Row, old: Known | None, valid: frozenset[str], repo_id: str) -> Record:
    """Return the record of a row.

    A chunk whose text is unchanged keeps the older commit, if HEAD still reaches it: what is
    known of the chunk beats what is known of its file. Raises `ValueError` for a vector with NaN.
    """
    vector = _bytes_of(row)
    document = None if row.document is None else clean(row.document)
    metadata = {
        key: clean(value) if isinstance(value, str) else value
        for key, value in row.metadata.items()
    }
    metadata["repo_id"] = repo_id
    body = _digest(vector, b"\1" + document.encode() if document is not None else b"\0")
    if old is not None and old.commit_sha in valid and metadata.get("commit_sha"):
        same = (
            old.content_hash == row.content_hash
            if old.content_hash
            else old.row_hash[:HALF] == body
        )
        if same:
            metadata["commit_sha"] = old.commit_sha
    stable = {key: value for key, value in metadata.items() if key not in VOLATILE}
    row_hash = body + _digest(canonical(stable).encode())
    metadata["row_hash"] = row_hash
    path = clean(row.path)
    return Record(row.id, path, metadata, document, vector, row.content_hash, row_hash)


def is_as_written(metadata: Mapping[str, object]) -> bool:
    """Whether stored metadata fits the hash that it was stored with."""
    stable = {key: value for key, value in metadata.items() if key not in VOLATILE}
    return str(metadata.get("row_hash", ""))[HALF:] == _digest(canonical(stable).encode())


def clean(text: str) -> str:
    """Return text that UTF-8 can carry; a byte of a path that is no UTF-8 is shown as \\udcXX."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _bytes_of(row: Row) -> bytes:
    import numpy as np

    vector = np.ascontiguousarray(row.embedding, dtype="<f4")
    if not np.isfinite(vector).all():
        raise ValueError(f"the vector of {row.id} is not finite")
    return vector.tobytes()


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:HALF]
