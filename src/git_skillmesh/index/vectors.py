"""Vectors of a segment: int8 rows beside the lexical file, one file for each model.

In: documents. Out: `Vectors`. Rows are quantised to whole numbers in -127..127, so that a dot
product of up to 1,040 of them is exact in float32 (1,040 * 127 * 127 < 2**24) in whatever order
it is summed: the same tree gives the same scores bit for bit.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import open_arrays, write_arrays
from ..config import Config
from ..embedding.protocol import Embedder
from ..embedding.static import StaticEmbedder
from .documents import Document

_PROVIDER_BATCH = 64
# A row whose largest value is smaller is as good as zero, and 127 divided by it may overflow.
_TINIEST = 1e-30


@dataclass(frozen=True, slots=True)
class Vectors:
    """`rows` int8[n, dimension] and their lengths `norms` float32[n] (0 where nothing is known).

    `file` names the file that they are mapped from: what equals it has the same rows.
    """

    rows: NDArray[np.int8]
    norms: NDArray[np.float32]
    file: tuple[int, ...] | None = None


class VectorSource(Protocol):
    """Gives vectors of one model for documents."""

    model_id: str

    def vectors(self, documents: Sequence[Document]) -> Vectors:
        """Return a row for each document."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query."""


class BuiltinSource:
    """The built-in model. Its vectors cost less to compute than to look up, so none are cached."""

    def __init__(self, embedder: StaticEmbedder) -> None:
        self._embedder = embedder
        self.model_id = embedder.model_id

    def vectors(self, documents: Sequence[Document]) -> Vectors:
        """Return a row for each document."""
        found = np.zeros((len(documents), self._embedder.dimension), np.float32)
        for row, document in zip(found, documents, strict=True):
            row[:] = self._embedder.embed_fields(document.fields)
        return quantise(found)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query."""
        return self._embedder.embed_query(text)


class SentenceSource:
    """The built-in model of sentences, for a few texts that people wrote.

    Documents without prose are left to their words: the model takes its time, and knows no code.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.model_id = embedder.model_id

    def vectors(self, documents: Sequence[Document]) -> Vectors:
        """Return a row for each document."""
        return quantise(self._embedder.embed_documents([one.prose for one in documents]))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query."""
        return self._embedder.embed_query(text)


class ProviderSource:
    """A configured model. What it has embedded once is kept in `cache`, keyed by model and text."""

    def __init__(self, embedder: Embedder, cache: Path) -> None:
        self._embedder = embedder
        self._cache = cache
        self.model_id = embedder.model_id

    def vectors(self, documents: Sequence[Document]) -> Vectors:
        """Return a row for each document, asking the provider only for texts never seen."""
        texts = [document.embedded_text for document in documents]
        keys = [hashlib.sha256(text.encode(errors="surrogatepass")).digest() for text in texts]
        connection = sqlite3.connect(self._cache, timeout=30, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (model TEXT, text BLOB, data BLOB,"
                " PRIMARY KEY (model, text)) WITHOUT ROWID"
            )
            known = {key: self._load(connection, key) for key in keys}
            missing = {k: t for k, t in zip(keys, texts, strict=True) if known[k] is None}
            wanted = list(missing.items())
            for start in range(0, len(wanted), _PROVIDER_BATCH):
                part = wanted[start : start + _PROVIDER_BATCH]
                new = quantise(self._embedder.embed_documents([text for _, text in part])).rows
                for (key, _), row in zip(part, new, strict=True):
                    known[key] = row
                    connection.execute(
                        "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                        (self.model_id, key, row.tobytes()),
                    )
        finally:
            connection.close()
        rows = [row for key in keys if (row := known[key]) is not None]
        if not rows:
            return Vectors(np.zeros((0, 1), np.int8), np.zeros(0, np.float32))
        return _measured(np.stack(rows))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query."""
        return self._embedder.embed_query(text)

    def _load(self, connection: sqlite3.Connection, key: bytes) -> NDArray[np.int8] | None:
        found = connection.execute(
            "SELECT data FROM vectors WHERE model = ? AND text = ?", (self.model_id, key)
        ).fetchone()
        return np.frombuffer(found[0], np.int8) if found else None


def source_of(config: Config, cache: Path) -> VectorSource:
    """Return the source of the configured model. Raises `Unavailable`, `ConfigurationError`."""
    provider = config["embedding.provider"].lower()
    if provider in ("", "builtin"):
        return builtin_source()
    from ..embedding.providers import make_embedder

    return ProviderSource(make_embedder(provider, config["embedding.name"], config.environ), cache)


def prose_source_of(config: Config, cache: Path) -> VectorSource:
    """Return the source for prose: a configured model, or the built-in one of sentences.

    Raises like `source_of`.
    """
    found = source_of(config, cache)
    return sentence_source() if isinstance(found, BuiltinSource) else found


@cache
def sentence_source() -> SentenceSource:
    """Return the source of the built-in model of sentences: one a process, read once."""
    from ..embedding.sentence import builtin_model  # a query for code has no use for it

    return SentenceSource(builtin_model())


@cache
def builtin_source() -> BuiltinSource:
    """Return the source of the built-in model: one a process, whose words are read once."""
    return BuiltinSource(StaticEmbedder.load())


def quantise(vectors: NDArray[np.float32]) -> Vectors:
    """Scale each row so that its largest value is ±127, and round."""
    largest = np.abs(vectors).max(axis=1, keepdims=True) if vectors.size else vectors[:, :1]
    scale = np.divide(127, largest, out=np.zeros_like(largest), where=largest > _TINIEST)
    return _measured(np.rint(vectors * scale).astype(np.int8))


def _measured(rows: NDArray[np.int8]) -> Vectors:
    wide = rows.astype(np.int32)
    norms = np.sqrt(np.einsum("ij,ij->i", wide, wide).astype(np.float64))
    return Vectors(rows, norms.astype(np.float32))


def unit_rows(vectors: Vectors) -> NDArray[np.float32]:
    """Return the rows as unit vectors (zero where nothing is known)."""
    norms = vectors.norms[:, None]
    wide = vectors.rows.astype(np.float32)
    return np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0)


def vector_path(stem: Path, model: str) -> Path:
    """Return where the vectors of a segment lie for a model."""
    key = hashlib.sha256(model.encode()).hexdigest()[:8]
    return stem.with_name(f"{stem.name}.{key}.vec")


def write_vectors(vectors: Vectors, path: Path) -> None:
    """Write the vectors of one segment. Atomic."""
    write_arrays(path, {"rows": vectors.rows, "norms": vectors.norms})


def open_vectors(path: Path, check: bool = False) -> Vectors:
    """Map the vectors of one segment. Raises `Damaged` and FileNotFoundError."""
    before = _file_at(path)
    arrays = open_arrays(path, check)
    # Files are replaced as a whole: the one that was there before and after is the one mapped.
    file = before if _file_at(path) == before else None
    return Vectors(arrays["rows"], arrays["norms"], file)


def _file_at(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
