"""Search the thoughts of all sessions, by their words and by what they mean.

In: a repository, a question. Out: `ThoughtAnswer`: thoughts that say something about it, or none.
The arrays it adds up are a cache (`.git/skillmesh/thoughts.idx`); what is new in the memory is read
on the way, and the texts are read from the memory.
"""

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..config import Config
from ..embedding.static import StaticEmbedder
from ..errors import ConfigurationError, Unavailable
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from ..sessions import layout
from .history import in_order, versions
from .model import Thought
from .records import from_bytes
from .store import thinking_folders
from .terms import Floats, New, Terms, asked, ids, nothing, packed, renewed, unpacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..embedding.protocol import Embedder

# Half of the score is likeness in meaning, half are words. Chosen on made-up sessions: nine of ten
# questions that they answer stay above it, as many of those that they do not below
# (docs/thinking.md).
LEAST = 0.25
_MEANING, _WORDS = 0.5, 0.5
# A thought that is much like another one: what an agent is told of unasked. Thoughts about
# different things stay below 0.24.
ALIKE = 0.45
_LEAST_WORDS_ALIKE = 4


@dataclass(frozen=True, slots=True)
class ThoughtHit:
    """A thought that answers the question; `revised` is what its number says now, "" for itself."""

    rank: int
    thought: Thought
    score: float
    cosine: float
    share: float
    revised: str = ""


@dataclass(frozen=True, slots=True)
class ThoughtAnswer:
    """Hits from the asked rank on, best first; `found` in all, of `searched` thoughts."""

    query: str
    hits: tuple[ThoughtHit, ...]
    found: int
    searched: int
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Finder:
    """Answers questions about the thoughts of a repository; one may serve many, from any thread.

    What was read once stays; a thought that was recorded since is found by the next question.
    """

    repository: Repository
    ref: str = layout.REF
    _terms: Terms | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(
        self,
        query: str,
        config: Config,
        *,
        limit: int = 5,
        offset: int = 0,
        session: str = "",
        least: float = LEAST,
        main_only: bool = False,
    ) -> ThoughtAnswer:
        """Return the thoughts that say something about a question, of one session or of all.

        `least` is the score that a hit needs; `main_only` leaves out branches.

        Raises `Damaged`; without the embedding model words alone count, and a note says so.
        """
        with ObjectDatabase(self.repository) as db:
            terms, embedder, notes = self._ready(db, config)
            chosen = np.ones(len(terms), np.bool_)
            if session:
                chosen = _of_session(terms, layout.thinking_key(session))
            if main_only:
                chosen &= (terms.names[:, 20:28] == 0).all(axis=1)
            scores, cosines, shares = _scored(terms, query, embedder)
            order = _best(np.where(chosen, scores, 0.0), least)
            hits, count = _hits(db, terms, order, (scores, cosines, shares), limit, offset)
        return ThoughtAnswer(query, hits, count, int(chosen.sum()), notes)

    def alike(self, thought: Thought, config: Config, limit: int = 2) -> list[ThoughtHit]:
        """Return thoughts of other sessions that are clearly like this one. Raises `Damaged`."""
        if len(asked(thought.text)) < _LEAST_WORDS_ALIKE:
            return []
        with ObjectDatabase(self.repository) as db:
            terms, embedder, _ = self._ready(db, config)
            scores, cosines, shares = _scored(terms, thought.text, embedder)
            others = ~_of_session(terms, layout.thinking_key(thought.session_id))
            order = _best(np.where(others, scores, 0.0), ALIKE)
            return list(_hits(db, terms, order, (scores, cosines, shares), limit, 0)[0])

    def terms(self, db: ObjectDatabase, config: Config) -> Terms:
        """Return the arrays of all thoughts with their vectors.

        Raises `Damaged`, `Unavailable` when the embedding model is, `ConfigurationError`.
        """
        return self._renewed(db, _embedder(config))

    def _ready(
        self, db: ObjectDatabase, config: Config
    ) -> "tuple[Terms, Embedder | None, tuple[str, ...]]":
        try:
            embedder = _embedder(config)
            return self._renewed(db, embedder), embedder, ()
        except (Unavailable, ConfigurationError) as error:
            notes = (f"thoughts are ranked by words only: {error}",)
            return self._renewed(db, None), None, notes

    def _renewed(self, db: ObjectDatabase, embedder: "Embedder | None") -> Terms:
        """Return arrays that have what the memory has now."""
        model = embedder.model_id if embedder else ""
        with self._lock:
            tip = db.tip(self.ref)
            entry = db.trees.at(tip.commit.tree, layout.THOUGHTS) if tip else None
            tree = entry.oid if entry else ""
            terms = self._terms or Terms.load(cache_path(self.repository))
            width = len(self.repository.empty_tree) // 2
            if terms is None or terms.model != model or terms.oids.shape[1] != width:
                dimension = len(embedder.embed_query("dimension")) if embedder else 1
                terms = nothing(model, dimension, width)
            if terms.tree != tree:
                top = tip.commit.tree if tip else None
                terms = _read(db, thinking_folders(db, top) if top else {}, terms, embedder, tree)
                if embedder:
                    with suppress(OSError):  # a disk that is full or cannot be written
                        terms.save(cache_path(self.repository))
            if embedder:
                self._terms = terms
            return terms


