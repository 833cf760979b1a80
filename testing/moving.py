"""Stores to be copied, and what stands in a collection, whole, as Chroma's own client reads it.

In: a `Target`. Out: `opened` ends, `filled` collections, `content` to compare.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma import store
from git_skillmesh.chroma.moving.ends import End
from git_skillmesh.chroma.target import Target

Content = dict[str, Any]


@contextmanager
def opened(target: Target) -> Iterator[End]:
    """Open a store in this process, with Chroma's client and nothing around it."""
    client = clients.open_client(target, 20)
    try:
        yield End(client, target)
    finally:
        clients.close(client)


def add(
    collection: Any,
    ids: range,
    dimension: int = 4,
    metadata: "dict[str, Any] | None" = None,
    documents: bool = True,
) -> None:
    """Add records; vectors and texts follow from the number, `metadata` goes beside it."""
    given: Any = {
        "ids": [f"id-{n}" for n in ids],
        "embeddings": [vector_of(n, dimension) for n in ids],
        "metadatas": [{"n": n, **(metadata or {})} for n in ids],
    }
    if documents:
        given["documents"] = [f"text {n} — ü" for n in ids]
    collection.upsert(**given)


def vector_of(number: int, dimension: int = 4) -> Any:
    """Return the vector of a number, not of length 1."""
    return 3 * np.random.default_rng(number).standard_normal(dimension).astype(np.float32)


def filled(end: End) -> None:
    """Make three collections: one of ours with two repositories, one of a user's, an empty one."""
    tokens = {"mirror:repo-a": "t1", "head:repo-a": "m1", "mirror:repo-b": "t2"}
    code = store.create(end.client, "codebase_v1", "model-1", 4, **tokens)
    add(code, range(20), metadata={"repo_id": "repo-a"}, documents=False)
    add(code, range(20, 25), metadata={"repo_id": "repo-b"}, documents=False)
    settings: Any = {"space": "l2", "ef_construction": 77, "max_neighbors": 9, "ef_search": 33,
                     "num_threads": 1, "batch_size": 50, "sync_threshold": 200}  # fmt: skip
    notes = end.client.create_collection(
        "notes", configuration={"hnsw": settings}, embedding_function=None,
        metadata={"description": "of a user", "é": 1.5, "yes": True},
    )  # fmt: skip
    add(notes, range(9), 3)
    notes.upsert(ids=["bare"], embeddings=[0 * vector_of(1, 3)])
    notes.upsert(ids=["linked"], embeddings=[vector_of(7, 3)], uris=["file:///x"],
                 metadatas=[{"f": 0.1, "b": False, "i": 2**53}])  # fmt: skip
    end.client.create_collection("void", metadata={"hnsw:space": "ip"})  # names Chroma's default


def content(end: End, name: str) -> Content:
    """Return everything that a copy has to keep, vectors scaled to length 1 in a cosine space."""
    collection = end.find(name)
    assert collection is not None, name
    got: Any = collection.get(include=["embeddings", "metadatas", "documents", "uris"])
    vectors = np.asarray(got["embeddings"], dtype=np.float32)
    vectors = vectors.reshape(len(got["ids"]), -1) if len(vectors) else vectors
    if store.space_of(collection) == "cosine" and len(vectors):
        vectors = np.round(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 5) + 0.0
    rows = zip(got["ids"], vectors.tolist(), got["metadatas"], got["documents"], got["uris"],
               strict=True)  # fmt: skip
    said: Any = collection.configuration_json
    return {
        "metadata": collection.metadata,
        "index": said["hnsw"],
        "function": (said.get("embedding_function") or {}).get("name"),
        "rows": {id_: rest for id_, *rest in rows},
    }
