"""Collections that users make for themselves, in the same store as the mirrors of git.

In: a `Target`, an embedding source, documents that are redacted already. Out: documents. Whatever
changes something is one short run of the writer process; the store is open for no longer than a
question. Nothing else holds these documents: they are no cache.
"""

import base64
import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Unavailable, UsageError
from . import client as clients
from . import own_store, store
from .own_store import Value
from .pipe import Writer
from .reader import ChromaReader
from .target import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..index.vectors import VectorSource

# A mirror at work may hold the store for some time; so may other servers, one after the other.
WAIT_S = 60.0
LONGEST_DOCUMENT = 100_000  # characters
# A model of sentences reads about a hundred words: a longer text is the mean of such pieces.
_WORDS, _MOST_PIECES = 90, 24
# Chroma's client of a folder is one a process: whoever closes it closes it for all threads.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a collection; `distance` is that to a query, cosine."""

    id: str
    document: str
    metadata: dict[str, Any] = field(default_factory=dict)
    distance: float = 0.0


class OwnCollections:
    """The collections of one store. Everything raises `Busy`, `Unavailable`, `Damaged`."""

    def __init__(self, target: Target, state_dir: Path, source: "VectorSource") -> None:
        self._target = target
        self._state_dir = state_dir
        self._source = source

    def create(self, name: str, description: str = "") -> bool:
        """Make a collection; return False where there is one. Raises `UsageError`, `ReadOnly`."""
        own_store.checked_name(name)
        return bool(
            self._write(
                "own_create", name=name, description=description,
                model_id=self._source.model_id, dimension=len(self._vector("dimension")),
            )["created"]
        )  # fmt: skip

    def listed(self) -> list[dict[str, Any]]:
        """Return name, description and number of documents of each collection, by name."""
        if not self._exists():
            return []
        with _ONE_AT_A_TIME, self._reader() as reader:
            return reader.own()

    def add(
        self, name: str, document: str, number: str = "", metadata: Mapping[str, Any] | None = None
    ) -> tuple[str, bool]:
        """Add a document; return its id, and False where it was there already.

        Without an id it gets one that is made of what it says: the same twice is one document.
        Raises `UsageError`, `ConfigurationError`, `ReadOnly`.
        """
        if not document.strip():
            raise UsageError("the document is empty")
        if len(document) > LONGEST_DOCUMENT:
            raise UsageError(
                f"a document has at most {LONGEST_DOCUMENT} characters", "add it in several parts"
            )
        given = own_store.checked_metadata(metadata or {})
        kept = {key: value for key, value in given.items() if value is not None}
        made = hashlib.sha256(store.canonical([document, kept]).encode()).hexdigest()[:32]
        number = own_store.checked_id(number) or made
        self._check(name)
        vector = self._vector(document)
        added = self._write(
            "own_add", name=name, model_id=self._source.model_id, number=number,
            metadata=kept, document=document, vector=base64.b64encode(vector.tobytes()).decode(),
        )["added"]  # fmt: skip
        return number, bool(added)

    def change(self, name: str, number: str, metadata: Mapping[str, Any]) -> dict[str, Value]:
        """Put metadata over that of a document; None takes a key away. Raises `UsageError`."""
        given = own_store.checked_metadata(metadata)
        self._check(name)
        done = self._write("own_change", name=name, number=number, metadata=given)
        return dict(done["metadata"])

    def delete(self, name: str, number: str) -> None:
        """Delete a document. Raises `UsageError`."""
        self._check(name)
        self._write("own_delete", name=name, number=number)

    def get(self, name: str, numbers: Sequence[str]) -> list[Document]:
        """Return documents in the order asked for; unknown ids are left out."""
        self._check(name)
        with _ONE_AT_A_TIME, self._reader() as reader:
            reader.require(name)
            return _documents(reader, name, list(dict.fromkeys(numbers)))

    def query(
        self, name: str, text: str, n: int, where: Mapping[str, Any] | None = None
    ) -> list[Document]:
        """Return the `n` nearest documents. Raises `UsageError`, `ConfigurationError`."""
        self._check(name)
        vector = self._source.embed_query(text)
        with _ONE_AT_A_TIME, self._reader() as reader:
            own_store.same_model(reader.require(name), self._source.model_id)
            hits = reader.query(name, vector, n, where)
            found = {one.id: one for one in _documents(reader, name, [id_ for id_, _, _ in hits])}
        return [
            Document(id_, found[id_].document, found[id_].metadata, distance)
            for id_, distance, _ in hits
            if id_ in found
        ]

    def _check(self, name: str) -> None:
        """Raise `UsageError` where there can be no such collection."""
        if not own_store.is_own(name) or not self._exists():
            raise own_store.missing(name)

    def _exists(self) -> bool:
        return self._target.kind != "persistent" or clients.database_of(self._target).is_file()

    def _reader(self) -> ChromaReader:
        return ChromaReader(self._target, WAIT_S)

    def _write(self, op: str, **fields: Any) -> dict[str, Any]:
        self._state_dir.mkdir(parents=True, exist_ok=True)
        with Writer(self._target, self._state_dir, WAIT_S) as writer:
            return writer.ask(op, **fields)

    def _vector(self, text: str) -> "NDArray[np.float32]":
        """Return the direction of the mean of the text's pieces. Raises `Unavailable`."""
        import numpy as np

        words = text.split()
        pieces = [" ".join(words[n : n + _WORDS]) for n in range(0, len(words), _WORDS)] or [text]
        step = -(-len(pieces) // _MOST_PIECES)
        found = np.stack([self._source.embed_query(piece) for piece in pieces[::step]])
        mean = found.mean(axis=0)
        length = float(np.linalg.norm(mean))
        if not np.isfinite(length) or not length:
            raise Unavailable("the embedding model knows nothing of this text", "add words to it")
        return np.asarray(mean / length, dtype="<f4")


def _documents(reader: ChromaReader, name: str, numbers: list[str]) -> list[Document]:
    records = {
        record["id"]: record
        for record in reader.get(name, ids=numbers, include=("metadatas", "documents"))
    }
    return [
        Document(number, records[number]["document"] or "", dict(records[number]["metadata"] or {}))
        for number in numbers
        if number in records
    ]
