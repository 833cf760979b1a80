"""Find the places that a trace names among the documents of a corpus.

In: frames as they were on another machine, of another version. Out: a document for each frame that
this tree has, and how sure that is. Files are looked up by the words of their names, which the
index holds; only chunks of files that match are read from the catalogue.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..embedding.tokens import identifiers
from ..index.catalogue import FileRow
from ..index.documents import exact_name, last_name, word_hashes
from ..index.segment import Field
from ..index.view import View
from .corpus import Corpus
from .traces import Frame

_MOST_NAMES = 30  # different file names that are looked up
_MOST_FILES = 150  # files of one name, e.g. index.js
_MOST_PLACES = 12
_MOST_ALIKE = 4  # files that fit equally well
# How sure a place is: its path fits and it has the function; it has no function to look for; it
# does not have the function, so that the frame may be of another library with files named alike.
_SURE, _LIKELY, _DOUBTFUL = 1.0, 0.9, 0.4


class Place(NamedTuple):
    """A document that a frame means."""

    document: int
    file: int
    certainty: float


class _Known(NamedTuple):
    row: FileRow
    documents: tuple[int, ...]
    names: tuple[str, ...]
    lines: tuple[tuple[int, int], ...]


class PlaceFinder:
    """Finds the places of one query's frames."""

    def __init__(self, view: View, corpus: Corpus) -> None:
        self._view = view
        self._corpus = corpus
        self._by_name: dict[str, list[FileRow]] = {}
        self._known: dict[int, _Known] = {}

    def find(self, frames: Sequence[Frame]) -> list[Place]:
        """Return the places, each document once, sure ones first and else in order of frames."""
        best: dict[int, Place] = {}
        for frame in frames:
            if len(best) >= _MOST_PLACES:
                break
            for place in self._find(frame):
                best.setdefault(place.document, place)
        return sorted(best.values(), key=lambda place: place.certainty <= _DOUBTFUL)

    def _find(self, frame: Frame) -> list[Place]:
        parts = [part for part in frame.path.split("/") if part not in ("", ".", "..")]
        defining = self._defining(frame.symbol) if frame.symbol else frozenset[int]()
        if not parts:
            return self._by_symbol(defining)
        found = []
        for row in self._files_named(parts[-1], parts[:-1], frame.guessed):
            own = row.path.split("/")
            shared = _shared_end(own, parts, frame.guessed)
            known = self._file(row)
            has = [
                number
                for number, name in zip(known.documents, known.names, strict=True)
                if number in defining or (frame.symbol and name == frame.symbol)
            ]
            fits = shared >= min(2, len(own), len(parts))
            if has or (fits and not frame.guessed):
                certainty = _SURE if has else _DOUBTFUL if frame.symbol else _LIKELY
                found.append((shared, certainty, len(own), row.path, known, has))
        found.sort(key=lambda item: (-item[0], -item[1], *item[2:4]))
        alike = [item for item in found if item[:2] == found[0][:2]][:_MOST_ALIKE]
        places = [
            Place(document, known.row.id, certainty if number == 0 else _DOUBTFUL)
            for _, certainty, _, _, known, has in alike
            for number, document in enumerate(_nearest(known, has, frame.line))
        ]
        return [*places[:1], *(place._replace(certainty=_DOUBTFUL) for place in places[1:])]

    def _defining(self, symbol: str) -> frozenset[int]:
        """Return the documents that define a name."""
        ((documents, _),) = self._corpus.postings([exact_name(symbol) | Field.DEFINED])
        return frozenset(documents.tolist())

    def _by_symbol(self, defining: frozenset[int]) -> list[Place]:
        """Return the place of a function whose file is not known, if there is just one."""
        owners = self._corpus.files
        return [Place(n, int(owners[n]), _LIKELY) for n in defining] if len(defining) == 1 else []

    def _files_named(
        self, name: str, folders: Sequence[str], without_extension: bool
    ) -> list[FileRow]:
        """Return files of a name; of very many, those in folders of these names."""
        if name not in self._by_name:
            if len(self._by_name) >= _MOST_NAMES:
                return []
            self._by_name[name] = self._look_up(name, folders, without_extension)
        return self._by_name[name]

    def _look_up(self, name: str, folders: Sequence[str], loose: bool) -> list[FileRow]:
        corpus = self._corpus
        stem = name.lstrip(".").partition(".")[0] or name
        keys = [key for word in identifiers(stem) for key in word_hashes(word)[0]]
        candidates: set[int] | None = None
        for documents, _ in corpus.postings([key | Field.STEM for key in keys]):
            files = set(corpus.files[documents].tolist())
            candidates = files if candidates is None else candidates & files
        if not candidates:
            return []
        if len(candidates) > _MOST_FILES:
            candidates = self._in_folders(candidates, folders)
        rows = self._view.files(candidates).values()
        return [row for row in rows if _is_named(row.path.rpartition("/")[2], name, loose)]

    def _in_folders(self, files: set[int], folders: Sequence[str]) -> set[int]:
        """Return those files whose folders have most words of the given ones."""
        corpus = self._corpus
        words = {
            key for part in folders[-4:] for w in identifiers(part) for key in word_hashes(w)[0]
        }
        hits = np.zeros(corpus.file_count, np.int64)
        for documents, _ in corpus.postings([key | Field.DIRECTORY for key in sorted(words)]):
            hits[corpus.files[documents]] += 1
        # Ties are all in or all out, so that the choice does not depend on ids.
        for least in range(1, int(hits.max(initial=0)) + 1):
            left = {number for number in files if hits[number] >= least}
            if len(left) <= _MOST_FILES:
                return left
        return set()

    def _file(self, row: FileRow) -> _Known:
        known = self._known.get(row.id)
        if known is None:
            documents = np.flatnonzero((self._corpus.files == row.id) & self._corpus.live).tolist()
            ordinals = self._corpus.ordinals[documents].tolist()
            chunks = [self._view.chunk(row.id, ordinal) for ordinal in ordinals]
            known = self._known[row.id] = _Known(
                row,
                tuple(documents),
                tuple(last_name(chunk.symbol) for chunk in chunks),
                tuple((chunk.start_line, chunk.end_line) for chunk in chunks),
            )
        return known


def _is_named(own: str, name: str, loose: bool) -> bool:
    own, name = own.lower(), name.lower()
    return own == name or (loose and own.partition(".")[0] == name)


def _shared_end(own: Sequence[str], parts: Sequence[str], loose: bool) -> int:
    """Return how many parts at the end of two paths are equal; the last ones are known to be."""
    count = 1
    for one, other in zip(own[-2::-1], parts[-2::-1], strict=False):
        # A namespace may stand as one folder: Newtonsoft.Json.
        one, other = one.lower(), other.lower()
        if one != other and not (loose and one.rpartition(".")[2] == other):
            break
        count += 1
    return count


def _nearest(known: _Known, having: Sequence[int], line: int) -> list[int]:
    """Return the document at a line, or the nearest to it: lines move from version to version.

    Where no function says which one is right, the two beside it follow.
    """
    wanted = set(having or known.documents)
    items = zip(known.documents, known.lines, strict=True)

    def distance(item: tuple[int, tuple[int, int]]) -> tuple[int, int]:
        _, (first, last) = item
        return (max(first - line, line - last, 0) if line else 0, first)

    near = sorted((item for item in items if item[0] in wanted), key=distance)
    return [number for number, _ in near[: 1 if having or not line else 3]]
