"""Search a view: candidates, features, ranking, the page.

In: a view, queries, options. Out: `Answer`s.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..chunking.model import KINDS
from ..git.globs import Globs
from ..index.catalogue import ChunkRow, FileRow
from ..index.sets import distinct, united
from ..index.view import View
from .asked import Asked, read_query
from .corpus import Corpus, Floats, Integers
from .dense import Wide, cosines
from .evidence import Evidence
from .features import NAMES, KnownFiles, compute
from .lexical import CHUNK_FIELDS, PATH_FIELDS, LexicalScores, Words, score
from .page import FoundHit, FoundHits, Ranked, fill, show
from .places import Place, PlaceFinder
from .ranker import linear, reciprocal_ranks
from .results import Answer, Hit
from .suggest import suggest
from .terms import Query, parse

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

# Candidates that get features: the best by words, and the best by vector.
_LEXICAL_POOL = 600
_DENSE_POOL = 150
# Below this a vector alone is no evidence: unrelated text reaches it too.
_LEAST_COSINE = 0.4
# What a server reads of files before it is asked for: so many at a time, of so many.
_AHEAD = 150
_MOST_AHEAD = 20_000
NO_FILE_PASSES = "no file has this language and path: fewer filters find more"
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

    def __init__(self, view: View, repo: str, wide: Wide | None = None) -> None:
        self._view = view
        self._repo = repo
        self._corpus = Corpus(view)
        self._wide = wide
        self._words: Words | None = None
        self._files = KnownFiles(self._corpus.file_count)
        self._passing = lru_cache(_FILTERS)(self._files_that_pass)
        self._asked = 0
        self._unread: Iterator[int] | None = None

    def read_ahead(self) -> bool:
        """Read a few files that later queries will ask for; return whether there are more.

        Only where there was more than one query already: after each edit there is a new searcher.
        """
        if self._unread is None:
            if self._asked < 2 or self._corpus.live_files > _MOST_AHEAD:
                return False
            self._unread = iter(self._view.live.nonzero()[0].tolist())
        part = list(islice(self._unread, _AHEAD))
        self._files_of(part)
        return len(part) == _AHEAD

    def answer(
        self,
        text: str,
        options: Options,
        vector: NDArray[np.float32] | None,
        notes: Sequence[str] = (),
    ) -> Answer:
        """Return the best chunks; `vector` is the embedded query, None for words only."""
        view, corpus = self._view, self._corpus
        said = [*notes, *self.notes(vector)]
        page = self.ranked(text, options, vector)
        hits = self.shown(page, page.found, options)
        if not hits and self.filtered_out(options):
            said.append(NO_FILE_PASSES)
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
            suggestions=() if hits else self.suggestions(page, options),
            catch_up=view.catch_up,
        )

    def shown(
        self, page: FoundHits, wanted: Sequence[FoundHit], options: Options
    ) -> tuple[Hit, ...]:
        """Return some of what was found as hits."""
        return show(self._view, self._repo, page, wanted, options.kinds)

    def suggestions(self, page: FoundHits, options: Options) -> tuple[str, ...]:
        """Return symbols that may have been meant by a query that found nothing."""
        return () if self.filtered_out(options) else suggest(self._view, page.ranked.query)

    def filtered_out(self, options: Options) -> bool:
        """Return whether the filters leave no file to search."""
        if not (options.languages or options.paths):
            return False
        return not self._passing(options.languages, options.paths, options.without).any()

    @property
    def searched(self) -> tuple[int, int]:
        """How many files and chunks are searched."""
        return self._corpus.live_files, self._corpus.live_chunks

    def notes(self, vector: NDArray[np.float32] | None) -> list[str]:
        """Return what is to be said of every answer."""
        if vector is None or self._corpus.has_vectors:
            return []
        return ["vectors are incomplete, ranked by words only; run: git skillmesh index"]

    def candidates(
        self, text: str, options: Options, vector: NDArray[np.float32] | None
    ) -> Candidates:
        """Return the documents that may be shown, with what the ranker looks at."""
        asked, corpus = read_query(text), self._corpus
        self._asked += 1
        query = parse(asked.words)
        looking = _Alike(corpus, vector, self._wide)
        if self._words is None and corpus.live_chunks:
            self._words = Words(corpus)
        lexical = score(corpus, query, self._words)
        allowed = self._allowed(options)
        by_words = _by_words(corpus, lexical, allowed)
        self._files_of(distinct(corpus.files[by_words]).tolist())
        dense = looking.cosines()
        rows = united(by_words, _by_meaning(dense, allowed, options.least_cosine))
        places: list[Place] = []
        if asked.trace.frames:
            places = PlaceFinder(self._view, corpus).find(asked.trace.frames)
            named = np.array([place.document for place in places], np.int64)
            rows = united(rows, named[allowed[named]])
        known = self._files_of(distinct(corpus.files[rows]).tolist())
        features = compute(corpus, query, lexical, dense, rows, self._files)
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

    def _files_of(self, numbers: Sequence[int]) -> dict[int, FileRow]:
        rows = self._files.rows
        new = [number for number in numbers if number not in rows]
        for row in self._view.files(new).values():
            self._files.add(row)
        return {number: rows[number] for number in numbers}

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

    def ranked(self, text: str, options: Options, vector: NDArray[np.float32] | None) -> FoundHits:
        """Return the order of the best chunks, without reading them."""
        found = self.candidates(text, options, vector)
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
        return fill(self._view, ranked, options.limit)


class _Alike:
    """The cosines of the live documents with a vector, found while something else is done.

    The scan of a large corpus leaves the interpreter free for the words of the query.
    """

    def __init__(
        self, corpus: Corpus, vector: NDArray[np.float32] | None, wide: Wide | None
    ) -> None:
        self._corpus = corpus
        self._begun: Future[Floats] | None = None
        self._thread: Thread | None = None
        self._found: Floats | None = None
        self._look: Callable[[], Floats] = partial(np.zeros, len(corpus))
        if vector is None or not corpus.has_vectors:
            return
        self._look = partial(cosines, corpus, vector, wide)
        if len(corpus) < _WORTH_A_THREAD:
            return
        if wide is not None:  # a server
            self._begun = _beside().submit(self._look)
        else:
            self._thread = Thread(target=self._keep, daemon=True)
            self._thread.start()

    def cosines(self) -> Floats:
        """Return one number a document, 0 for those that are not live."""
        if self._begun is not None:
            return self._begun.result()
        if self._thread is not None:
            self._thread.join()
        return self._look() if self._found is None else self._found

    def _keep(self) -> None:
        with suppress(Exception):  # it is done again, and told, where somebody waits for it
            self._found = self._look()


@cache
def _beside() -> "ThreadPoolExecutor":
    """Return the thread that scans: one that waits is asked sooner than a new one starts."""
    from concurrent.futures import ThreadPoolExecutor  # slow to load, and one query needs it not

    return ThreadPoolExecutor(1, "scan")


def _by_words(corpus: Corpus, lexical: LexicalScores, allowed: NDArray[np.bool_]) -> Integers:
    """Return the documents worth a closer look for their words."""
    rough = corpus.scratch("rough")
    rough[:] = lexical.chunk[CHUNK_FIELDS[0]]
    for field in CHUNK_FIELDS[1:]:
        rough += lexical.chunk[field]
    by_file = 0.5 * lexical.file_body
    for field in PATH_FIELDS:
        by_file = by_file + lexical.file[field]
    # A file that matches by its path brings its first chunk, and any chunk that matches itself.
    touched = rough > 0
    touched |= corpus.is_first
    touched &= allowed
    places = touched.nonzero()[0]
    return _best(places, rough[places] + by_file[corpus.files[places]], _LEXICAL_POOL)


def _by_meaning(dense: Floats, allowed: NDArray[np.bool_], least: float) -> Integers:
    """Return the documents worth a closer look for their vectors."""
    near = dense >= least
    near &= allowed
    places = near.nonzero()[0]
    return _best(places, dense[places], _DENSE_POOL)


def _best(places: Integers, scores: Floats, count: int) -> Integers:
    """Return the places of the `count` best positive scores, with ties at the edge.

    Ties are all in or, if they would more than double the pool, all out, so that the choice does
    not depend on where documents lie.
    """
    positive = scores > 0
    places, scores = places[positive], scores[positive]
    if len(places) <= count:
        return places
    edge = np.partition(scores, len(scores) - count)[len(scores) - count]
    inside: Integers = places[scores >= edge]
    above: Integers = places[scores > edge]
    return inside if len(inside) <= 2 * count else above
