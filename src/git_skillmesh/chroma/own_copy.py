"""Collections of users' own, whole: read out of a store, and put into one again.

In: a `Target`; records that anybody may have written down. Out: records with their vectors; what a
store has of them. A record is {"id", "document", "metadata", "vector"}, the vector as base64 of
little-endian float32.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from . import client as clients
from .own import WAIT_S
from .pipe import Writer
from .reader import ChromaReader
from .target import Target

# Records with long documents and long vectors, several at once: some megabytes.
_AT_ONCE = 100
_LONGEST_VECTOR = 65_536
SPACES = ("cosine", "l2", "ip")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a collection says of itself; `dimension` is 0 before its first record."""

    name: str
    space: str
    dimension: int
    metadata: Mapping[str, Any]

    @property
    def model_id(self) -> str:
        """The model of its vectors, "" where it does not say."""
        return str(self.metadata.get("model_id", ""))


@dataclass(slots=True)
class Compared:
    """Ids of records that a store lacks, has just so, has otherwise."""

    missing: set[str] = field(default_factory=set)
    same: int = 0
    differ: set[str] = field(default_factory=set)


@contextmanager
def opened(target: Target) -> Iterator[ChromaReader | None]:
    """Open a store for reading; None where no store is yet. Raises `Busy`, `Unavailable`."""
    if target.kind == "persistent" and not clients.database_of(target).is_file():
        yield None
        return
    with ChromaReader(target, WAIT_S) as reader:
        yield reader


def shapes(reader: ChromaReader) -> list[Shape]:
    """Return the collections of users' own, by name."""
    return [Shape(**one) for one in reader.own_shapes()]


def records(reader: ChromaReader, name: str) -> Iterator[dict[str, Any]]:
    """Yield every record of a collection, by id; what is deleted meanwhile is left out."""
    ids = sorted(record["id"] for record in reader.get(name, include=()))
    include = ("metadatas", "documents", "embeddings")
    for start in range(0, len(ids), _AT_ONCE):
        page = reader.get(name, ids=ids[start : start + _AT_ONCE], include=include)
        for found in sorted(page, key=lambda one: str(one["id"])):
            yield {
                "id": found["id"],
                "document": found["document"],
                "metadata": found["metadata"],
                "vector": _encoded(found["embedding"]),
            }


def _encoded(vector: Any) -> str:
    import numpy as np

    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()


def checked(found: Any, dimension: int) -> dict[str, Any]:
    """Return a record that somebody has written down. Raises ValueError."""
    try:
        vector = base64.b64decode(found["vector"], validate=True)
        fits = (
            isinstance(found["id"], str)
            and isinstance(found["document"], str | None)
            and isinstance(found["metadata"], dict | None)
            and 0 < len(vector) == 4 * dimension <= 4 * _LONGEST_VECTOR
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        fits = False
    if not fits:
        raise ValueError("it is no record of the collection")
    return {key: found[key] for key in ("id", "document", "metadata", "vector")}


def compare(
    reader: ChromaReader | None, shape: Shape, found: Iterable[Mapping[str, Any]]
) -> Compared:
    """Hold records against what a store has. Raises `ConfigurationError` for another model."""
    compared = Compared()
    here = {one.name: one for one in shapes(reader)} if reader else {}
    there = here.get(shape.name)
    if there is None or reader is None:
        compared.missing = {record["id"] for record in found}
        return compared
    _fits(there, shape)
    for part in _parts(found):
        ids = [record["id"] for record in part]
        known = {
            one["id"]: (one["document"], one["metadata"] or {})
            for one in reader.get(shape.name, ids=ids, include=("metadatas", "documents"))
        }
        for record in part:
            if record["id"] not in known:
                compared.missing.add(record["id"])
            elif known[record["id"]] == (record["document"], record["metadata"] or {}):
                compared.same += 1
            else:
                compared.differ.add(record["id"])
    return compared


def _fits(there: Shape, shape: Shape) -> None:
    wrong = [
        f"{what} {ours or 'unknown'}, not {theirs or 'unknown'}"
        for what, ours, theirs in (
            ("the model", there.model_id, shape.model_id),
            ("the space", there.space, shape.space),
            ("the dimension", there.dimension or shape.dimension, shape.dimension),
        )
        if ours != theirs
    ]
    if wrong:
        raise ConfigurationError(
            f"the collection {shape.name} here has {' and '.join(wrong)}",
            "leave the collections out, or use another store",
        )


def put(
    target: Target, state_dir: Path, wanted: Iterable[tuple[Shape, Iterable[Mapping[str, Any]]]]
) -> None:
    """Write records into collections, which are made where they are not. Raises as `Writer`."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with Writer(target, state_dir, WAIT_S) as writer:
        for shape, found in wanted:
            writer.ask(
                "own_make", name=shape.name, space=shape.space, metadata=dict(shape.metadata)
            )
            for part in _parts(found):
                rows = [[one["id"], one["metadata"], one["document"]] for one in part]
                vectors = b"".join(base64.b64decode(one["vector"]) for one in part)
                writer.ask(
                    "own_put",
                    name=shape.name,
                    rows=rows,
                    vectors=base64.b64encode(vectors).decode(),
                )


def _parts(found: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    rest = iter(found)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
