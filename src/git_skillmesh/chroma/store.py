"""What is done to an open Chroma store: find, create, fill, count, swap and check collections.

In: a chromadb client and plain values. Out: plain values. Only `writer`, which holds the lock of
a local store, calls what changes something; the reading half also serves `reader`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from .finding import lost
from .pages import CLOUD_MOST
from .schemas import COLLECTIONS, SCHEMA_VERSION
from .target import Target

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

SPACE = "cosine"
_SAMPLE_ROWS = 5


def find(client: "ClientAPI", name: str) -> "Collection | None":
    """Return a collection, None when there is none of that name."""
    from chromadb.errors import NotFoundError

    try:
        return client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return None


def all_collections(client: "ClientAPI") -> "list[Collection]":
    """Return the collections of a store, however many requests that takes."""
    found: list[Collection] = []
    while True:
        page = client.list_collections(limit=CLOUD_MOST, offset=len(found))
        found += page
        if len(page) < CLOUD_MOST:
            return found


def create(
    client: "ClientAPI", name: str, model_id: str, dimension: int, **more: str
) -> "Collection":
    """Make an empty collection: cosine space, no embedding function of Chroma's.

    Clones that begin at the same moment all find none and all make it: whoever is late gets the
    one that is there, as does whoever never heard that the request was carried out.
    """
    configuration: Any = {"hnsw": {"space": SPACE}}
    try:
        return client.create_collection(
            name,
            embedding_function=None,
            configuration=configuration,
            metadata={**identity(name, model_id, dimension), **more},
        )
    except Exception:
        if (found := find(client, name)) is None:
            raise
        return found


def identity(name: str, model_id: str, dimension: int) -> dict[str, str | int]:
    """Return the metadata by which a collection says what it holds."""
    schema = schema_of(name)
    version = COLLECTIONS[schema].version if schema in COLLECTIONS else SCHEMA_VERSION
    return {
        "schema": schema,
        "schema_version": version,
        "model_id": model_id,
        "dimension": dimension,
    }


def schema_of(name: str) -> str:
    """Return the schema of a collection: `<schema>`, `<schema>-<registry>`, `<either>__<model>`."""
    return name.partition("__")[0].partition("-")[0]


def metadata_of(collection: "Collection") -> dict[str, Any]:
    """Return the collection's own metadata, empty when it has none."""
    return dict(collection.metadata or {})


def space_of(collection: "Collection") -> str:
    """Return the distance of the vector index."""
    configuration: Any = collection.configuration_json
    for index in ("hnsw", "spann"):
        if configuration.get(index):
            return str(configuration[index].get("space", "l2"))
    return str(metadata_of(collection).get("hnsw:space", "l2"))


def staging_name(name: str, model_id: str, dimension: int) -> str:
    """Return the name under which a replacement of `name` is filled."""
    return f"{name}__{hashlib.sha256(f'{model_id}:{dimension}'.encode()).hexdigest()[:12]}"


def open_for_writing(
    client: "ClientAPI", name: str, repo_id: str, model_id: str, dimension: int, rebuild: bool
) -> "tuple[Collection, bool]":
    """Return (the collection to fill, whether it is a replacement that must be adopted later).

    `rebuild` asks for a replacement, which a collection with other repositories cannot have.
    Raises `ConfigurationError` for a newer schema, and when the collection would have to be
    replaced although other repositories have records in it.
    """
    staging = staging_name(name, model_id, dimension)
    current = find(client, name)
    if current is None:
        # Nothing, or a swap that was cut off between deleting the old and renaming the new.
        finished = find(client, staging)
        if finished is not None:
            finished.modify(name=name)
            return finished, False
        # What another client has just made need not be of the same model: it is looked at below.
        current, rebuild = create(client, name, model_id, dimension), False
    refuse_newer(current)
    _refuse_staging_over(current, name)
    shared = has_other_repositories(current, repo_id)
    if _accepts(current, model_id, dimension) and (shared or not rebuild):
        upgrade(current, name, model_id, dimension)
        return current, False
    if shared:
        held = metadata_of(current).get("model_id", "an unknown model")
        raise ConfigurationError(
            f"{name} also holds records of other repositories, made with {held}",
            f"use that model, or another database for {model_id}",
        )
    replacement = find(client, staging)
    if replacement is not None and rebuild:
        client.delete_collection(staging)
        replacement = None
    return replacement or create(client, staging, model_id, dimension, staging_for=name), True


