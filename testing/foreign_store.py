"""A Chroma store in the layout of chroma-mcp-server: fields and ids as its users have them.

In: a folder and rows. Out: the store, filled by Chroma's own client in a process of its own, so
that nothing of it stays open.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# id, metadata, document
ForeignRow = tuple[str, Mapping[str, Any] | None, str | None]
DIMENSION = 384


def fill(folder: Path, collections: Mapping[str, Sequence[ForeignRow]]) -> Path:
    """Make a store with these collections and return its folder."""
    given = json.dumps([str(folder), {name: list(rows) for name, rows in collections.items()}])
    subprocess.run(
        [sys.executable, "-m", "testing.foreign_store"],
        input=given.encode(), check=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    return folder


def main() -> None:
    """Fill the store that standard input describes."""
    import chromadb
    import numpy as np
    from chromadb.config import Settings

    folder, collections = json.load(sys.stdin)
    client = chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    random = np.random.default_rng(0)
    for name, rows in collections.items():
        # The default embedding function is only named: it is never asked for a vector here.
        collection = client.create_collection(name)
        for id_, metadata, document in rows:
            collection.add(
                ids=[id_],
                embeddings=random.standard_normal((1, DIMENSION)).astype(np.float32),
                metadatas=[metadata] if metadata else None,
                documents=[document] if document is not None else None,
            )


if __name__ == "__main__":
    main()
