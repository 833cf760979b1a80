"""The built-in model: identifiers in, one unit vector out, from a table shipped in `data/`.

Every word piece has one row of the table, an int8 vector. A text is the sum of the rows of its
pieces, each multiplied by its gain (how telling the piece is) and by 1 + ln(how often it occurs),
brought to unit length. A piece of a file has several such texts (`Fields`): their unit vectors are
added with fixed weights, so that the two words of a file's name are heard beside the two hundred of
its code. docs/model-card.md says where the table comes from.

The sums are exact: gains are rounded to whole numbers and the rows are whole numbers, so float64
holds every partial sum without rounding, in whatever order it is taken. The same text therefore
gives the same bits in every process.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from git_skillmesh.embedding.tokens import identifiers
from git_skillmesh.embedding.wordpiece import WordPieces
from git_skillmesh.errors import Damaged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

DATA = Path(__file__).parent / "data"
MANIFEST = "manifest.json"
VECTORS = "vectors.npy"  # int8 [pieces, dimension]
GAINS = "gains.npy"  # float32 [pieces], the row's scale times the piece's weight
VOCABULARY = "vocabulary.txt"  # one piece a line, in the order of the rows

FORMAT = 1  # of the data files
RECIPE = 2  # how tokens become a vector; raise it when the code changes any vector
LARGEST_GAIN = 2**20  # fine enough to round gains, small enough to sum a million pieces exactly
MOST_COUNTED = 1000  # a piece that occurs more often counts as this often

# A unit vector on this grid, times the weights of all fields, squared and summed: below 2**53.
_GRID = 2**20
_REINSTALL = "install git-skillmesh again"


class Fields(NamedTuple):
    """Identifiers of a piece of a file and how often each occurs, by where they stand.

    `body` is its text, `names` what it is called and what it defines, `file` the name of its file,
    `folders` the folders above that.
    """

    body: Mapping[str, int]
    names: Mapping[str, int]
    file: Mapping[str, int]
    folders: Mapping[str, int]


FIELD_WEIGHTS = (10, 3, 7, 3)  # whole numbers, in the order of `Fields`


class StaticEmbedder:
    """An `Embedder` without a network, a download or a start-up time; see `load`."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self._folder = folder
        self._manifest = manifest
        self._model_id = f"builtin:{manifest['name']}:{RECIPE}"
        self._dimension: int = manifest["dimension"]
        # np.asarray drops the memmap subclass, whose indexing is slow; rows are still read from
        # the file when they are first used.
        self._rows: NDArray[np.int8] = np.asarray(self._array(VECTORS))
        self._gains = np.asarray(self._array(GAINS))
        counts = np.arange(1, MOST_COUNTED + 1)
        self._growth = np.array([0.0, *(1 + math.log(n) for n in counts.tolist())])
        self._known_pieces: WordPieces | None = None
        self._path: tuple[Mapping[str, int], Mapping[str, int], NDArray[np.float64]] | None = None

    @classmethod
    def load(cls, folder: Path = DATA) -> StaticEmbedder:
        """Open the model in a few milliseconds; rows are read when they are needed.

        Raises:
            Damaged: a file is missing, has the wrong size or another format. The content is
                compared only by `verify`.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            sizes = {name: file["bytes"] for name, file in manifest["files"].items()}
            if manifest["format"] != FORMAT or sizes.keys() != {VECTORS, GAINS, VOCABULARY}:
                raise Damaged("the built-in embedding model has an unknown format", _REINSTALL)
            for name, size in sizes.items():
                found = (folder / name).stat().st_size
                if found != size:
                    raise _damaged(f"{name} has {found:,} bytes instead of {size:,}")
            return cls(folder, manifest)
        except OSError as error:
            raise _damaged(f"{Path(error.filename).name}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(f"{MANIFEST} cannot be read") from error

    @property
    def model_id(self) -> str:
        """Name of the model, with a digest of its files and the version of the recipe."""
        return self._model_id

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._dimension

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, `[len(texts), dimension]`: unit length, or zeros."""
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[:] = self.embed_bag(Counter(identifiers(text)))
        return vectors

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, `[dimension]`; queries and documents embed alike."""
        return self.embed_bag(Counter(identifiers(text)))

    def embed_bag(self, bag: Mapping[str, int]) -> NDArray[np.float32]:
        """Return the vector `[dimension]` of identifiers and how often each occurs.

        The bag is what `Counter(identifiers(text))` gives, so that a text which was split for
        another purpose need not be split again.
        """
        return _unit(self._sum(bag))

    def embed_fields(self, fields: Fields) -> NDArray[np.float32]:
        """Return the vector `[dimension]` of a piece of a file, of unit length or zero.

        Neighbours mostly come from one file, so the part of its path is kept until the next one.
        """
        body, names, file, folders = fields
        kept = self._path
        if kept is None or kept[0] is not file or kept[1] is not folders:
            place = self._on_grid(file, FIELD_WEIGHTS[2]) + self._on_grid(folders, FIELD_WEIGHTS[3])
            kept = self._path = file, folders, place
        total = self._on_grid(body, FIELD_WEIGHTS[0])
        total += self._on_grid(names, FIELD_WEIGHTS[1])
        total += kept[2]
        return _unit(total)

    def _on_grid(self, bag: Mapping[str, int], weight: int) -> NDArray[np.float64]:
        """Return the unit vector of a bag times `weight`, in whole numbers of 1/2**20."""
        total = self._sum(bag)
        length = math.sqrt(np.dot(total, total))
        if length:
            total *= weight * _GRID / length
        return np.rint(total, out=total)

    def _sum(self, bag: Mapping[str, int]) -> NDArray[np.float64]:
        """Return the sum of the rows of a bag's pieces, each with its gain: whole numbers."""
        known_pieces = self._known_pieces or self._read_pieces()
        seen, pieces_of = known_pieces.seen, known_pieces.of_identifier
        counts: dict[int, int] = {}
        for identifier, times in bag.items():
            for piece in seen.get(identifier) or pieces_of(identifier):
                if piece in counts:
                    counts[piece] += times
                else:
                    counts[piece] = times
        if not counts:
            return np.zeros(self._dimension)
        pieces = np.fromiter(counts, np.intp, len(counts))
        occurrences = np.fromiter(counts.values(), np.intp, len(counts))
        growth = self._growth[np.minimum(occurrences, MOST_COUNTED)]
        factors = np.rint(self._gains[pieces] * growth)
        total: NDArray[np.float64] = np.dot(factors, self._rows[pieces].astype(np.float64))
        return total

    def pieces_of(self, identifier: str) -> tuple[int, ...]:
        """Return the rows of an identifier's pieces."""
        return (self._known_pieces or self._read_pieces()).of_identifier(identifier)

    def table(self) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Return the rows `[pieces, dimension]` and the gains `[pieces]`."""
        return self._rows, self._gains

    def verify(self) -> None:
        """Compare the sha256 of every file with the manifest.

        Raises:
            Damaged: a file is not the one that was shipped.
        """
        import hashlib  # not needed by the thousand runs that only embed

        for name, file in self._manifest["files"].items():
            with (self._folder / name).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != file["sha256"]:
                    raise _damaged(f"{name} is not the file that was shipped")

    def _array(self, name: str) -> NDArray[Any]:
        try:
            array: NDArray[Any] = np.load(self._folder / name, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise _damaged(f"{name} cannot be read") from error
        return array

    def _read_pieces(self) -> WordPieces:
        text = (self._folder / VOCABULARY).read_text(encoding="utf-8")
        self._known_pieces = WordPieces(text.split("\n")[:-1])
        return self._known_pieces


def _unit(total: NDArray[np.float64]) -> NDArray[np.float32]:
    length = np.float32(math.sqrt(np.dot(total, total)))
    if not length:
        return np.zeros(len(total), np.float32)
    unit: NDArray[np.float32] = (total / length).astype(np.float32)
    return unit


def _damaged(what: str) -> Damaged:
    return Damaged(f"the built-in embedding model is damaged ({what})", _REINSTALL)
