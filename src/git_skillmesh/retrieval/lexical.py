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
from ..index.store import LoadedSegment
from ..index.view import View
from .terms import Query

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

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
class Corpus:
    """All documents of a view side by side: n documents, f file ids.

    `live` bool[n], `files` int64[n], `first` bool[n] marks the first chunk of each file.
    """

    segments: Sequence[LoadedSegment]
    offsets: list[int]
    live: NDArray[np.bool_]
    files: Integers
    ordinals: NDArray[np.uint16]
    kinds: NDArray[np.uint8]
    lengths: NDArray[np.uint16]
    file_count: int

    @classmethod
    def of(cls, view: View) -> "Corpus":
        """Put the segments of a view side by side."""
        segments = view.segments
        offsets = np.cumsum([0, *(len(s.segment) for s in segments)]).tolist()
        files = _join([s.files for s in segments], np.int64)
        return cls(
            segments,
            offsets,
            view.live[files],
            files,
            _join([s.segment.ordinals for s in segments], np.uint16),
            _join([s.segment.kinds for s in segments], np.uint8),
            np.concatenate([s.segment.lengths for s in segments], axis=1)
            if segments
            else np.zeros((Field.COUNT, 0), np.uint16),
            len(view.live),
        )

    def __len__(self) -> int:
        return len(self.files)

    def postings(self, keys: Sequence[int]) -> list[tuple[Integers, Floats]]:
        """Return (documents, frequencies) of each posting key, live documents only."""
        wanted = np.array(keys, np.uint64)
        found: list[tuple[list[Integers], list[Floats]]] = [([], []) for _ in keys]
        for loaded, offset in zip(self.segments, self.offsets, strict=False):
            segment = loaded.segment
            places = np.searchsorted(segment.keys, wanted)
            for number, place in enumerate(places.tolist()):
                if place < len(segment.keys) and segment.keys[place] == wanted[number]:
                    start, end = segment.starts[place], segment.starts[place + 1]
                    documents = segment.documents[start:end].astype(np.int64) + offset
                    alive = self.live[documents]
                    found[number][0].append(documents[alive])
                    found[number][1].append(
                        segment.frequencies[start:end][alive].astype(np.float64)
                    )
        return [(_join(docs, np.int64), _join(tfs, np.float64)) for docs, tfs in found]


def _join(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


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


_MOST_STEMS = 60


def score(corpus: Corpus, query: Query) -> LexicalScores:
    """Score every live document and file."""
    count, files = len(corpus), corpus.file_count
    alive = int(corpus.live.sum())
    result = LexicalScores(
        {field: np.zeros(count) for field in CHUNK_FIELDS},
        {field: np.zeros(files) for field in PATH_FIELDS},
        np.zeros(files),
        np.zeros(files),
        [],
        *(np.zeros(size, np.int64) for size in (count, files, files, count)),
    )
    if not alive:
        result.idf = [0.0] * len(query.stems)
        return result
    stems = list(query.stems.values())[:_MOST_STEMS]
    length = _Lengths(corpus, alive)
    _score_stems(corpus, stems, length, result)
    _score_wholes(corpus, list(query.wholes.values())[:_MOST_STEMS], length, result)
    return result


class _Lengths:
    """Lengths of documents and files, and their averages over what is live."""

    def __init__(self, corpus: Corpus, alive: int) -> None:
        lengths = corpus.lengths.astype(np.int64)
        live_files = np.zeros(corpus.file_count, np.bool_)
        live_files[corpus.files[corpus.live]] = True
        self.alive = alive
        self.files = max(int(live_files.sum()), 1)
        self.norms: dict[int, Floats] = {}
        for field, b in _B.items():
            total = int(lengths[field][corpus.live].sum())
            average = total / (alive if field in CHUNK_FIELDS else self.files)
            self.norms[field] = _norm(lengths[field], average, b)
        body = np.bincount(
            corpus.files[corpus.live],
            weights=lengths[Field.BODY][corpus.live],
            minlength=corpus.file_count,
        )
        symbols = np.bincount(
            corpus.files[corpus.live],
            weights=lengths[Field.SYMBOL][corpus.live],
            minlength=corpus.file_count,
        )
        self.file_body = _norm(body, float(body.sum()) / self.files, _FILE_B)
        self.file_symbol = _norm(symbols, float(symbols.sum()) / self.files, _FILE_B)


def _norm(lengths: NDArray[Any], average: float, b: float) -> Floats:
    scaled: Floats = _K1 * (1 - b + b * lengths / max(average, 1e-9))
    return scaled


def _idf(count: int, total: int) -> float:
    return math.log(1 + (total - count + 0.5) / (count + 0.5))


def _score_stems(
    corpus: Corpus, stems: Sequence[int], length: _Lengths, result: LexicalScores
) -> None:
    fields = (Field.BODY, Field.SYMBOL, Field.SCOPE, Field.COMMENT, Field.STEM, Field.DIRECTORY)
    found = iter(corpus.postings([stem | field for stem in stems for field in fields]))
    for number in range(len(stems)):
        bit = 1 << number
        file_hit = np.zeros(corpus.file_count, np.bool_)
        for field in fields:
            documents, frequencies = next(found)
            files = corpus.files[documents]
            if field in PATH_FIELDS:
                norm = length.norms[field][documents]
                idf = _idf(len(documents), length.files)
                result.file[field][files] += idf * frequencies * (_K1 + 1) / (frequencies + norm)
                result.stem_hits[files] |= bit if field == Field.STEM else 0
                file_hit[files] = True
                continue
            norm = length.norms[field][documents]
            idf = _idf(len(documents), length.alive)
            result.chunk[field][documents] += idf * frequencies * (_K1 + 1) / (frequencies + norm)
            result.chunk_hits[documents] |= bit
            file_hit[files] = True
            if field == Field.BODY:
                result.idf.append(idf)
                _add_to_files(result.file_body, files, frequencies, length.file_body, length.files)
            elif field == Field.SYMBOL:
                result.symbol_hits[documents] |= bit
                _add_to_files(
                    result.file_symbol, files, frequencies, length.file_symbol, length.files
                )
        result.file_hits[file_hit] |= bit


def _add_to_files(
    scores: Floats, files: Integers, frequencies: Floats, norms: Floats, total: int
) -> None:
    summed = np.bincount(files, weights=frequencies, minlength=len(scores))
    present = np.flatnonzero(summed)
    tf = summed[present]
    scores[present] += _idf(len(present), total) * tf * (_K1 + 1) / (tf + norms[present])


def _score_wholes(
    corpus: Corpus, wholes: Sequence[int], length: _Lengths, result: LexicalScores
) -> None:
    for documents, frequencies in corpus.postings([key | Field.IDENTIFIER for key in wholes]):
        norm = length.norms[Field.IDENTIFIER][documents]
        result.chunk[Field.IDENTIFIER][documents] += (
            _idf(len(documents), length.alive) * frequencies * (_K1 + 1) / (frequencies + norm)
        )
    for documents, frequencies in corpus.postings([key | Field.SYMBOL for key in wholes]):
        norm = length.norms[Field.SYMBOL][documents]
        result.chunk[Field.SYMBOL][documents] += (
            2 * _idf(len(documents), length.alive) * frequencies / (frequencies + norm)
        )
