"""A Chroma store in the layout of chroma-mcp-server: fields and ids as its users have them.

In: a folder and rows. Out: the store, filled by Chroma's own client and closed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from git_skillmesh.chroma.target import Target

from .moving import opened, vector_of

# id, metadata, document
ForeignRow = tuple[str, Mapping[str, Any] | None, str | None]
DIMENSION = 384


def fill(folder: Path, collections: Mapping[str, Sequence[ForeignRow]]) -> Path:
    """Make a store with these collections and return its folder."""
    with opened(Target("persistent", path=folder)) as end:
        for name, rows in collections.items():
            # The default embedding function is only named: it is never asked for a vector here.
            collection = end.client.create_collection(name)
            for number, (id_, metadata, document) in enumerate(rows):
                collection.add(
                    ids=[id_],
                    embeddings=[vector_of(number, DIMENSION)],
                    metadatas=[metadata] if metadata else None,
                    documents=[document] if document is not None else None,
                )
    return folder
