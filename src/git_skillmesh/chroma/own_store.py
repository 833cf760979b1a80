"""What is done to collections that users have made: make, add, change, delete.

In: a chromadb client and plain values. Out: plain values. Only `writer` calls what changes
something. A collection of a user's is one whose name belongs to no schema.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, UsageError
from . import finding, store
from .schemas import COLLECTIONS, DIRECTORY

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

Value = str | int | float | bool
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}[A-Za-z0-9]")
UNREADY = re.compile(r"__copy_[0-9a-f]{12}\Z")
_LARGEST = 2**63
_LONGEST_ID = 200
_LONGEST_KEY = 100
_MOST_KEYS = 64
# What a collection says of itself, beside what its user says.
_DESCRIPTION = "description"


def is_own(name: str) -> bool:
    """Whether a collection of this name would be a user's; a copy that is not ready is nobody's."""
    known = {*COLLECTIONS, DIRECTORY}
    return store.schema_of(name) not in known and not UNREADY.search(name)


def checked_name(name: str) -> str:
    """Return a name that a user may give. Raises `UsageError`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r:.80} cannot name a collection",
            "3 to 64 letters, digits, dots, dashes and underscores, the ends a letter or a digit",
        )
    if not is_own(name) or "__" in name:
        raise UsageError(f"{name} is a name that git skillmesh keeps for itself", "choose another")
    return name


def checked_id(number: str) -> str:
    """Return an id that a user may give. Raises `UsageError`."""
    if len(number) > _LONGEST_ID or not number.isprintable():
        raise UsageError(f"an id has at most {_LONGEST_ID} characters, all of them printable")
    return number


def checked_metadata(metadata: Mapping[str, Any]) -> dict[str, Value | None]:
    """Return metadata that a record may carry; None takes a key away. Raises `UsageError`."""
    if len(metadata) > _MOST_KEYS:
        raise UsageError(f"metadata may have {_MOST_KEYS} keys")
    for key, value in metadata.items():
        if not key or len(key) > _LONGEST_KEY or not key.isprintable() or key.startswith("chroma:"):
            raise UsageError(f"metadata cannot have the key {key!r:.80}")
        if value is not None and not isinstance(value, str | int | float | bool):
            raise UsageError(
                f"metadata {key!r:.80} is neither text, number nor true or false",
                "write a list as text, separated by commas",
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"metadata {key!r:.80} is no finite number")
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise UsageError(f"metadata {key!r:.80} does not fit 64 bits")
    return dict(metadata)


def described(collection: "Collection") -> dict[str, Any]:
    """Return what a list of collections says of one."""
    meta = store.metadata_of(collection)
    return {
        "collection_name": collection.name,
        "description": str(meta.get(_DESCRIPTION, "")),
        "documents": collection.count(),
    }


def shape_of(collection: "Collection") -> dict[str, Any]:
    """Return name, space, dimension and metadata of a collection, as one like it is made."""
    return {
        "name": collection.name,
        "space": store.space_of(collection),
        "dimension": store.dimension_of(collection) or 0,
        "metadata": {
            key: value
            for key, value in store.metadata_of(collection).items()
            if not key.startswith("hnsw:")
        },
    }


def make(client: "ClientAPI", name: str, space: str, metadata: Mapping[str, Any]) -> None:
    """Make a collection where there is none. Raises `UsageError` for a name of ours."""
    if not is_own(name):
        raise UsageError(f"{name} is a name that git skillmesh keeps for itself")
    if store.find(client, name) is None:
        configuration: Any = {"hnsw": {"space": space}}
        client.create_collection(
            name, embedding_function=None, configuration=configuration,
            metadata=dict(metadata) or None,
        )  # fmt: skip