def _refuse_staging_over(current: "Collection", name: str) -> None:
    if metadata_of(current).get("schema", schema_of(name)) != schema_of(name):
        raise ConfigurationError(f"the collection {name} holds something else")


def _accepts(collection: "Collection", model_id: str, dimension: int) -> bool:
    """Whether vectors of this model may go in; `dimension` 0 is that of a source without rows."""
    meta = metadata_of(collection)
    if space_of(collection) != SPACE or meta.get("model_id", model_id) != model_id:
        return False
    if "model_id" not in meta and collection.count():
        return False
    held = meta.get("dimension") or dimension_of(collection)
    return not dimension or not held or held == dimension


def dimension_of(collection: "Collection") -> int | None:
    """Return the length of the vectors, None before the first one."""
    found: Any = getattr(getattr(collection, "_model", None), "dimension", None)
    return int(found) if found else None


def refuse_newer(collection: "Collection") -> None:
    """Raise `ConfigurationError` for a collection that a later version of this program made."""
    version = metadata_of(collection).get("schema_version", 0)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"{collection.name} has schema {version}, this program knows {SCHEMA_VERSION}",
            "upgrade git-skillmesh",
        )


def upgrade(collection: "Collection", name: str, model_id: str, dimension: int) -> bool:
    """Bring an older, additive schema version up to date where it stands; say if it was."""
    meta = metadata_of(collection)
    wanted = identity(name, model_id, dimension or int(meta.get("dimension", 0)))
    if wanted.items() <= meta.items():
        return False
    set_metadata(collection, {**meta, **wanted})
    return meta.get("schema_version") != wanted["schema_version"]


def set_metadata(collection: "Collection", metadata: Mapping[str, Any]) -> None:
    """Replace the collection's own metadata."""
    collection.modify(metadata={k: v for k, v in metadata.items() if not k.startswith("hnsw:")})


def adopt(client: "ClientAPI", staging: str, name: str) -> None:
    """Put a filled replacement in the place of the old collection.

    Cut off in between, there is no `name`, and `open_for_writing` does the renaming.
    """
    replacement = client.get_collection(staging, embedding_function=None)
    set_metadata(
        replacement, {k: v for k, v in metadata_of(replacement).items() if k != "staging_for"}
    )
    if find(client, name) is not None:
        client.delete_collection(name)
    replacement.modify(name=name)


def drop_abandoned(client: "ClientAPI", name: str) -> None:
    """Delete replacements of `name` that a later change of model left behind."""
    for other in all_collections(client):
        if metadata_of(other).get("staging_for") == name:
            client.delete_collection(other.name)


def has_other_repositories(collection: "Collection", repo_id: str) -> bool:
    """Whether records of another repository live here."""
    where: Any = {"repo_id": {"$ne": repo_id}}
    found = collection.get(where=where, limit=1, include=[])
    return bool(found["ids"])


def keeps_documents(collection: "Collection", target: Target, repo_id: str) -> bool:
    """Whether the rows of a repository have texts: as was said, as they do, as is usual there."""
    if target.keeps_documents is not None:
        return target.keeps_documents
    where: Any = {"repo_id": repo_id}
    one: Any = collection.get(where=where, limit=1, include=["documents"])
    if one["ids"]:
        return one["documents"][0] is not None
    return target.kind != "persistent"


def count(collection: "Collection", repo_id: str, guess: int | None = None) -> int:
    """Count the records of a repository, by a look at two of them where the guess is right.

    Every request makes the store find them all, so as few as possible are made: what is guessed,
    all that the collection has, then ever farther from there, and halves of what is left.
    """
    low, high = 0, collection.count()
    place, step = high if guess is None else min(max(guess, 0), high), 1
    where: Any = {"repo_id": repo_id}
    while low < high:
        first = max(place, 1)
        there = collection.get(where=where, limit=2, offset=first - 1, include=[])["ids"]
        if len(there) == 1:
            return first
        if there:
            low = first + 1
            place = min(first + step, high)
        else:
            high = first - 1
            place = max(first - step, low)
        step *= 2
        if step > high - low:
            place = (low + high + 1) // 2
    return low


