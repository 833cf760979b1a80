"""An open store at one end of a copy, and what stands in it.

In: a client and its `Target`. Out: collections, what identifies them, and how to make their like.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import own_store, store
from ..pages import CLOUD_MOST
from ..schemas import COLLECTIONS
from ..target import Target
from . import limits
from .patience import patiently
from .records import MOST_RECORDS

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

SERVER_MOST = 500
# Where one proxy takes 1 MB, another takes 8: larger requests are halved when they are refused.
REQUEST_BYTES = 4 << 20
# What a collection notes for a repository: who mirrored last, and what its rows describe.
_CLAIMS = ("mirror:", "head:")
# Collections whose rows belong to a repository. Those of skills belong to a registry.
OF_REPOSITORIES = frozenset(COLLECTIONS) - {"skillmesh_experts"}


@dataclass(frozen=True)
class End:
    """One end: an open client and where it leads."""

    client: "ClientAPI"
    target: Target

    @property
    def most(self) -> int:
        """How many records one request to write may hold."""
        return CLOUD_MOST if self.target.is_hosted else SERVER_MOST

    @property
    def page(self) -> int:
        """How many records one request to read may ask for."""
        return CLOUD_MOST if self.target.is_hosted else MOST_RECORDS

    def do(self, call: Callable[[], Any]) -> Any:
        """Call, patiently. Raises a `SkillmeshError`."""
        return patiently(call, self.target)

    def find(self, name: str) -> "Collection | None":
        """Return a collection as it is now, None where there is none."""
        found: Collection | None = self.do(lambda: store.find(self.client, name))
        return found

    def names(self) -> list[str]:
        """Return the names of all collections but of copies and replacements that are not ready."""
        return sorted(one.name for one in self.do(lambda: store.all_collections(self.client)))


def is_unready(name: str) -> bool:
    """Whether a name is that of a copy at work."""
    return own_store.UNREADY.search(name) is not None


def copy_name(name: str, source: Target, uuid: str, where: Mapping[str, Any] | None) -> str:
    """Return the name under which a copy is filled, the same for the same selection."""
    text = json.dumps([source.fingerprint, uuid, where], sort_keys=True)
    return f"{name}__copy_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def where_of(collection: "Collection", repositories: Sequence[str]) -> dict[str, Any] | None:
    """Return what selects the rows of repositories; None where all rows are meant.

    That is so without repositories, and for collections that are not made of repositories.
    """
    schema = store.metadata_of(collection).get("schema")
    if not repositories or schema not in OF_REPOSITORIES:
        return None
    if len(repositories) == 1:
        return {"repo_id": repositories[0]}
    return {"repo_id": {"$in": sorted(repositories)}}


def like(collection: "Collection", to: Target, where: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the arguments that make an empty collection like this one, the name aside.

    The embedding function is carried over as a name and its settings; it is never built, so that
    neither its package nor its key is needed. Chroma Cloud has an index of its own kind: only the
    space means something there.
    """
    chosen = where["repo_id"] if where else ()
    chosen = chosen["$in"] if isinstance(chosen, dict) else [chosen]
    metadata = {
        key: value
        for key, value in store.metadata_of(collection).items()
        if where is None or not key.startswith(_CLAIMS) or key.partition(":")[2] in chosen
    }
    if to.is_hosted and any(limits.excess_of_collection(collection.name, metadata)):
        # Without them the next mirror of each repository reads what is there, and changes nothing.
        metadata = without_claims(metadata)
    space = store.space_of(collection)
    index: dict[str, Any] = {"space": space}
    if to.kind != "cloud":
        index = {**hnsw_of(collection), "space": space}
    configuration: dict[str, Any] = {"hnsw": index}
    function = embedding_function_of(collection)
    if function is not None:
        configuration["embedding_function"] = _named(function, space)
    return {
        "metadata": metadata or None,
        "configuration": configuration,
        "embedding_function": None,
    }


def without_claims(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a collection without what repositories have left in it."""
    return {key: value for key, value in metadata.items() if not key.startswith(_CLAIMS)}


def hnsw_of(collection: "Collection") -> dict[str, Any]:
    """Return the settings of the vector index, empty where it is of another kind."""
    found: Any = getattr(getattr(collection, "_model", None), "serialized_schema", None) or {}
    for key in ("keys", "#embedding", "float_list", "vector_index", "config", "hnsw"):
        found = (found or {}).get(key)
    said: Any = collection.configuration_json
    return {**(found or {}), **(said.get("hnsw") or {})}


def embedding_function_of(collection: "Collection") -> dict[str, Any] | None:
    """Return name and settings of the embedding function, None where Chroma knows none."""
    said: Any = collection.configuration_json
    function = said.get("embedding_function") or {}
    return dict(function) if function.get("type") == "known" else None


def _named(function: Mapping[str, Any], space: str) -> Any:
    """Return what Chroma takes for an embedding function, and asks for no more than its name."""
    name, config = function.get("name", ""), function.get("config") or {}
    members = {
        "name": staticmethod(lambda: name),
        "get_config": lambda self: config,
        "is_legacy": lambda self: False,
        "default_space": lambda self: space,
        "supported_spaces": lambda self: [space],
    }
    return type("NamedOnly", (), members)()


def differences(source: "Collection", there: "Collection") -> list[str]:
    """Return why rows of one collection cannot go into another."""
    found = []
    pairs = [
        ("space", store.space_of(source), store.space_of(there)),
        ("dimension", dimension_of(source), dimension_of(there)),
        *(
            (key, store.metadata_of(source).get(key), store.metadata_of(there).get(key))
            for key in ("model_id", "schema")
        ),
    ]
    for what, ours, theirs in pairs:
        unknown = what == "dimension" and not (ours and theirs)
        if ours != theirs and not unknown:
            found.append(f"its {what} is {theirs or 'unknown'}, not {ours or 'unknown'}")
    return found


def dimension_of(collection: "Collection") -> int:
    """Return the length of the vectors, 0 where nobody knows."""
    held = store.dimension_of(collection)
    said = store.metadata_of(collection).get("dimension")
    return held or (said if isinstance(said, int) else 0)
