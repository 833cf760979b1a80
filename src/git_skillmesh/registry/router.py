"""A question in, hits or the reason for none out: what both backends have in common.

In: cards, their index and vectors. Out: `Routing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..display import safe_line
from ..embedding.protocol import Embedder
from .background import background
from .index import Index
from .known import read
from .model import Card, RetrievalHit
from .ranking import Mode, kind_of, rank
from .signals import Reader
from .vectors import Vectors
from .words import asked

TOP_K = 5
_LONGEST_QUESTION = 8_000


@dataclass(frozen=True, slots=True)
class Options:
    """How to answer: `dense` False leaves meaning out, mode "rrf" is plain rank fusion.

    `everything` also returns hits below the threshold.
    """

    dense: bool = True
    mode: Mode = "ranked"
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    """The answer: hits, best first, or the `reason` why there are none.

    `confidence` is the estimated probability that the registry has a card for the question;
    `best_guess` is the best card even where it was not good enough.
    """

    query: str
    hits: tuple[RetrievalHit, ...]
    reason: str = ""
    confidence: float = 0.0
    best_guess: Card | None = None


class RetrievalBackend(Protocol):
    """Cards in, hits out, wherever the vectors are kept."""

    name: str

    def index(self, cards: Sequence[Card]) -> None:
        """Make `cards` what is searched; only new and changed ones are read."""

    def query(self, text: str, top_k: int = TOP_K) -> list[RetrievalHit]:
        """Return up to `top_k` hits, none where no card is likely to be meant."""

    def route(self, text: str, top_k: int = TOP_K, options: Options = ...) -> Routing:
        """Return the same with the reason why there are none."""


class Router:
    """Answers questions about the cards of one index."""

    def __init__(
        self, cards: Sequence[Card], index: Index, vectors: Vectors, embedder: Embedder
    ) -> None:
        self._cards = tuple(cards)
        self._reader = Reader(index, vectors, embedder, background())
        self._embedder = embedder

    def asks(self, text: str) -> bool:
        """Whether there is anything to look for, and anything to look at."""
        return bool(self._cards and asked(text[:_LONGEST_QUESTION]))

    def route(self, text: str, top_k: int, options: Options) -> Routing:
        """Return up to `top_k` hits, or why there are none."""
        text = text[:_LONGEST_QUESTION]
        if not self._cards:
            return Routing(text, (), "the registry has no cards")
        if not asked(text):
            return Routing(text, (), "the question has no words")
        model = self._embedder if options.dense else None
        vector, known = read(model, text) if model else (None, None)
        signals = self._reader.signals(text, vector, known)
        ranked = rank(signals, kind_of(model), options.mode, self._reader)
        cards = [self._cards[number] for number in signals.cards.tolist()]
        if not ranked.order:
            return Routing(text, (), "nothing in the registry has a word of the question")
        best, confidence = cards[ranked.order[0]], round(ranked.confidence, 4)
        hits = tuple(
            RetrievalHit(
                cards[place],
                round(float(ranked.scores[place]), 4),
                round(float(signals.sparse[place]), 4),
                round(float(signals.dense[place]), 4),
            )
            for place in ranked.order[: max(top_k, 0)]
        )
        if ranked.confidence >= ranked.threshold or options.everything:
            return Routing(text, hits, "", confidence, best)
        reason = (
            f"nothing in the registry is about this: best guess {safe_line(best.id)} "
            f"at {ranked.confidence:.2f}"
        )
        return Routing(text, (), reason, confidence, best)
