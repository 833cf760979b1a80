"""What every embedding model offers: texts in, vectors of unit length out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Embedder(Protocol):
    """A model that turns text into vectors; the cosine of two of them says how close they are."""

    @property
    def model_id(self) -> str:
        """Name of the model; it changes whenever the vectors of the same text would change."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, `[len(texts), dimension]`.

        Rows have unit length; a text of which the model knows nothing gives a row of zeros.
        """

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, `[dimension]`, of unit length or zero."""
