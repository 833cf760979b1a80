"""The backend that needs nothing: words and vectors in arrays, kept in one file between runs.

In: cards. Out: hits.
"""

from collections.abc import Sequence
from pathlib import Path

from ...embedding.protocol import Embedder
from ..index import Index, update
from ..model import Card, RetrievalHit
from ..models import model_for
from ..router import TOP_K, Options, Router, Routing
from ..storage import load, save
from ..vectors import LocalVectors


class InMemoryBackend:
    """A `RetrievalBackend`. With `store`, a file, what was read of cards is kept there.

    Without an `embedder` the number of cards decides which of the built-in models is used.
    """

    name = "memory"

    def __init__(self, embedder: Embedder | None = None, store: Path | None = None) -> None:
        self._given = embedder
        self._store = store
        self._index: Index | None = None
        self._model_id = ""
        self._router: Router | None = None

    def index(self, cards: Sequence[Card]) -> None:
        """Make `cards` what is searched; only new and changed ones are read."""
        cards = sorted(cards, key=lambda card: card.id)
        model = self._given or model_for(len(cards))
        old = self._index
        if old is None or self._model_id != model.model_id:
            old = load(self._store, model)
        fresh = update(old, cards, model)
        if fresh is not old:
            save(fresh, self._store, model)
        self._index, self._model_id = fresh, model.model_id
        self._router = Router(cards, fresh, LocalVectors(fresh), model)

    def query(self, text: str, top_k: int = TOP_K) -> list[RetrievalHit]:
        """Return up to `top_k` hits, none where no card is likely to be meant."""
        return list(self.route(text, top_k).hits)

    def route(self, text: str, top_k: int = TOP_K, options: Options | None = None) -> Routing:
        """Return the same with the reason why there are none."""
        if self._router is None:
            self.index(())
        assert self._router is not None  # noqa: S101 - indexed just now
        return self._router.route(text, top_k, options or Options())
