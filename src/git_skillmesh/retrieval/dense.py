"""Cosine similarity of a query with every document of a corpus.

In: the query's vector. Out: float64[n]. Rows are int8, their products exact (index/vectors.py),
so the order of summation does not show.
"""

import numpy as np
from numpy.typing import NDArray

from ..index.vectors import quantise
from .corpus import Corpus, Floats

# Rows turned to float32 at a time: a block of 2,048 x 256 stays in the cache of a core.
_BLOCK = 2_048


def cosines(corpus: Corpus, vector: NDArray[np.float32]) -> Floats:
    """Return the cosine of each document with `vector`, 0 where nothing is known."""
    query = quantise(vector[None, :])
    length = float(query.norms[0])
    if not length or not len(corpus):
        return np.zeros(len(corpus))
    wide = query.rows[0].astype(np.float32)
    dots = np.zeros(len(corpus), np.float32)
    block = np.empty((_BLOCK, len(wide)), np.float32)
    for loaded, offset in zip(corpus.segments, corpus.offsets, strict=False):
        rows = loaded.vectors.rows if loaded.vectors is not None else ()
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            part_of_block = block[: len(part)]
            np.copyto(part_of_block, part)
            first = offset + start
            np.dot(part_of_block, wide, out=dots[first : first + len(part)])
    norms = corpus.vector_norms * length
    scores = np.zeros(len(corpus))
    np.divide(dots, norms, out=scores, where=norms > 0)
    return scores
