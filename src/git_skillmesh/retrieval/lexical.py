"""BM25 over the live documents of a view, one score for each field.

In: a query and a view. Out: arrays over all documents. Document frequencies and average lengths
are those of the live documents, so the scores are a function of the searched tree alone.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..index.segment import Field
from .corpus import Corpus, Floats, Integers
from .kept import Kept
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
# Scored postings that a corpus keeps for the next query.
_KEPT_BYTES = 32_000_000
_NONE: Floats = np.zeros(0)
_NO_FILES: Integers = np.zeros(0, np.int64)


class Scored(NamedTuple):
    """One posting key with its scores: a function of the corpus, not of the query.

    `parts` float64[p] times `idf` are the scores of `documents` int64[p], or of `files` where the
    field is one of paths. `files` are distinct, none where nobody asks for them; of bodies and
    symbols `file_values` float64 score whole files.
    """

    documents: Integers
    parts: Floats
    idf: float
    files: Integers
    file_values: Floats

    @property
    def size(self) -> int:
        """Bytes."""
        return 200 + sum(
            array.nbytes for array in (self.documents, self.parts, self.files, self.file_values)
        )


class Words:
    """Scores the words of queries to one corpus, and keeps those of words that come again."""

    def __init__(self, corpus: Corpus, kept_bytes: int = _KEPT_BYTES) -> None:
        self._corpus = corpus
        self._kept = Kept[int, Scored](kept_bytes)
        self._of_files = {Field.BODY: corpus.file_body, Field.SYMBOL: corpus.file_symbols}
        self._averages = {
            field: float(lengths.sum()) / corpus.live_files
            for field, lengths in self._of_files.items()
        }

    def scored(self, keys: Sequence[int]) -> list[Scored]:
        """Return what each posting key scores; its field stands in the key."""
        known = {key: self._kept.get(key) for key in keys}
        new = [key for key, scored in known.items() if scored is None]
        for key, (documents, frequencies) in zip(new, self._corpus.postings(new), strict=True):
            fresh = known[key] = self._scored(key & 15, documents, frequencies)
            self._kept.put(key, fresh, fresh.size)
        return [scored for key in keys if (scored := known[key]) is not None]

    def _scored(self, field: int, documents: Integers, frequencies: Floats) -> Scored:
        corpus = self._corpus
        parts = _saturated(corpus, field, documents, frequencies)
        files = corpus.files[documents]
        if field in PATH_FIELDS:
            return Scored(documents, parts, _idf(len(documents), corpus.live_files), files, _NONE)
        idf = _idf(len(documents), corpus.live_chunks)
        if field in self._of_files:
            return Scored(documents, parts, idf, *self._wholes(field, files, frequencies))
        if field == Field.IDENTIFIER:
            return Scored(documents, parts, idf, _NO_FILES, _NONE)
        seen = np.zeros(corpus.file_count, np.bool_)
        seen[files] = True
        return Scored(documents, parts, idf, seen.nonzero()[0], _NONE)

    def _wholes(self, field: int, files: Integers, frequencies: Floats) -> tuple[Integers, Floats]:
        """Return the files with a word, and what it scores in them as wholes."""
        corpus = self._corpus
        summed = np.bincount(files, weights=frequencies, minlength=corpus.file_count)
        present = summed.nonzero()[0]
        tf = summed[present]
        norms = _norms(self._of_files[field][present], self._averages[field], _FILE_B)
        idf = _idf(len(present), corpus.live_files)
        return present, idf * tf * (_K1 + 1) / (tf + norms)


def score(corpus: Corpus, query: Query, words: Words | None = None) -> LexicalScores:
    """Score every live document and file; `words` are those of the corpus, if kept.

    What is said of documents stands in arrays of the corpus, until the next query.
    """
    files = corpus.file_count
    result = LexicalScores(
        chunk={field: corpus.cleared(f"field {field}") for field in CHUNK_FIELDS},
        file={field: np.zeros(files) for field in PATH_FIELDS},
        file_body=np.zeros(files),
        file_symbol=np.zeros(files),
        idf=[],
        chunk_hits=corpus.cleared("hits", np.int64),
        file_hits=np.zeros(files, np.int64),
        stem_hits=np.zeros(files, np.int64),
        symbol_hits=corpus.cleared("symbol hits", np.int64),
        directory_hits=np.zeros(files, np.int64),
    )
    if not corpus.live_chunks:
        result.idf = [0.0] * min(len(query.stems), _MOST_STEMS)
        return result
    words = words or Words(corpus)
    _score_stems(words, list(query.stems.values())[:_MOST_STEMS], result)
    _score_wholes(words, list(query.wholes.values())[:_MOST_STEMS], result)
    return result


def _idf(count: int, total: int) -> float:
    return math.log(1 + (total - count + 0.5) / (count + 0.5))


def _saturated(corpus: Corpus, field: int, documents: Integers, frequencies: Floats) -> Floats:
    """Return BM25's term frequency part for some documents of a field."""
    norms = _norms(corpus.lengths[field][documents], corpus.average_lengths[field], _B[field])
    norms += frequencies
    saturated: Floats = frequencies * (_K1 + 1)
    saturated /= norms
    return saturated


def _norms(lengths: NDArray[Any], average: float, b: float) -> Floats:
    scaled: Floats = _K1 * (1 - b + b * lengths / max(average, 1e-9))
    return scaled


_STEM_FIELDS = (
    Field.BODY, Field.SYMBOL, Field.SCOPE, Field.COMMENT, Field.STEM, Field.DIRECTORY
)  # fmt: skip


def _score_stems(words: Words, stems: Sequence[int], result: LexicalScores) -> None:
    found = words.scored([stem | field for stem in stems for field in _STEM_FIELDS])
    for number in range(len(stems)):
        bit = 1 << number
        of_stem = found[number * len(_STEM_FIELDS) : (number + 1) * len(_STEM_FIELDS)]
        for field, scored in zip(_STEM_FIELDS, of_stem, strict=True):
            if field == Field.BODY:
                result.idf.append(scored.idf)
            documents, files = scored.documents, scored.files
            if not len(documents):
                continue
            result.file_hits[files] |= bit
            if field in PATH_FIELDS:
                result.file[field][files] += scored.idf * scored.parts
                hits = result.stem_hits if field == Field.STEM else result.directory_hits
                hits[files] |= bit
                continue
            result.chunk[field][documents] += scored.idf * scored.parts
            result.chunk_hits[documents] |= bit
            if field == Field.BODY:
                result.file_body[files] += scored.file_values
            elif field == Field.SYMBOL:
                result.symbol_hits[documents] |= bit
                result.file_symbol[files] += scored.file_values


def _score_wholes(words: Words, wholes: Sequence[int], result: LexicalScores) -> None:
    for field in (Field.IDENTIFIER, Field.SYMBOL):
        # The definition of a name says twice as much as its use.
        weight = 2 / (_K1 + 1) if field == Field.SYMBOL else 1
        for scored in words.scored([key | field for key in wholes]):
            result.chunk[field][scored.documents] += weight * scored.idf * scored.parts
