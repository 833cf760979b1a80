"""Search a view: candidates, features, ranking, the page.

In: a view, queries, options. Out: `Answer`s.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..chunking.model import KINDS
from ..git.globs import Globs
from ..index.catalogue import ChunkRow, FileRow
from ..index.view import View
from .asked import Asked, read_query
from .corpus import Corpus, Floats, Integers
from .dense import cosines
from .evidence import Evidence
from .features import NAMES, KnownFile, compute, known_file
from .lexical import CHUNK_FIELDS, PATH_FIELDS, LexicalScores, score
from .page import Ranked, fill
from .places import Place, PlaceFinder
from .ranker import linear, reciprocal_ranks
from .results import Answer, Hit
from .suggest import suggest
from .terms import Query, parse

# Candidates that get features: the best by words, and the best by vector.
_LEXICAL_POOL = 600
_DENSE_POOL = 150
# Below this a vector alone is no evidence: unrelated text reaches it too.
_LEAST_COSINE = 0.4
# Filters whose files are remembered.
_FILTERS = 8
# From so many documents on their vectors are looked at beside their words.
_WORTH_A_THREAD = 10_000


@dataclass(frozen=True, slots=True)
class Options:
    """Filters and the size of the page; `mode` is "ranker" or "rrf", `only` ids of files.

    `without` is a folder that is left out; `least_cosine` is what a vector alone needs to be an
    answer.
    """

    limit: int = 10
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    mode: str = "ranker"
    explain: bool = False
    only: frozenset[int] | None = None
    without: str = ""
    least_cosine: float = _LEAST_COSINE


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents worth ranking for a query: `rows` int64[c], `features` float64[c, features].

    `files` are the rows of all files among them, `stems` says how much each stem of the query
    counts, `places` what a pasted trace names.
    """

    asked: Asked
    places: list[Place]
    query: Query
    rows: Integers
    features: Floats
    files: dict[int, FileRow]
    stems: dict[str, float]


class Searcher:
    """Answers queries about one view, as long as it is open.

    What does not depend on the query is computed once: a server keeps the searcher of a tree.
    """

    def __init__(self, view: View, repo: str) -> None:
        self._view = view
        self._repo = repo
        self._corpus = Corpus(view)
        self._files: dict[int, KnownFile] = {}
        self._passing = lru_cache(_FILTERS)(self._files_that_pass)

    def answer(
        self,
        text: str,
        options: Options,
        vector: NDArray[np.float32] | None,
        notes: Sequence[str] = (),
    ) -> Answer:
        """Return the best chunks; `vector` is the embedded query, None for words only."""
        view, corpus = self._view, self._corpus
        said = list(notes)
        if vector is not None and not corpus.has_vectors:
            said.append("vectors are incomplete, ranked by words only; run: git skillmesh index")
        candidates = self.candidates(text, options, vector)
        hits = self._page(candidates, options)
        return Answer(
            query=text,
            hits=hits,
            backend="local",
            scope=view.scope.value,
            commit=view.commit,
            tree=view.tree,
            files=corpus.live_files,
            chunks=corpus.live_chunks,
            behind=view.behind,
            notes=tuple(said),
            suggestions=() if hits else suggest(view, candidates.query),
        )

    def candidates(
        self, text: str, options: Options, vector: NDArray[np.float32] | None
    ) -> Candidates:
        """Return the documents that may be shown, with what the ranker looks at."""
        asked, corpus = read_query(text), self._corpus
        query = parse(asked.words)
        looking = _Alike(corpus, vector)
        lexical = score(corpus, query)
        dense = looking.cosines()
        allowed = self._allowed(options)
        rows = _choose(corpus, lexical, dense, allowed, options.least_cosine)
        places: list[Place] = []
        if asked.trace.frames:
            places = PlaceFinder(self._view, corpus).find(asked.trace.frames)
            named = np.array([place.document for place in places], np.int64)
            rows = np.union1d(rows, named[allowed[named]])
        files = self._files_of(np.unique(corpus.files[rows]).tolist())
        features = compute(corpus, query, lexical, dense, rows, files)
        known = {number: file.row for number, file in files.items()}
        # Only the first stems of a very long query are scored.
        stems = dict(zip(query.stems, lexical.idf, strict=False))
        return Candidates(asked, places, query, rows, features, known, stems)

    def ordinals(self, found: Candidates) -> tuple[list[int], list[int]]:
        """Return file id of each candidate, and which chunk of the file it is."""
        corpus = self._corpus
        return corpus.files[found.rows].tolist(), corpus.ordinals[found.rows].tolist()

    def places(self, found: Candidates) -> tuple[list[int], list[ChunkRow]]:
        """Return file id and chunk of each candidate."""
        owners, ordinals = self.ordinals(found)
        chunks = [self._view.chunk(file, n) for file, n in zip(owners, ordinals, strict=True)]
        return owners, chunks

    def _files_of(self, numbers: Sequence[int]) -> dict[int, KnownFile]:
        new = [number for number in numbers if number not in self._files]
        for number, row in self._view.files(new).items():
            self._files[number] = known_file(row)
        return {number: self._files[number] for number in numbers}

    def _allowed(self, options: Options) -> NDArray[np.bool_]:
        """Return which documents the filters let through."""
        corpus = self._corpus
        allowed = corpus.live.copy()
        if options.kinds:
            numbers = [number for number, kind in enumerate(KINDS) if kind in options.kinds]
            allowed &= np.isin(corpus.kinds, numbers)
        if options.only is not None:
            allowed &= np.isin(corpus.files, np.array(sorted(options.only), np.int64))
        if options.languages or options.paths or options.without:
            passing = self._passing(options.languages, options.paths, options.without)
            allowed &= passing[corpus.files]
        return allowed

    def _files_that_pass(
        self, languages: tuple[str, ...], paths: tuple[str, ...], without: str
    ) -> NDArray[np.bool_]:
        globs = Globs(paths)
        passing = np.zeros(self._corpus.file_count, np.bool_)
        for row in self._view.live_files():
            right = not languages or row.language in languages
            right = right and not (without and row.path.startswith(without))
            passing[row.id] = right and (not paths or globs.match(row.path))
        return passing

    def _page(self, found: Candidates, options: Options) -> tuple[Hit, ...]:
        added: dict[str, Floats] = {}
        if options.mode == "rrf":
            columns = dict(zip(NAMES, found.features.T, strict=True))
            words = sum(columns[name] for name in ("body", "identifier", "symbol", "stem"))
            scores = reciprocal_ranks([np.asarray(words), columns["dense"]])
        else:
            scores = linear(found.features)
            evidence = Evidence(
                self._view, self._corpus, found.rows, found.features, found.files, len(found.stems)
            )
            added = evidence.of(found.asked, found.places, scores)
            scores = scores + sum(added.values())
        ranked = Ranked(
            query=found.query,
            stems=found.stems,
            scores=scores,
            features=found.features,
            added=added,
            owners=self._corpus.files[found.rows].tolist(),
            ordinals=self._corpus.ordinals[found.rows].tolist(),
            files=found.files,
        )
        return fill(self._view, self._repo, ranked, options.limit, options.kinds)


