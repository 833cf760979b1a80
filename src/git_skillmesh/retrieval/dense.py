"""Cosine similarity of a query with every document of a corpus.

In: the query's vector. Out: float64[n]. Rows are int8, their products exact (index/vectors.py),
so the order of summation does not show.
"""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ..index.vectors import Vectors, quantise
from .corpus import Corpus, Floats

# Rows turned to float32 at a time: a block of 2,048 x 256 stays in the cache of a core.
_BLOCK = 2_048
# What the rows of a server may take as float32: 125,000 chunks of the built-in model.
_MOST_BYTES = 128_000_000
# What was not looked at in so many scans makes room for others.
_UNUSED = 64

Wide32 = NDArray[np.float32]


class Wide:
    """Rows as float32 [dimension, n], for a process that asks many times; at most 128 MB.

    The scan of them takes half as long, and is one call that leaves the interpreter to others.
    They belong to the file of a segment, which never changes, so they outlive the views that it
    is part of. For several threads.
    """

    def __init__(self, limit: int = _MOST_BYTES) -> None:
        self._limit = limit
        self._lock = Lock()
        self._scans = 0
        self._kept: OrderedDict[Hashable, tuple[Wide32, int]] = OrderedDict()

    def begin(self) -> None:
        """Begin a scan."""
        with self._lock:
            self._scans += 1

    def of(self, vectors: Vectors) -> Wide32 | None:
        """Return the rows of a segment, None where there is no room for them."""
        if vectors.file is None:
            return None
        with self._lock:
            known = self._kept.get(vectors.file)
            found = known[0] if known is not None else self._made(vectors)
            if found is not None:
                self._kept[vectors.file] = found, self._scans
                self._kept.move_to_end(vectors.file)
            return found

    def _made(self, vectors: Vectors) -> Wide32 | None:
        needed = 4 * vectors.rows.size
        taken = sum(wide.nbytes for wide, _ in self._kept.values())
        for key, (wide, last) in list(self._kept.items()):
            if taken + needed > self._limit and last < self._scans - _UNUSED:
                taken -= wide.nbytes
                del self._kept[key]
        if taken + needed > self._limit:
            return None
        found = np.empty(vectors.rows.shape[::-1], np.float32)
        for start in range(0, len(vectors.rows), _BLOCK):
            np.copyto(found[:, start : start + _BLOCK], vectors.rows[start : start + _BLOCK].T)
        return found


def cosines(corpus: Corpus, vector: NDArray[np.float32], wide: Wide | None = None) -> Floats:
    """Return the cosine of each live document with `vector`, 0 where nothing is known.

    They stand in an array of the corpus, until the next query.
    """
    query = quantise(vector[None, :])
    length = float(query.norms[0])
    if not length or not len(corpus):
        return np.zeros(len(corpus))
    row = query.rows[0].astype(np.float32)
    dots = corpus.cleared("dots", np.float32)
    if wide is not None:
        wide.begin()
    for loaded, offset in zip(corpus.segments, corpus.offsets, strict=False):
        if loaded.vectors is None:
            continue
        part = dots[offset : offset + len(loaded.vectors.rows)]
        whole = wide.of(loaded.vectors) if wide is not None else None
        if whole is not None:
            np.dot(row, whole, out=part)
        else:
            _scan(loaded.vectors.rows, row, part)
    norms = np.multiply(corpus.live_norms, length, out=corpus.scratch("norms"))
    scores: Floats = corpus.cleared("cosines")
    np.divide(dots, norms, out=scores, where=corpus.is_embedded)
    return scores


def _scan(rows: NDArray[np.int8], row: Wide32, dots: Wide32) -> None:
    block = np.empty((min(_BLOCK, len(rows)), len(row)), np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        part_of_block = block[: len(part)]
        np.copyto(part_of_block, part)
        np.dot(part_of_block, row, out=dots[start : start + len(part)])
