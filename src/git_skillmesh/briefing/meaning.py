"""What a prompt means, as one vector for all who ask; and how like it learnings are.

In: a prompt. Out: an `Embedder` that embeds it once; cosines with the learnings of the index.
Only the built-in model of sentences: an agent does not wait for a provider. This loads numpy.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class Meaning:
    """The built-in model of sentences, which remembers the last text that was asked of it."""

    def __init__(self) -> None:
        from ..embedding.sentence import SentenceEmbedder

        self._model = SentenceEmbedder.load()
        self._last: tuple[str, Floats] | None = None

    @property
    def model_id(self) -> str:
        """Name of the model."""
        return self._model.model_id

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._model.dimension

    def embed_query(self, text: str) -> "Floats":
        """Return the vector of a prompt."""
        if self._last is None or self._last[0] != text:
            self._last = text, self._model.embed_query(text)
        return self._last[1]

    def embed_documents(self, texts: Sequence[str]) -> "Floats":
        """Return one row a text."""
        return self._model.embed_documents(texts)


@cache
def sentences() -> Meaning:
    """Return the model: one a process."""
    return Meaning()


def likeness(text: str, paths: Iterable[str], state: Path) -> dict[str, float]:
    """Return path of a learning → how like a prompt it is, for those whose vector is indexed."""
    import numpy as np

    from ..arrays import open_arrays
    from ..index.database import open_database

    folder = state / "learnings"
    try:
        database = open_database(folder / "catalogue.db", write=False)
    except FileNotFoundError:
        return {}
    model = sentences()
    asked = model.embed_query(text).astype(np.float64)
    found: dict[str, float] = {}
    with closing(database) as connection:
        for path in paths:
            row = connection.execute(
                "SELECT files.segment, first_row FROM files JOIN vectors"
                " ON vectors.segment = files.segment AND model = ? WHERE path = ?"
                " ORDER BY id DESC LIMIT 1",
                (model.model_id, os.fsencode(path)),
            ).fetchone()
            if row is None:
                continue
            key = hashlib.sha256(model.model_id.encode()).hexdigest()[:8]
            arrays = open_arrays(folder / "segments" / f"{row[0]}.{key}.vec", check=False)
            vector = arrays["rows"][row[1]].astype(np.float64)
            length = float(np.sqrt(vector @ vector) * np.sqrt(asked @ asked))
            found[path] = float(vector @ asked) / length if length else 0.0
    return found
