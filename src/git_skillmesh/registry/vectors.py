"""The vectors of a registry's cards: which cards are near a question, and how near.

In: an `Index` and a question's vector. Out: cosines. Rows are whole numbers up to ±127, whose
products are exact in float32, so equal cards give equal cosines wherever the vectors are kept.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .index import Index
from .routing import Field

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

SEARCHED: Sequence[Field] = (Field.DESCRIPTION, Field.EXAMPLE, Field.EVERYDAY)
_ALL = 400
# More vectors than this are looked at a card at a time first: one vector for each.
_SCANNED = 60_000


class Vectors(Protocol):
    """Vectors of an index's cards, wherever they are kept."""

    def near(self, row: NDArray[np.float32], count: int) -> Numbers:
        """Return the numbers of up to `count` cards near a question's row."""

    def cosines(self, row: NDArray[np.float32], numbers: Numbers) -> Floats:
        """Return the cosine of these vectors with a question's row, 0 for those of length 0."""


class LocalVectors:
    """The vectors of the index itself; `near` looks at those of the fields `wanted`."""

    def __init__(self, index: Index, wanted: Sequence[Field] = ()) -> None:
        self._index = index
        self._all = not wanted and len(index) <= _ALL
        wanted = wanted or (SEARCHED if len(index.rows) <= _SCANNED else SEARCHED[:1])
        self._scanned = np.flatnonzero(np.isin(index.kinds, wanted))
        self._wide: NDArray[np.float32] | None = None

    def near(self, row: NDArray[np.float32], count: int) -> Numbers:
        """Return the numbers of the nearest cards; of few cards all."""
        if self._all:
            return np.arange(len(self._index))
        if self._wide is None:
            self._wide = self._index.rows[self._scanned].astype(np.float32)
        found = cosines(self._wide, row, self._index.norms[self._scanned])
        best = np.zeros(len(self._index))
        np.maximum.at(best, self._index.owners[self._scanned], found)
        return largest(best, count)

    def cosines(self, row: NDArray[np.float32], numbers: Numbers) -> Floats:
        """Return the cosine of these vectors with a question's row."""
        rows = self._index.rows[numbers].astype(np.float32)
        return cosines(rows, row, self._index.norms[numbers])


def cosines(
    rows: NDArray[np.float32], row: NDArray[np.float32], norms: NDArray[np.float32]
) -> Floats:
    """Return the cosine of each row with one row; `norms` are the lengths of the rows."""
    lengths = norms.astype(np.float64) * np.sqrt(np.dot(row, row).astype(np.float64))
    found = np.zeros(len(rows))
    np.divide(rows @ row, lengths, out=found, where=lengths > 0)
    return found


def largest(scores: Floats, count: int) -> Numbers:
    """Return the numbers of the largest positive scores, ascending; of equal ones the first."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > count:
        order = np.argsort(-scores[positive], kind="stable")
        positive = np.sort(positive[order[:count]])
    return positive
