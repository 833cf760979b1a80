"""Search the rows of other repositories in a shared store.

In: an open reader, the vector of a question, the ids of repositories. Out: `OtherRow`s, nearest
first. Every search names the repositories whose rows it wants.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .directory import Listed
from .reader import ChromaReader, Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HERE = "."
# The beginning of an id that names a repository, at least.
_SHORTEST_ID = 6
_NAMED = 3


@dataclass(frozen=True, slots=True)
class OtherRow:
    """A row near a question: `cosine` -1..1; `document` is empty where none is stored."""

    id: str
    repo_id: str
    cosine: float
    metadata: Mapping[str, Any]
    document: str


def choose(known: Sequence[Listed], asked: Iterable[str], here: str) -> list[str]:
    """Return the ids of the repositories that names, ids or beginnings of ids mean.

    `here` is the id of this repository, which `.` means too. Raises `UsageError` for a name that
    no repository has, or several.
    """
    chosen = dict.fromkeys(_chosen(known, text, here) for text in asked)
    return list(chosen)


def _chosen(known: Sequence[Listed], text: str, here: str) -> str:
    if text in (HERE, here):
        return here
    lowered = text.lower()
    tests: tuple[Callable[[Listed], bool], ...] = (
        lambda one: one.repo_id == text,
        lambda one: one.name == text,
        lambda one: one.name.lower() == lowered,
        lambda one: one.name.lower().rpartition("/")[2] == lowered,
        lambda one: len(text) >= _SHORTEST_ID and one.repo_id.startswith(text),
    )
    for test in tests:
        found = [one for one in known if text and test(one)]
        if len(found) == 1:
            return found[0].repo_id
        if found:
            ids = ", ".join(one.repo_id for one in found[:_NAMED])
            raise UsageError(f"{len(found)} repositories are called {text}", f"name one by {ids}")
    raise UsageError(
        f"there is no repository {text} in this store", "git skillmesh collections --repos"
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose rows are wanted: those of `repositories`, or with `everything` all but of `here`."""

    repositories: tuple[str, ...]
    here: str
    everything: bool = False


def search(
    reader: ChromaReader,
    collection: str,
    question: "tuple[NDArray[np.float32], str]",
    wanted: Wanted,
    count: int,
    conditions: Sequence[Mapping[str, Any]] = (),
) -> list[OtherRow]:
    """Return up to `count` rows of other repositories that fulfil all conditions.

    `question` is a vector and the id of its model. Raises `Unavailable` for a collection that is
    not there or has vectors of another model, and what `ChromaReader` raises.
    """
    vector, model = question
    found: list[Hit] = []
    if wanted.everything:
        # A filter that lets nearly all rows through costs more than all else (docs/deployment.md).
        near = reader.query(collection, vector, 2 * count, _all_of(conditions), model)
        found = [one for one in near if one[2].get("repo_id") != wanted.here]
        if len(near) < min(2 * count, reader.pages.most) or len(found) >= count:
            return _with_texts(reader, collection, found[:count])
    if wanted.everything or wanted.repositories:
        owner = {"$ne": wanted.here} if wanted.everything else {"$in": list(wanted.repositories)}
        whole = _all_of([{"repo_id": owner}, *conditions])
        found = reader.query(collection, vector, count, whole, model)
    return _with_texts(reader, collection, found)


def _all_of(conditions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    if len(conditions) > 1:
        return {"$and": list(conditions)}
    return conditions[0] if conditions else None


def _with_texts(reader: ChromaReader, collection: str, found: Sequence[Hit]) -> list[OtherRow]:
    ids = [id_ for id_, _, _ in found]
    texts = {
        record["id"]: record["document"]
        for record in reader.get(collection, ids, include=("documents",))
    }
    return [
        OtherRow(
            id_, str(metadata.get("repo_id", "")), 1 - distance, metadata, texts.get(id_) or ""
        )
        for id_, distance, metadata in found
    ]