def write(
    collection: "Collection",
    upsert: Sequence[Sequence[Any]],
    vectors: "NDArray[np.float32]",
    update: Sequence[Sequence[Any]],
    delete: Sequence[str],
) -> list[str]:
    """Apply one batch and check that the store has it; return ids of `update` it does not know.

    `upsert` holds [id, metadata, document], `update` [id, metadata]. Chroma merges metadata and
    keeps an old document, so what a record no longer has is taken away by name. Raises `Damaged`.
    """
    if delete:
        collection.delete(ids=list(delete))
    ids = [row[0] for row in upsert] + [row[0] for row in update]
    if not ids:
        return []
    # A limit, since Chroma Cloud gives without one as many as it likes.
    known: Any = collection.get(ids=ids, limit=len(ids), include=["metadatas", "documents"])
    old = dict(zip(known["ids"], known["metadatas"], strict=True))
    documented = {
        id_ for id_, text in zip(known["ids"], known["documents"], strict=True) if text is not None
    }
    bare = [row[0] for row in upsert if row[2] is None and row[0] in documented]
    if bare:
        collection.delete(ids=bare)
        old = {id_: meta for id_, meta in old.items() if id_ not in set(bare)}
    for has_text in (False, True):
        chosen = [n for n, row in enumerate(upsert) if (row[2] is not None) is has_text]
        if chosen:
            collection.upsert(
                ids=[upsert[n][0] for n in chosen],
                embeddings=vectors[chosen],
                metadatas=[_exactly(upsert[n][1], old.get(upsert[n][0])) for n in chosen],
                documents=[upsert[n][2] for n in chosen] if has_text else None,
            )
    present = [row for row in update if row[0] in old]
    if present:
        collection.update(
            ids=[row[0] for row in present],
            metadatas=[_exactly(row[1], old[row[0]]) for row in present],
        )
    missing = [row[0] for row in update if row[0] not in old]
    expected = set(ids) - set(missing)
    there = collection.get(ids=list(expected), limit=len(ids), include=[])["ids"]
    if set(there) != expected:
        raise lost(collection.name)
    return missing


def _exactly(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**{key: None for key in old or () if key not in new}, **new}


def report(
    collection: "Collection | None", name: str, embedding: Mapping[str, str]
) -> dict[str, Any]:
    """Describe one collection and what is wrong with it, as `CollectionReport` has it."""
    schema = COLLECTIONS[name]
    if collection is None:
        return {"name": name, "status": "missing", "problems": ["it does not exist"]}
    meta = metadata_of(collection)
    problems = []
    version = meta.get("schema_version", 0)
    if isinstance(version, int) and version > schema.version:
        problems.append(f"its schema {version} is newer than this program's {schema.version}")
    if space_of(collection) != SPACE:
        problems.append(f"its space is {space_of(collection)}, not {SPACE}")
    for key in ("model_id", "dimension"):
        if key in embedding and key in meta and str(meta[key]) != str(embedding[key]):
            problems.append(f"its {key} is {meta[key]}, not {embedding[key]}")
    held = dimension_of(collection)
    if held is not None and "dimension" in meta and held != meta["dimension"]:
        problems.append(f"its vectors have {held} dimensions, not {meta['dimension']}")
    peeked: Any = collection.get(limit=_SAMPLE_ROWS, include=["metadatas"])
    absent = {
        key
        for fields in peeked["metadatas"]
        for key in schema.fields
        if key not in (fields or {}) and key != "row_hash"
    }
    if absent:
        problems.append("records lack " + ", ".join(sorted(absent)))
    return {
        "name": name,
        "status": "wrong" if problems else "ok",
        "rows": collection.count(),
        "schema_version": version,
        "space": space_of(collection),
        "model_id": str(meta.get("model_id", "")),
        "dimension": int(meta.get("dimension", held or 0)),
        "problems": problems,
    }


def ensure(
    client: "ClientAPI", embeddings: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Create the collections that are missing, upgrade older ones, report on all of them."""
    existing = {name: find(client, name) for name in COLLECTIONS}
    for collection in existing.values():
        if collection is not None:
            refuse_newer(collection)
    reports = []
    for name, collection in existing.items():
        embedding = embeddings[name]
        model_id, dimension = embedding["model_id"], int(embedding["dimension"])
        status = ""
        if collection is None:
            create(client, name, model_id, dimension)
            status = "created"
        elif _accepts(collection, model_id, dimension) and upgrade(
            collection, name, model_id, dimension
        ):
            status = "upgraded"
        described = report(find(client, name), name, embedding)
        if status and not described["problems"]:
            described["status"] = status
        reports.append(described)
    return reports


def canonical(value: object) -> str:
    """Return one JSON text for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
