"""What a repository leaves in a collection for its other mirrors: who wrote last, and what.

In: an open client, a collection, a repository. Out: its `token` and `mark`, "" for none. They stand
in the metadata of the collection, as far as the server takes more of it: Chroma Cloud has room for
32 keys of 36 bytes, which some fourteen repositories fill. Those of the others are records of the
list of repositories, found by the collection's own id, so that they mean nothing in a copy of it.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import store
from .pages import is_quota
from .schemas import DIRECTORY, SCHEMA_VERSION

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

# A record is found by its id; Chroma wants a vector all the same.
VECTOR = [[1.0]]
# What a record of a claim has, and that of a repository never.
_TOKEN = "token"  # noqa: S105  # a name
# Where metadata has fewer keys, and none is longer, no server has ever refused more of it.
_CROWDED, _LONG = 16, 36


def directory(client: "ClientAPI") -> "Collection":
    """Return the list of repositories; whoever comes first makes it."""
    configuration: Any = {"hnsw": {"space": store.SPACE}}
    return store.find(client, DIRECTORY) or client.get_or_create_collection(
        DIRECTORY,
        embedding_function=None,
        configuration=configuration,
        metadata={"schema": DIRECTORY, "schema_version": SCHEMA_VERSION, "dimension": 1},
    )


def is_claim(metadata: Mapping[str, Any]) -> bool:
    """Whether a record of the list is no repository, but what one has left for its mirrors."""
    return _TOKEN in metadata


def claim_of(client: "ClientAPI", collection: "Collection", repo_id: str) -> dict[str, str]:
    """Return token and mark of a repository; `collection` has been read just now."""
    metadata = store.metadata_of(collection)
    token, mark = _keys(repo_id)
    if token in metadata:
        return {"token": str(metadata[token]), "mark": str(metadata.get(mark, ""))}
    found: Mapping[str, Any] = {}
    if _may_be_aside(metadata, token) and (listed := store.find(client, DIRECTORY)) is not None:
        held: Any = listed.get(ids=[_number(collection, repo_id)], include=["metadatas"])
        found = (held["metadatas"] or [None])[0] or {}
    return {name: str(found.get(name, "")) for name in (_TOKEN, "mark")}


def leave(
    client: "ClientAPI", collection: "Collection", repo_id: str, token: str, mark: str
) -> None:
    """Leave a token, and a mark unless it is "". Killed anywhere, the old ones stand or the new."""
    fresh = store.find(client, collection.name) or collection
    metadata = store.metadata_of(fresh)
    keys = _keys(repo_id)
    claim = {keys[0]: token} | ({keys[1]: mark} if mark else {})
    try:
        store.set_metadata(collection, {**metadata, **claim})
    except Exception as error:
        if not is_quota(error):
            raise
        mark = mark or metadata.get(keys[1], "")
        _put_aside(client, collection, repo_id, {_TOKEN: token} | ({"mark": mark} if mark else {}))
        kept = {key: value for key, value in metadata.items() if key not in keys}
        if kept != metadata:
            store.set_metadata(collection, kept)
        return
    came = keys[0] not in metadata and _may_be_aside(metadata, keys[0])
    if came and (listed := store.find(client, DIRECTORY)) is not None:
        # What stood aside must not count again, should this be lost.
        listed.delete(ids=[_number(collection, repo_id)])


def _put_aside(
    client: "ClientAPI", collection: "Collection", repo_id: str, claim: Mapping[str, str]
) -> None:
    vectors: Any = VECTOR
    directory(client).upsert(
        ids=[_number(collection, repo_id)],
        embeddings=vectors,
        metadatas=[{"repo_id": repo_id, "collection": collection.name, **claim}],
    )


def _keys(repo_id: str) -> tuple[str, str]:
    return f"mirror:{repo_id}", f"head:{repo_id}"


def _may_be_aside(metadata: Mapping[str, Any], key: str) -> bool:
    return len(metadata) >= _CROWDED or len(key.encode()) > _LONG


def _number(collection: "Collection", repo_id: str) -> str:
    """Return the id of a record: another one for a collection that was made anew or copied."""
    made = hashlib.sha256(f"{collection.id} {repo_id}".encode()).hexdigest()
    return f"claim:{made[:32]}"
