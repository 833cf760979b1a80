"""Write a repository's record in the list of a store: what `writer` does for `directory`.

In: an open client, a record. Out: the record in `skillmesh_repositories`. Its id is that of the
repository, so that writing it twice, from two clones at once or after a crash leaves one.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from .claims import VECTOR, directory
from .schemas import DIRECTORY
from .store import find

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_ORIGINS = "origins"
_MOST_ORIGINS = 100


def register(
    client: "ClientAPI", record: Mapping[str, Any], first: Mapping[str, Any], own: bool
) -> None:
    """Write a record; what it does not say stays, and is that of `first` where there was none.

    Its `origins` are added to those that are known, if the clone's user stands by its id (`own`) or
    none are.
    """
    collection = directory(client)
    number = str(record["repo_id"])
    held: Any = collection.get(ids=[number], include=["metadatas"])
    known = _origins((held["metadatas"] or [None])[0])
    more = _origins(record) if own or not known else ()
    listed = list(dict.fromkeys([*known, *more]))[:_MOST_ORIGINS]
    record = {**record, _ORIGINS: ",".join(listed)}
    if held["ids"]:
        # The vector stays as it is: Chroma's index never takes back the place of an old one.
        collection.update(ids=[number], metadatas=[dict(record)])
    else:
        vectors: Any = VECTOR
        collection.upsert(ids=[number], embeddings=vectors, metadatas=[{**first, **record}])


def refuse_stranger(client: "ClientAPI", repo_id: str, borrowed_by: Sequence[str] | None) -> None:
    """Raise `ConfigurationError` for a clone that says an id which is that of another repository.

    `borrowed_by` is the target's. Skills of a repository go by its id too.
    """
    collection = None if borrowed_by is None else find(client, DIRECTORY)
    if collection is None or borrowed_by is None:
        return
    number = repo_id.partition("@")[2] if repo_id.startswith("skills:") else repo_id
    held: Any = collection.get(ids=[number], include=["metadatas"])
    known = _origins((held["metadatas"] or [None])[0])
    if known and not set(known) & set(borrowed_by):
        name = str((held["metadatas"][0] or {}).get("repo_name", "")) or "another repository"
        own = borrowed_by[0] if borrowed_by else "ID"
        raise ConfigurationError(
            f"the repoid {number!a:.80}, which only .skillmesh/config.toml says, is that of "
            f"{name!a:.80} in this store",
            f"git config skillmesh.repoid {shlex.quote(number)} if it is the same repository, "
            f"{own} if it is another",
        )


def _origins(metadata: Mapping[str, Any] | None) -> list[str]:
    return [one for one in str((metadata or {}).get(_ORIGINS, "")).split(",") if one]