class _Alike:
    """The cosines of the live documents with a vector, found while something else is done.

    The scan of a large corpus leaves the interpreter free for the words of the query.
    """

    def __init__(self, corpus: Corpus, vector: NDArray[np.float32] | None) -> None:
        self._corpus = corpus
        self._vector = vector if corpus.has_vectors else None
        self._found: Floats | None = None
        self._thread: threading.Thread | None = None
        if self._vector is not None and len(corpus) >= _WORTH_A_THREAD:
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()

    def cosines(self) -> Floats:
        """Return one number a document, 0 for those that are not live."""
        if self._thread is not None:
            self._thread.join()
        if self._found is None:  # or what went wrong there goes wrong here, and is told
            self._look()
        return self._found if self._found is not None else np.zeros(len(self._corpus))

    def _look(self) -> None:
        if self._vector is not None:
            self._found = np.where(self._corpus.live, cosines(self._corpus, self._vector), 0.0)


def _choose(
    corpus: Corpus,
    lexical: LexicalScores,
    dense: Floats,
    allowed: NDArray[np.bool_],
    least_cosine: float,
) -> Integers:
    """Return the documents worth a closer look, ascending."""
    rough = np.zeros(len(corpus))
    for field in CHUNK_FIELDS:
        rough += lexical.chunk[field]
    by_file = 0.5 * lexical.file_body
    for field in PATH_FIELDS:
        by_file = by_file + lexical.file[field]
    # A file that matches by its path brings its first chunk, and any chunk that matches itself.
    touched = (rough > 0) | (corpus.ordinals == 0)
    rough = np.where(touched & allowed, rough + by_file[corpus.files], 0.0)
    near = np.where(allowed & (dense >= least_cosine), dense, 0.0)
    chosen: Integers = np.union1d(_best(rough, _LEXICAL_POOL), _best(near, _DENSE_POOL))
    return chosen


def _best(scores: Floats, count: int) -> Integers:
    """Return the positions of the `count` best positive scores, with ties at the edge.

    Ties are all in or, if they would more than double the pool, all out, so that the choice does
    not depend on where documents lie.
    """
    positive = np.flatnonzero(scores > 0)
    if len(positive) <= count:
        return positive
    values = scores[positive]
    edge = np.partition(values, len(values) - count)[len(values) - count]
    inside: Integers = positive[values >= edge]
    above: Integers = positive[values > edge]
    return inside if len(inside) <= 2 * count else above
