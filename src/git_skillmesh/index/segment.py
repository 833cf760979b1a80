"""A segment: the immutable inverted index of some chunks, and its merge with others.

In: terms of chunks. Out: arrays in one memory-mapped file. The layout follows the classic
log-structured inverted index (Lucene's segments): postings sorted by term and document, new
documents in new segments, small segments merged into larger ones.

Scores are not computed here: document frequencies depend on which tree is asked for, so a query
counts only the postings of live documents (retrieval/lexical.py). That is why results are a
function of the tree alone, whatever else the index holds.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import damaged, open_arrays, write_arrays

# Document numbers are 16 bits wide: three bytes a posting instead of five.
MAX_DOCUMENTS = 65_535


class Field:
    """Numbers of the lexical fields; the low four bits of a posting key."""

    BODY, IDENTIFIER, SYMBOL, SCOPE, COMMENT, STEM, DIRECTORY = range(7)
    COUNT = 7
    # Looked up, never scored by length: the name a chunk is about, and all names it defines.
    NAME, DEFINED = 7, 8


@dataclass(frozen=True, slots=True)
class Segment:
    """Arrays of n documents, k keys and p postings.

    `keys` uint64[k] ascending, `starts` uint32[k+1] into `documents` uint16[p] and
    `frequencies` uint8[p]; `lengths` uint16[fields, n] in tokens; `files` int32[n] file ids,
    `ordinals` uint16[n] position of the chunk in its file, `kinds` uint8[n].
    """

    keys: NDArray[np.uint64]
    starts: NDArray[np.uint32]
    documents: NDArray[np.uint16]
    frequencies: NDArray[np.uint8]
    lengths: NDArray[np.uint16]
    files: NDArray[np.int32]
    ordinals: NDArray[np.uint16]
    kinds: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.files)


_ARRAYS = tuple(Segment.__dataclass_fields__)


class SegmentBuilder:
    """Collects the terms of chunks, one document at a time."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._documents = array("H")
        self._frequencies = array("B")
        self._lengths: list[Sequence[int]] = []
        self._files = array("i")
        self._ordinals = array("H")
        self._kinds = array("B")

    def __len__(self) -> int:
        return len(self._files)

    def add(
        self, file: int, ordinal: int, kind: int, terms: Mapping[int, int], lengths: Sequence[int]
    ) -> None:
        """Add one chunk: `terms` maps posting keys to frequencies, `lengths` one count a field."""
        self._keys.extend(terms.keys())
        self._frequencies.extend([min(count, 255) for count in terms.values()])
        self._documents.extend([len(self._files)] * len(terms))
        self._lengths.append([min(length, 65_535) for length in lengths])
        self._files.append(file)
        self._ordinals.append(min(ordinal, 65_535))
        self._kinds.append(kind)

    def finish(self) -> Segment:
        """Return the segment of everything added."""
        lengths = np.array(self._lengths, np.uint16).reshape(len(self), Field.COUNT).T
        return _assemble(
            np.frombuffer(self._keys, np.uint64),
            np.frombuffer(self._documents, np.uint16),
            np.frombuffer(self._frequencies, np.uint8),
            lengths,
            np.array(self._files, np.int32),
            np.array(self._ordinals, np.uint16),
            np.array(self._kinds, np.uint8),
        )


def _assemble(
    keys: NDArray[np.uint64],
    documents: NDArray[np.uint16],
    frequencies: NDArray[np.uint8],
    lengths: NDArray[np.uint16],
    files: NDArray[np.int32],
    ordinals: NDArray[np.uint16],
    kinds: NDArray[np.uint8],
) -> Segment:
    """Sort loose postings by key; within a key documents are ascending already."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    unique, first = np.unique(keys, return_index=True)
    starts = np.append(first, len(keys)).astype(np.uint32)
    return Segment(
        unique,
        starts,
        documents[order],
        frequencies[order],
        np.ascontiguousarray(lengths),
        files,
        ordinals,
        kinds,
    )


def merge(parts: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> Segment:
    """Return one segment of the documents that each part's mask keeps.

    The parts together must keep at most `MAX_DOCUMENTS` documents.
    """
    keys, documents, frequencies = [], [], []
    offset = 0
    for segment, keep in parts:
        renumbered = np.cumsum(keep, dtype=np.int64) - 1 + offset
        alive = keep[segment.documents]
        expanded = np.repeat(segment.keys, segment.starts[1:] - segment.starts[:-1])
        keys.append(expanded[alive])
        documents.append(renumbered[segment.documents[alive]].astype(np.uint16))
        frequencies.append(segment.frequencies[alive])
        offset += int(keep.sum())
    return _assemble(
        np.concatenate(keys),
        np.concatenate(documents),
        np.concatenate(frequencies),
        np.concatenate([segment.lengths[:, keep] for segment, keep in parts], axis=1),
        np.concatenate([segment.files[keep] for segment, keep in parts]),
        np.concatenate([segment.ordinals[keep] for segment, keep in parts]),
        np.concatenate([segment.kinds[keep] for segment, keep in parts]),
    )


def with_file_base(segment: Segment, base: int) -> Segment:
    """Return the segment with `base` added to every file id."""
    arrays = {name: getattr(segment, name) for name in _ARRAYS}
    return Segment(**{**arrays, "files": (segment.files + base).astype(np.int32)})


def write_segment(segment: Segment, path: Path) -> None:
    """Write a segment so that `path` either holds all of it or does not exist."""
    write_arrays(path, {name: getattr(segment, name) for name in _ARRAYS})


def open_segment(path: Path, check: bool = False) -> Segment:
    """Map a segment file. Raises `Damaged` and FileNotFoundError."""
    arrays = open_arrays(path, check)
    if set(arrays) != set(_ARRAYS):
        raise damaged(path)
    return Segment(**arrays)


def total(segments: Iterable[Segment]) -> int:
    """Return how many documents the segments hold."""
    return sum(len(segment) for segment in segments)
