"""All documents of a view side by side, with what every query needs to know of them.

In: a view. Out: `Corpus`: arrays over n documents and f file ids. It stays valid as long as the
view is open, so a process that asks several times pays for it once.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..index.segment import Field
from ..index.store import LoadedSegment
from ..index.view import View

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Corpus:
    """Documents of all segments; `live` bool[n] says which belong to the searched tree.

    `files` int64[n], `ordinals` uint16[n], `kinds` uint8[n], `lengths` uint16[fields, n].
    """

    def __init__(self, view: View) -> None:
        self.segments: Sequence[LoadedSegment] = view.segments
        self.offsets = np.cumsum([0, *(len(s.segment) for s in self.segments)]).tolist()
        self.files: Integers = _join([s.files for s in self.segments], np.int64)
        self.live: NDArray[np.bool_] = view.live[self.files]
        self.file_count = len(view.live)
        self.ordinals: NDArray[np.uint16] = _join(
            [s.segment.ordinals for s in self.segments], np.uint16
        )
        self.kinds: NDArray[np.uint8] = _join([s.segment.kinds for s in self.segments], np.uint8)
        self.lengths: NDArray[np.uint16] = (
            np.concatenate([s.segment.lengths for s in self.segments], axis=1)
            if self.segments
            else np.zeros((Field.COUNT, 0), np.uint16)
        )

        self._scratch: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.files)

    def scratch(self, name: str, kind: type[np.generic] = np.float64) -> NDArray[Any]:
        """Return [n] to work in, for one query at a time; it holds what was left there.

        A new array of this size is new memory, which takes longer to get than to fill.
        """
        found = self._scratch.get(name)
        if found is None:
            found = self._scratch[name] = np.empty(len(self), kind)
        return found

    def cleared(self, name: str, kind: type[np.generic] = np.float64) -> NDArray[Any]:
        """Return the same, filled with zeros."""
        found = self.scratch(name, kind)
        found.fill(0)
        return found

    @cached_property
    def live_chunks(self) -> int:
        """How many documents are searched."""
        return int(self.live.sum())

    @cached_property
    def live_files(self) -> int:
        """How many files they belong to."""
        seen = np.zeros(self.file_count, np.bool_)
        seen[self.files[self.live]] = True
        return int(seen.sum())

    @cached_property
    def is_first(self) -> NDArray[np.bool_]:
        """bool[n]: whether a document is the first of its file."""
        first: NDArray[np.bool_] = self.ordinals == 0
        return first

    @cached_property
    def totals(self) -> Floats:
        """float64[fields]: tokens of all live documents. Whole numbers, so the sums are exact."""
        return self.lengths.astype(np.float64) @ self.live.astype(np.float64)

    @cached_property
    def file_body(self) -> Floats:
        """float64[f]: tokens in the bodies of each file's live documents."""
        return self._by_file(Field.BODY)

    @cached_property
    def file_symbols(self) -> Floats:
        """float64[f]: tokens of the symbols that each file's live documents define."""
        return self._by_file(Field.SYMBOL)

    @cached_property
    def file_stems(self) -> Floats:
        """float64[f]: tokens of each file's stem."""
        return self._by_file(Field.STEM)

    def _by_file(self, field: int) -> Floats:
        lengths = np.where(self.live, self.lengths[field], 0)
        summed = np.bincount(self.files, weights=lengths, minlength=self.file_count)
        return summed.astype(np.float64)

    @cached_property
    def has_vectors(self) -> bool:
        """Whether all segments have vectors of one model; otherwise none are used."""
        return all(loaded.vectors is not None for loaded in self.segments)

    @cached_property
    def vector_norms(self) -> Floats:
        """float64[n]: lengths of the documents' vectors, 0 for the zero vector."""
        norms = [loaded.vectors.norms for loaded in self.segments if loaded.vectors is not None]
        return _join(norms, np.float32).astype(np.float64)

    @cached_property
    def live_norms(self) -> Floats:
        """float64[n]: the same, 0 also for what is not live."""
        return np.where(self.live, self.vector_norms, 0.0)

    @cached_property
    def is_embedded(self) -> NDArray[np.bool_]:
        """bool[n]: live, and not the zero vector."""
        return self.live_norms > 0

    @cached_property
    def all_live(self) -> list[bool]:
        """Whether all documents of a segment are live, for each segment."""
        ends = zip(self.offsets, self.offsets[1:], strict=False)
        return [bool(self.live[start:end].all()) for start, end in ends]

    @cached_property
    def average_lengths(self) -> list[float]:
        """Tokens of a live document, or of a live file's path, for each field."""
        of_files = (Field.STEM, Field.DIRECTORY)
        return [
            float(total) / (self.live_files if field in of_files else self.live_chunks)
            for field, total in enumerate(self.totals.tolist())
        ]

    def postings(self, keys: Sequence[int]) -> list[tuple[Integers, Floats]]:
        """Return (documents, frequencies) of each posting key, live documents only, ascending."""
        wanted = np.array(keys, np.uint64)
        found: list[tuple[list[Integers], list[Floats]]] = [([], []) for _ in keys]
        for loaded, offset, whole in zip(self.segments, self.offsets, self.all_live, strict=False):
            segment = loaded.segment
            if not len(segment.keys):
                continue
            places = segment.keys.searchsorted(wanted)
            there = segment.keys[np.minimum(places, len(segment.keys) - 1)] == wanted
            for number in there.nonzero()[0].tolist():
                place = places[number]
                start, end = segment.starts[place], segment.starts[place + 1]
                documents = np.add(segment.documents[start:end], offset, dtype=np.int64)
                frequencies = segment.frequencies[start:end].astype(np.float64)
                if not whole:
                    alive = self.live[documents]
                    documents, frequencies = documents[alive], frequencies[alive]
                found[number][0].append(documents)
                found[number][1].append(frequencies)
        return [
            (docs[0], tfs[0]) if len(docs) == 1 else (_join(docs, np.int64), _join(tfs, np.float64))
            for docs, tfs in found
        ]


def _join(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)
