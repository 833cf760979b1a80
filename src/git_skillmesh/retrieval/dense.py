"""Cosine similarity of a query with every document of a view.

In: the query's vector. Out: float64[n]. Rows are int8, their products exact (index/vectors.py),
so the order of summation does not show.
"""

import numpy as np
from numpy.typing import NDArray

from ..index.vectors import quantise
from .lexical import Corpus

# Rows turned to float32 at a time: a block of 4,096 x 256 stays in the cache of a core.
_BLOCK = 4_096


def covers_everything(corpus: Corpus) -> bool:
    """Whether all segments have vectors of one model; otherwise none are used."""
    return all(loaded.vectors is not None for loaded in corpus.segments)


def cosines(corpus: Corpus, vector: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of each document with `vector`, 0 where nothing is known."""
    query = quantise(vector[None, :])
    length = float(query.norms[0])
    scores = np.zeros(len(corpus))
    if not length:
        return scores
    wide = query.rows[0].astype(np.float32)
    for loaded, offset in zip(corpus.segments, corpus.offsets, strict=False):
        vectors = loaded.vectors
        if vectors is None:
            continue
        for start in range(0, len(vectors.norms), _BLOCK):
            rows = vectors.rows[start : start + _BLOCK].astype(np.float32)
            norms = vectors.norms[start : start + _BLOCK].astype(np.float64) * length
            dots = (rows @ wide).astype(np.float64)
            np.divide(
                dots,
                norms,
                out=scores[offset + start : offset + start + len(norms)],
                where=norms > 0,
            )
    return scores
