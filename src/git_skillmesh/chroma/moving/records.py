"""Records of a collection as they are carried over: read in bounded pages, compared, written.

In: a chromadb collection. Out: `Record`s, and digests that do not depend on their order.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

Where = Mapping[str, Any] | None
Do = Callable[[Callable[[], Any]], Any]
# A page is read into memory: by number for small records, by size for large ones.
MOST_RECORDS = 2000
PAGE_BYTES = 16 << 20
_FIRST_PAGE = 100
_MODULUS = 1 << 256
# Chroma scales vectors of a cosine collection, which costs the last digit of each number.
SAME_DIRECTION = 1e-6


@dataclass(frozen=True, slots=True)
class Record:
    """One record: `vector` is float32 of the collection's dimension."""

    id: str
    vector: "NDArray[np.float32]"
    metadata: Mapping[str, Any] | None
    document: str | None
    uri: str | None

    @property
    def size(self) -> int:
        """About how many bytes it takes in a request: a number of a vector is about 12."""
        text = len(self.document or "") + len(self.uri or "") + len(self.id)
        return 12 * len(self.vector) + text + sum(len(str(v)) + 20 for v in self.fields.values())

    @property
    def fields(self) -> Mapping[str, Any]:
        """The metadata, empty where there is none."""
        return self.metadata or {}

    @property
    def digest(self) -> int:
        """Hash of everything but the vector."""
        content = [self.id, dict(self.fields), self.document, self.uri]
        text = json.dumps(content, sort_keys=True, default=repr, separators=(",", ":"))
        return int.from_bytes(hashlib.sha256(text.encode()).digest())


class Sum:
    """Digest of many records in whatever order: the sum of theirs."""

    def __init__(self) -> None:
        self.rows = 0
        self._total = 0

    def add(self, record: Record) -> None:
        """Count a record in."""
        self.rows += 1
        self._total = (self._total + record.digest) % _MODULUS

    @property
    def text(self) -> str:
        """The sum as 64 hexadecimal digits."""
        return f"{self._total:064x}"


def pages(collection: "Collection", where: Where, most: int, do: Do) -> Iterator[list[Record]]:
    """Yield all records, page after page; `most` a page at most, fewer when they are large.

    Records that change places while they are read may be given twice or missed: whoever needs to
    know reads again until nothing differs.
    """
    offset, limit = 0, min(_FIRST_PAGE, most)
    while True:
        page = read(collection, do, where=where, limit=limit, offset=offset)
        if not page:
            return
        yield page
        offset += len(page)
        average = max(1, sum(record.size for record in page) // len(page))
        limit = max(1, min(most, PAGE_BYTES // average))


def by_ids(collection: "Collection", ids: Sequence[str], do: Do) -> dict[str, Record]:
    """Return those of the records that the collection has."""
    if not ids:
        return {}
    return {one.id: one for one in read(collection, do, ids=list(ids), limit=len(ids))}


def read(collection: "Collection", do: Do, where: Where = None, **options: Any) -> list[Record]:
    """Return one page, whole."""
    import numpy as np

    include: Any = ["embeddings", "metadatas", "documents", "uris"]
    if where:
        options["where"] = dict(where)
    got = do(lambda: collection.get(include=include, **options))
    vectors = np.asarray(got["embeddings"], dtype=np.float32)
    columns = (got[name] or [None] * len(got["ids"]) for name in include[1:])
    return [
        Record(id_, vector, metadata or None, document, uri)
        for id_, vector, metadata, document, uri in zip(got["ids"], vectors, *columns, strict=True)
    ]


def count(collection: "Collection", where: Where, most: int, do: Do) -> int:
    """Return how many records a condition selects."""
    if where is None:
        return int(do(collection.count))
    total = 0
    while True:
        offset = total
        options: Any = {"where": dict(where), "limit": most, "offset": offset, "include": []}
        got = do(partial(collection.get, **options))
        total += len(got["ids"])
        if len(got["ids"]) < most:
            return total


def same(a: Record, b: Record, space: str) -> bool:
    """Whether two records are equal as far as Chroma keeps what it is given."""
    return a.digest == b.digest and same_vector(a.vector, b.vector, space)


def same_vector(a: "NDArray[np.float32]", b: "NDArray[np.float32]", space: str) -> bool:
    """Whether two vectors are equal; in a cosine collection, whether their directions are."""
    import numpy as np

    if a.shape != b.shape:
        return False
    if space != "cosine" or np.array_equal(a, b):
        return bool(np.array_equal(a, b))
    x, y = a.astype(np.float64), b.astype(np.float64)
    lengths = float(np.linalg.norm(x) * np.linalg.norm(y))
    return lengths > 0 and float(x @ y) / lengths > 1 - SAME_DIRECTION


def batches(records: Sequence[Record], most: int, most_bytes: int) -> Iterator[list[Record]]:
    """Divide records into requests of a bounded number and size."""
    part: list[Record] = []
    size = 0
    for record in records:
        if part and (len(part) == most or size + record.size > most_bytes):
            yield part
            part, size = [], 0
        part.append(record)
        size += record.size
    if part:
        yield part


def put(collection: "Collection", records: Sequence[Record]) -> None:
    """Upsert records that the collection does not have, or has just lost. One request each kind.

    A kind has documents, metadata and URIs or has not: Chroma takes columns, whole or not at all.
    """
    kinds: dict[tuple[bool, bool, bool], list[Record]] = {}
    for record in records:
        kind = (record.metadata is not None, record.document is not None, record.uri is not None)
        kinds.setdefault(kind, []).append(record)
    for (metadata, document, uri), chosen in kinds.items():
        columns: dict[str, Any] = {
            "ids": [record.id for record in chosen],
            "embeddings": [record.vector for record in chosen],
        }
        if metadata:
            columns["metadatas"] = [dict(record.fields) for record in chosen]
        if document:
            columns["documents"] = [record.document for record in chosen]
        if uri:
            columns["uris"] = [record.uri for record in chosen]
        collection.upsert(**columns)


def lost(collection: "Collection", sample: Sequence[Record], space: str, do: Do) -> list[Record]:
    """Search each vector; return those that find nothing as near as they are to themselves."""
    import numpy as np

    found = []
    for record in sample:
        if not record.vector.any():
            continue  # it has no direction, so nothing is near it
        vectors: Any = [record.vector]
        got = do(
            partial(collection.query, query_embeddings=vectors, n_results=1, include=["distances"])
        )
        distances = got["distances"][0]
        square = float(np.dot(record.vector.astype(np.float64), record.vector))
        own = 1 - square if space == "ip" else 0.0
        if not distances or distances[0] > own + 1e-4 * max(1.0, square):
            found.append(record)
    return found
