"""Whether what was written is found by a search, and what to do where it is not.

In: an open collection, some of the vectors that it was given. Out: the ids of those that nothing
leads to. Chroma's index is a graph that several threads build. On a busy machine it was seen once
that a vector was there and was not found, as if none of its neighbours knew it; others report such
races. What is not found is given to the index once more.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import Damaged

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

FOUND_DISTANCE = 1e-4
_AT_ONCE = 100
_TIMES = 3


def unfindable(collection: "Collection", sample: "Mapping[str, NDArray[np.float32]]") -> list[str]:
    """Search each vector for itself; return the ids that are not found at a distance of about 0.

    Records with equal vectors stand in for each other; a vector of zeros has no direction.
    """
    ids = [id_ for id_, vector in sample.items() if vector.any()]
    lost = []
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        vectors: Any = [sample[id_] for id_ in part]
        found: Any = collection.query(query_embeddings=vectors, n_results=1, include=["distances"])
        for id_, distances in zip(part, found["distances"], strict=True):
            if not distances or distances[0] > FOUND_DISTANCE:
                lost.append(id_)
    return lost


def check_written(collection: "Collection", sample: "Mapping[str, NDArray[np.float32]]") -> None:
    """Make sure that vectors just written are found; `Damaged` where that takes more than a nudge.

    What is not found is given to the index again, as it is: metadata and texts are left alone.
    """
    for _ in range(_TIMES):
        missed = unfindable(collection, sample)
        if not missed:
            return
        got: Any = collection.get(ids=missed, limit=len(missed), include=["embeddings"])
        held = dict(zip(got["ids"], got["embeddings"], strict=True))
        if set(held) != set(missed):
            break
        # What somebody else has written meanwhile is theirs to look for.
        sample = {id_: sample[id_] for id_ in missed if _is_same(sample[id_], held[id_])}
        if not sample:
            return
        vectors: Any = list(sample.values())
        collection.update(ids=list(sample), embeddings=vectors)
    raise lost(collection.name)


def lost(name: str) -> Damaged:
    """Return what to say of a collection that does not have what it was given."""
    return Damaged(
        f"Chroma does not find in {name} what it was just given", "git skillmesh doctor --repair"
    )


def _is_same(ours: "NDArray[np.float32]", theirs: Any) -> bool:
    import numpy as np

    a, b = ours.astype(np.float64), np.asarray(theirs, dtype=np.float64)
    if a.shape != b.shape:
        return False
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return lengths > 0 and float(a @ b) / lengths > 1 - FOUND_DISTANCE
