"""Search the learnings: by what they say, what they look for, and their examples.

In: a view of the learnings, a query. Out: `LearningAnswer`. Candidates and features are those of
code (search.py); the score is a plain sum of a few of them, in which the meaning counts most: a
question rarely has the words of the rule that answers it (docs/retrieval.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..index.learning_view import LearningView
from ..index.learnings import Info
from ..learnings.model import Learning, State, id_of
from ..learnings.reading import Problem
from .corpus import Floats
from .excerpt import best_lines, mark
from .features import NAMES
from .results import Line
from .search import Candidates, Options, Searcher

# Words of the part and of the whole learning, meaning of both; words of title and id; of tags.
WEIGHTS = {
    "body": 1.0, "file_body": 1.0, "dense": 4.0, "dense_file": 16.0, "stem": 0.5,
    "directory_coverage": 0.5,
}  # fmt: skip
_COLUMNS = [NAMES.index(name) for name in WEIGHTS]
_COSINE = NAMES.index("dense_file")
_NAMES = {"stem": "title", "directory_coverage": "tags", "file_body": "learning",
          "dense_file": "dense_learning"}  # fmt: skip
# Nine of ten unrelated questions stay below it, nineteen of twenty that are meant are above
# (docs/retrieval.md).
_LEAST_COSINE = 0.25
# Without such a likeness a learning has to have this share of the question's words.
_LEAST_COVERAGE = 0.25
_SHOWN_REASONS = 3
# Scores that do not differ in the first decimal are equal: then what is trusted most comes first.
_EQUAL = 1
_TRUST = {State.BLOCK: 0, State.WARN: 1, State.PROPOSED: 2, State.RETIRED: 3}


@dataclass(frozen=True, slots=True)
class LearningOptions:
    """Filters and the size of the page; without `states` all but what is retired.

    `covers` says of the facts of a learning whether it applies to what was asked for.
    """

    limit: int = 10
    states: tuple[State, ...] = ()
    covers: Callable[[Info], bool] | None = None


@dataclass(frozen=True, slots=True)
class FoundLearning:
    """Where a learning stands on the page, before its file is read."""

    rank: int
    score: float
    cosine: float
    state: State
    file: int
    candidate: int


@dataclass(frozen=True, slots=True)
class FoundLearnings:
    """What was found of `searched` learnings, best first, and what is needed to show it."""

    candidates: Candidates
    shares: Floats
    found: tuple[FoundLearning, ...]
    searched: int
    learnings: int


@dataclass(frozen=True, slots=True)
class LearningHit:
    """A learning that answers the query. `part` is where: description, pattern, fix, examples.

    `changed` says that the file on disk differs from HEAD, `cosine` how alike query and learning
    are in meaning.
    """

    rank: int
    learning: Learning
    path: str
    part: str
    changed: bool
    score: float
    reasons: tuple[str, ...]
    lines: tuple[Line, ...]
    text: str
    features: dict[str, float] = field(default_factory=dict)
    cosine: float = 0.0

    @property
    def state(self) -> State:
        """How much the team trusts it."""
        return self.learning.state


@dataclass(frozen=True, slots=True)
class LearningAnswer:
    """Hits, best first; `searched` learnings, of `learnings` in all. `broken` are left out."""

    query: str
    hits: tuple[LearningHit, ...]
    searched: int
    learnings: int
    broken: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


class LearningSearcher:
    """Answers queries about the learnings, as long as the view is open."""

    def __init__(self, view: LearningView) -> None:
        self._view = view
        self._searcher = Searcher(view, "")

    def answer(
        self,
        text: str,
        options: LearningOptions,
        vector: NDArray[np.float32] | None,
        notes: Sequence[str] = (),
    ) -> LearningAnswer:
        """Return the best learnings; `vector` is the embedded query, None for words only."""
        ranked = self.ranked(text, options, vector)
        hits = self.shown(ranked, ranked.found)
        return LearningAnswer(
            text, hits, ranked.searched, ranked.learnings, self._view.broken, tuple(notes)
        )

    def ranked(
        self, text: str, options: LearningOptions, vector: NDArray[np.float32] | None
    ) -> FoundLearnings:
        """Return the order of the best learnings, without reading them."""
        usable = {file: info.state for file, info in self._view.known.items() if info.state}
        wanted = frozenset(file for file in usable if _fits(self._view.known[file], options))
        found = self._searcher.candidates(
            text, Options(only=wanted, least_cosine=_LEAST_COSINE), vector
        )
        if vector is not None:
            found = _with_answers(found)
        owners, ordinals = self._searcher.ordinals(found)
        shares: Floats = found.features[:, _COLUMNS] * np.array(list(WEIGHTS.values()))
        scores = np.round(sum(shares.T), 9).tolist()
        best: dict[int, int] = {}
        for number in sorted(range(len(scores)), key=lambda n: (-scores[n], ordinals[n])):
            best.setdefault(owners[number], number)
        order = sorted(best, key=lambda owner: self._place(owner, scores[best[owner]], found))
        hits = tuple(
            FoundLearning(
                rank=rank,
                score=round(scores[best[file]], 4),
                cosine=float(found.features[best[file], _COSINE]),
                state=usable[file],
                file=file,
                candidate=best[file],
            )
            for rank, file in enumerate(order[: options.limit], 1)
        )
        return FoundLearnings(found, shares, hits, len(wanted), len(usable))

    def shown(
        self, ranked: FoundLearnings, wanted: Sequence[FoundLearning]
    ) -> tuple[LearningHit, ...]:
        """Return some of what was found as hits."""
        found = ranked.candidates
        _, ordinals = self._searcher.ordinals(found)
        rows = [found.files[one.file] for one in wanted]
        learnings, texts = self._view.learnings(rows), self._view.texts(rows)
        hits = []
        for one, row in zip(wanted, rows, strict=True):
            chunk = self._view.chunk(row.id, ordinals[one.candidate])
            lines = texts[row.id].decode(errors="replace").split("\n")
            lines = lines[chunk.start_line - 1 : chunk.end_line]
            parts = dict(zip(WEIGHTS, ranked.shares[one.candidate].tolist(), strict=True))
            features = {
                _NAMES.get(name, name): round(value, 4) for name, value in parts.items() if value
            }
            strongest = sorted(features, key=lambda name: -features[name])
            hits.append(
                LearningHit(
                    rank=one.rank,
                    learning=learnings[row.id],
                    path=row.path,
                    part=chunk.key,
                    changed=row.path in self._view.on_disk,
                    score=one.score,
                    reasons=tuple(strongest[:_SHOWN_REASONS]),
                    lines=best_lines(lines, chunk.start_line, mark(lines, found.query)),
                    text="\n".join(lines),
                    features=features,
                    cosine=one.cosine,
                )
            )
        return tuple(hits)

    def _place(self, owner: int, score: float, found: Candidates) -> tuple[float, int, float, str]:
        """Return the key by which learnings are put in order."""
        state = self._view.known[owner].state
        trust = _TRUST[state] if state else len(_TRUST)
        return -round(score, _EQUAL), trust, -score, id_of(found.files[owner].path)


def _with_answers(found: Candidates) -> Candidates:
    """Return the candidates that have more than a stray word of the question."""
    covered = found.features[:, NAMES.index("file_coverage")] >= _LEAST_COVERAGE
    alike = found.features[:, _COSINE] >= _LEAST_COSINE
    kept = covered | alike
    return replace(found, rows=found.rows[kept], features=found.features[kept])


def _fits(info: Info, options: LearningOptions) -> bool:
    states = options.states or (State.BLOCK, State.WARN, State.PROPOSED)
    return info.state in states and (options.covers is None or options.covers(info))
