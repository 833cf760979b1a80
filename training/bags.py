"""Pairs in, bags of pieces out: sparse matrices from which a batch is cut in one step.

A row of a matrix is a text, a column a piece of the vocabulary, a number 1 + ln of how often the
piece occurs, as in embedding/static.py. The code of a pair has three rows, one for each field that
is trained: its body, the name of its file, the folders above.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from git_skillmesh.embedding.static import FIELD_WEIGHTS, Fields, StaticEmbedder
from git_skillmesh.embedding.tokens import identifiers
from git_skillmesh.index.documents import path_words

KINDS = ("comment", "name", "commit")
# Field of the code → its weight in the sum of unit vectors; `names` is left out, for in a pair of
# the kind "name" it would be the answer.
FIELDS = {n: w for n, w in zip(Fields._fields, FIELD_WEIGHTS, strict=True) if n != "names"}


@dataclass(frozen=True)
class Pairs:
    """`queries` and each of `code` [n, pieces]; `repository`, `path` and `kind` int64[n]."""

    queries: csr_matrix
    code: dict[str, csr_matrix]
    repository: NDArray[np.int64]
    path: NDArray[np.int64]
    kind: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kind)


class _Texts:
    """Collects the rows of one matrix."""

    def __init__(self, embedder: StaticEmbedder) -> None:
        self._embedder = embedder
        self._pieces: list[int] = []
        self._times: list[int] = []
        self._ends = [0]

    def add(self, text: str) -> None:
        counts: Counter[int] = Counter()
        for identifier, times in Counter(identifiers(text)).items():
            for piece in self._embedder.pieces_of(identifier):
                counts[piece] += times
        self._pieces += counts.keys()
        self._times += counts.values()
        self._ends.append(len(self._pieces))

    def matrix(self) -> csr_matrix:
        growth = (1 + np.log(np.array(self._times, np.float64))).astype(np.float32)
        shape = len(self._ends) - 1, len(self._embedder.table()[0])
        return csr_matrix((growth, np.array(self._pieces, np.int32), np.array(self._ends)), shape)


def read_pairs(files: Iterable[Path], embedder: StaticEmbedder) -> Pairs:
    """Read the pairs of some repositories, one file each (pairs.py)."""
    queries, code = _Texts(embedder), {name: _Texts(embedder) for name in FIELDS}
    repositories, paths, kinds = [], [], []
    numbers: dict[tuple[int, str], int] = {}
    for repository, file in enumerate(files):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for entry in map(json.loads, lines):
                queries.add(entry["query"])
                name, folders = path_words(entry["path"])
                for field, text in (("body", entry["code"]), ("file", name), ("folders", folders)):
                    code[field].add(text)
                repositories.append(repository)
                paths.append(numbers.setdefault((repository, entry["path"]), len(numbers)))
                kinds.append(KINDS.index(entry["kind"]))
    return Pairs(
        queries.matrix(),
        {name: texts.matrix() for name, texts in code.items()},
        np.array(repositories),
        np.array(paths),
        np.array(kinds),
    )