def put(
    collection: "Collection",
    rows: "Sequence[tuple[str, Mapping[str, Value] | None, str | None]]",
    vectors: "NDArray[np.float32]",
) -> None:
    """Write records as they are given, over what may be there. Raises `Damaged`."""
    held: Any = collection.get(ids=[row[0] for row in rows], include=[])
    if held["ids"]:
        collection.delete(ids=held["ids"])  # Chroma would merge metadata
    # A document is given for all records of a call or for none, and so is metadata.
    kinds = {(row[1] is None or not row[1], row[2] is None) for row in rows}
    for bare, silent in sorted(kinds):
        chosen = [n for n, row in enumerate(rows) if (not row[1], row[2] is None) == (bare, silent)]
        metadatas: Any = None if bare else [dict(rows[n][1] or {}) for n in chosen]
        documents: Any = None if silent else [rows[n][2] for n in chosen]
        collection.upsert(
            ids=[rows[n][0] for n in chosen], embeddings=vectors[chosen],
            metadatas=metadatas, documents=documents,
        )  # fmt: skip
    if store.space_of(collection) == store.SPACE:  # in others nothing says what is near
        finding.check_written(collection, {rows[n][0]: vectors[n] for n in range(0, len(rows), 20)})


def create(client: "ClientAPI", name: str, description: str, model_id: str, dimension: int) -> bool:
    """Make a collection; return False where it was there. Raises `ConfigurationError`."""
    if store.find(client, name) is not None:
        return False
    more = {_DESCRIPTION: description} if description else {}
    store.create(client, name, model_id, dimension, **more)
    return True


def opened(client: "ClientAPI", name: str) -> "Collection":
    """Return a collection that is there. Raises `UsageError`."""
    found = store.find(client, name)
    if found is None:
        raise missing(name)
    return found


def missing(name: str) -> UsageError:
    """Return what to say where there is no such collection."""
    return UsageError(
        f"there is no collection {name}", "chroma_list_collections shows them, "
        "chroma_create_collection makes one",
    )  # fmt: skip


def unknown_document(name: str, number: str) -> UsageError:
    """Return what to say where there is no such document."""
    return UsageError(f"there is no document {number} in {name}")


def same_model(collection: "Collection", model_id: str) -> None:
    """Raise `ConfigurationError` for a collection of another embedding model."""
    held = store.metadata_of(collection).get("model_id")
    if held != model_id:
        raise ConfigurationError(
            f"{collection.name} holds vectors of {held or 'an unknown model'}, not of {model_id}",
            "configure that model, or make another collection",
        )


def add(
    collection: "Collection",
    number: str,
    metadata: Mapping[str, Value],
    document: str,
    vector: "NDArray[np.float32]",
) -> bool:
    """Add a document; return False where the very same is there. Raises `UsageError`."""
    known: Any = collection.get(ids=[number], include=["metadatas", "documents"])
    if known["ids"]:
        if known["documents"][0] == document and (known["metadatas"][0] or {}) == metadata:
            return False
        raise UsageError(
            f"{collection.name} has another document {number}",
            "choose another id, or chroma_delete_document_by_id first",
        )
    vectors: Any = [vector]
    collection.upsert(
        ids=[number], embeddings=vectors, documents=[document],
        metadatas=[dict(metadata)] if metadata else None,
    )  # fmt: skip
    finding.check_written(collection, {number: vector})
    return True


def change(
    collection: "Collection", number: str, metadata: Mapping[str, Value | None]
) -> dict[str, Value]:
    """Put metadata over what a document has; return all of it. Raises `UsageError`."""
    known: Any = collection.get(ids=[number], include=["metadatas"])
    if not known["ids"]:
        raise unknown_document(collection.name, number)
    merged = {**(known["metadatas"][0] or {}), **metadata}
    # A key without a value is taken away by saying so.
    if metadata:
        collection.update(ids=[number], metadatas=[merged])
        _settle(collection)
    return {key: value for key, value in merged.items() if value is not None}


def delete(collection: "Collection", number: str) -> None:
    """Delete a document. Raises `UsageError`."""
    if not collection.get(ids=[number], include=[])["ids"]:
        raise unknown_document(collection.name, number)
    collection.delete(ids=[number])
    _settle(collection)


def _settle(collection: "Collection") -> None:
    """Search once: it makes Chroma bring its index up to date, which no reader shall have to do."""
    got: Any = collection.get(limit=1, include=["embeddings"])
    if got["ids"]:
        collection.query(query_embeddings=[got["embeddings"][0]], n_results=1, include=[])