def cache_path(repository: Repository) -> Path:
    """Return the file of the cache."""
    return repository.state_dir / "thoughts.idx"


def refresh(repository: Repository, config: Config) -> int:
    """Bring the cache up to date, and return how many files of thoughts there are.

    What was forgotten leaves it, come what may. Raises `Damaged`.
    """
    path = cache_path(repository)
    with ObjectDatabase(repository) as db:
        tip = db.tip(layout.REF)
        if not path.exists() and not (tip and db.trees.at(tip.commit.tree, layout.THOUGHTS)):
            return 0
        try:
            return len(Finder(repository).terms(db, config))
        except (Unavailable, ConfigurationError):
            with suppress(OSError):
                path.unlink()
            return 0


def _embedder(config: Config) -> "Embedder":
    """Return the configured model. Raises `Unavailable`, `ConfigurationError`."""
    provider = config["embedding.provider"].lower()
    if provider in ("", "builtin"):
        return _builtin()
    from ..embedding.providers import make_embedder

    return make_embedder(provider, config["embedding.name"], config.environ)


_loaded: list[StaticEmbedder] = []


def _builtin() -> StaticEmbedder:
    if not _loaded:
        _loaded.append(StaticEmbedder.load())
    return _loaded[0]


def _read(
    db: ObjectDatabase,
    folders: dict[str, str],
    old: Terms,
    embedder: "Embedder | None",
    tree: str,
) -> Terms:
    """Return the arrays of what the memory has, for which only new thoughts are read."""
    there: dict[bytes, str] = {}
    listed = db.trees.many(list(folders.values()))
    for key, names in zip(folders, listed, strict=True):
        for name, entry in names.items():
            place = layout.thought_place(name)
            if place and not entry.is_folder:
                there[packed(key, place[0], place[1], name[-21:-5])] = entry.oid
    known = ids(old.names)
    keep = np.array([one in there for one in known], np.bool_)
    new = sorted(there.keys() - set(known))
    texts = []
    for fresh, data in zip(new, db.reader.read_many(there[one] for one in new), strict=True):
        thought = from_bytes(data)
        own = thought and layout.thinking_key(thought.session_id) == unpacked(fresh)[0]
        texts.append(thought.text if thought and own else "")
    vectors = np.zeros((len(new), old.rows.shape[1]), np.float32)
    if embedder and texts:
        vectors[:] = embedder.embed_documents(texts)
    oids = [bytes.fromhex(there[one]) for one in new]
    return renewed(old, tree, keep, New(new, oids, texts, vectors))


def _of_session(terms: Terms, key: str) -> "NDArray[np.bool_]":
    wanted = np.frombuffer(bytes.fromhex(key), np.uint8)
    found: NDArray[np.bool_] = (terms.names[:, :16] == wanted).all(axis=1)
    return found


def _scored(terms: Terms, query: str, embedder: "Embedder | None") -> tuple[Floats, Floats, Floats]:
    """Return the score of each thought, and what it is made of: likeness, share of the words."""
    words, shares = terms.words(asked(query))
    cosines = np.zeros(len(terms))
    if embedder and len(terms):
        cosines = terms.cosines(embedder.embed_query(query))
    scores: Floats = np.round(_MEANING * cosines + _WORDS * (words + shares) / 2, 9)
    return scores, cosines, shares


def _best(scores: Floats, least: float) -> "NDArray[np.int64]":
    """Return the thoughts that are worth showing, best first; ties in the order of their names."""
    good = np.flatnonzero(scores >= least)
    order: NDArray[np.int64] = good[np.argsort(-scores[good], kind="stable")]
    return order


def _hits(
    db: ObjectDatabase,
    terms: Terms,
    order: "NDArray[np.int64]",
    parts: tuple[Floats, Floats, Floats],
    limit: int,
    offset: int,
) -> tuple[tuple[ThoughtHit, ...], int]:
    """Return hits of a page, one for each number of a line, and how many there are in all."""
    rows: dict[bytes, list[int]] = {}
    for row, place in zip(order.tolist(), ids(terms.names[order]), strict=True):
        rows.setdefault(place[:28], []).append(row)
    shown = list(rows.items())[offset : offset + max(limit, 0)]
    found = []
    for rank, (place, fitting) in enumerate(shown, offset + 1):
        read = _read_step(db, terms, place)
        said = versions(in_order(read.values()))
        texts = {read[row].text: row for row in reversed(fitting) if row in read}
        # What counts now, if it is an answer too; else the best of what it once was.
        chosen = next((one for one in reversed(said) if one.text in texts), None)
        if chosen is None:
            continue  # nothing that can be read any more
        row = texts[chosen.text]
        score, cosine, share = (round(float(part[row]), 4) for part in parts)
        revised = said[-1].text if chosen.revision < said[-1].revision else ""
        found.append(ThoughtHit(rank, chosen, score, cosine, share, revised))
    return tuple(found), len(rows)


def _read_step(db: ObjectDatabase, terms: Terms, place: bytes) -> dict[int, Thought]:
    """Return row → thought of all that was said at a place."""
    first = np.frombuffer(place, np.uint8)
    rows = np.flatnonzero((terms.names[:, :28] == first).all(axis=1)).tolist()
    data = db.reader.read_many(terms.oids[row].tobytes().hex() for row in rows)
    read = zip(rows, map(from_bytes, data), strict=True)
    return {row: thought for row, thought in read if thought is not None}
