"""BM25 over the live documents of a view, one score for each field.

In: a query and a view. Out: arrays over all documents. Document frequencies and average lengths
are those of the live documents, so the scores are a function of the searched tree alone.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..index.segment import Field
from .corpus import Corpus, Floats, Integers
from .terms import Query

_K1 = 1.2
# How much a field's length counts: much in running text, little in names.
_B = {
    Field.BODY: 0.75,
    Field.IDENTIFIER: 0.5,
    Field.SYMBOL: 0.4,
    Field.SCOPE: 0.3,
    Field.COMMENT: 0.5,
    Field.STEM: 0.6,
    Field.DIRECTORY: 0.3,
}
CHUNK_FIELDS = (Field.BODY, Field.IDENTIFIER, Field.SYMBOL, Field.SCOPE, Field.COMMENT)
PATH_FIELDS = (Field.STEM, Field.DIRECTORY)
_FILE_B = 0.5


@dataclass(slots=True)
class LexicalScores:
    """Scores by field: float64[n] for fields of chunks, float64[f] for fields of files.

    `file_body` and `file_symbol` score whole files. `idf` holds the weight of each stem in the
    order of the query; `chunk_hits` and `file_hits` say which stems a document or file contains,
    as bits.
    """

    chunk: dict[int, Floats]
    file: dict[int, Floats]
    file_body: Floats
    file_symbol: Floats
    idf: list[float]
    chunk_hits: Integers
    file_hits: Integers
    stem_hits: Integers
    symbol_hits: Integers
    directory_hits: Integers


_MOST_STEMS = 60


def score(corpus: Corpus, query: Query) -> LexicalScores:
    """Score every live document and file."""
    count, files = len(corpus), corpus.file_count
    result = LexicalScores(
        {field: np.zeros(count) for field in CHUNK_FIELDS},
        {field: np.zeros(files) for field in PATH_FIELDS},
        np.zeros(files),
        np.zeros(files),
        [],
        *(np.zeros(size, np.int64) for size in (count, files, files, count, files)),
    )
    if not corpus.live_chunks:
        result.idf = [0.0] * len(query.stems)
        return result
    _score_stems(corpus, list(query.stems.values())[:_MOST_STEMS], result)
    _score_wholes(corpus, list(query.wholes.values())[:_MOST_STEMS], result)
    return result


def _idf(count: int, total: int) -> float:
    return math.log(1 + (total - count + 0.5) / (count + 0.5))


def _saturated(corpus: Corpus, field: int, documents: Integers, frequencies: Floats) -> Floats:
    """Return BM25's term frequency part for some documents of a field."""
    count = corpus.live_chunks if field in CHUNK_FIELDS else corpus.live_files
    average = float(corpus.totals[field]) / count
    norms = _norms(corpus.lengths[field][documents], average, _B[field])
    return frequencies * (_K1 + 1) / (frequencies + norms)


def _norms(lengths: NDArray[Any], average: float, b: float) -> Floats:
    scaled: Floats = _K1 * (1 - b + b * lengths / max(average, 1e-9))
    return scaled


def _score_stems(corpus: Corpus, stems: Sequence[int], result: LexicalScores) -> None:
    fields = (Field.BODY, Field.SYMBOL, Field.SCOPE, Field.COMMENT, Field.STEM, Field.DIRECTORY)
    found = iter(corpus.postings([stem | field for stem in stems for field in fields]))
    for number in range(len(stems)):
        bit = 1 << number
        file_hit = np.zeros(corpus.file_count, np.bool_)
        for field in fields:
            documents, frequencies = next(found)
            files = corpus.files[documents]
            file_hit[files] = True
            parts = _saturated(corpus, field, documents, frequencies)
            if field in PATH_FIELDS:
                idf = _idf(len(documents), corpus.live_files)
                result.file[field][files] += idf * parts
                hits = result.stem_hits if field == Field.STEM else result.directory_hits
                hits[files] |= bit
                continue
            idf = _idf(len(documents), corpus.live_chunks)
            result.chunk[field][documents] += idf * parts
            result.chunk_hits[documents] |= bit
            if field == Field.BODY:
                result.idf.append(idf)
                _add_to_files(corpus, result.file_body, corpus.file_body, files, frequencies)
            elif field == Field.SYMBOL:
                result.symbol_hits[documents] |= bit
                _add_to_files(corpus, result.file_symbol, corpus.file_symbols, files, frequencies)
        result.file_hits[file_hit] |= bit


def _add_to_files(
    corpus: Corpus, scores: Floats, lengths: Floats, files: Integers, frequencies: Floats
) -> None:
    """Score whole files for one stem: `lengths` float64[f] are those of the files."""
    summed = np.bincount(files, weights=frequencies, minlength=len(scores))
    present = np.flatnonzero(summed)
    tf = summed[present]
    norms = _norms(lengths[present], float(lengths.sum()) / corpus.live_files, _FILE_B)
    scores[present] += _idf(len(present), corpus.live_files) * tf * (_K1 + 1) / (tf + norms)


def _score_wholes(corpus: Corpus, wholes: Sequence[int], result: LexicalScores) -> None:
    for field in (Field.IDENTIFIER, Field.SYMBOL):
        # The definition of a name says twice as much as its use.
        weight = 2 / (_K1 + 1) if field == Field.SYMBOL else 1
        for documents, frequencies in corpus.postings([key | field for key in wholes]):
            parts = _saturated(corpus, field, documents, frequencies)
            idf = _idf(len(documents), corpus.live_chunks)
            result.chunk[field][documents] += weight * idf * parts
