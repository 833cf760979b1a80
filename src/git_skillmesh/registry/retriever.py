"""Find the cards for a question: the one entrance to routing.

In: cards. Out: `Routing`. `auto` is the backend in memory: it answered faster than Chroma at every
size that was measured (docs/routing.md).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..embedding.protocol import Embedder
from .backends.memory import InMemoryBackend
from .model import Card, RetrievalHit
from .router import TOP_K, Options, RetrievalBackend, Routing
from .storage import index_file

if TYPE_CHECKING:
    from ..chroma.target import Target

Backend = Literal["auto", "memory", "chroma"]
BACKENDS: tuple[Backend, ...] = ("auto", "memory", "chroma")


class SkillRetriever:
    """Routes questions to cards.

    `folder` (storage.cache_folder) is where what was read of the cards is kept for the next run,
    under the name `registry`; without it nothing is kept. `target` names a Chroma store other than
    one in that folder, `owner` the repository whose cards these are in a shared one.
    """

    def __init__(
        self,
        cards: Sequence[Card],
        backend: Backend = "auto",
        *,
        folder: Path | None = None,
        registry: str = "experts",
        target: "Target | None" = None,
        owner: str = "",
        embedder: Embedder | None = None,
    ) -> None:
        self.backend: RetrievalBackend
        if backend == "chroma":
            from .backends.chroma import ChromaBackend

            self.backend = ChromaBackend(embedder, folder, target, registry, owner)
        elif backend in BACKENDS:
            self.backend = InMemoryBackend(embedder, folder and index_file(folder, registry))
        else:
            raise ValueError(f"unknown backend {backend!r}, not one of {', '.join(BACKENDS)}")
        self.backend.index(cards)

    def retrieve(self, text: str, top_k: int = TOP_K) -> list[RetrievalHit]:
        """Return up to `top_k` hits, best first; none where no card is likely to be meant."""
        return list(self.route(text, top_k).hits)

    def route(self, text: str, top_k: int = TOP_K, options: Options | None = None) -> Routing:
        """Return the hits, or the reason why there are none."""
        return self.backend.route(text, top_k, options or Options())
