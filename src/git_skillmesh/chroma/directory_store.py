"""Write a repository's record in the list of a store: what `writer` does for `directory`.

In: an open client, a record. Out: the record in `skillmesh_repositories`. Its id is that of the
repository, so that writing it twice, from two clones at once or after a crash leaves one.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .schemas import DIRECTORY, SCHEMA_VERSION
from .store import find

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

# A record is found by its id; Chroma wants a vector all the same.
_VECTOR = [[1.0]]


def register(client: "ClientAPI", record: Mapping[str, Any], first: Mapping[str, Any]) -> None:
    """Write a record; what it does not say stays, and is that of `first` where there was none.

    Whoever comes first makes the collection.
    """
    configuration: Any = {"hnsw": {"space": "cosine"}}
    collection = find(client, DIRECTORY) or client.get_or_create_collection(
        DIRECTORY,
        embedding_function=None,
        configuration=configuration,
        metadata={"schema": DIRECTORY, "schema_version": SCHEMA_VERSION, "dimension": 1},
    )
    number = str(record["repo_id"])
    if collection.get(ids=[number], include=[])["ids"]:
        # The vector stays as it is: Chroma's index never takes back the place of an old one.
        collection.update(ids=[number], metadatas=[dict(record)])
    else:
        vectors: Any = _VECTOR
        collection.upsert(ids=[number], embeddings=vectors, metadatas=[{**first, **record}])
