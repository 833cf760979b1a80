"""Which embedding model a registry of a certain size gets.

In: the number of cards. Out: an `Embedder`. The sentence model understands far better what is meant
and takes some 10 ms for each text of a card; with very many cards the static one is used.
"""

from functools import cache

from ..embedding.protocol import Embedder
from ..embedding.sentence import builtin_model
from ..embedding.static import StaticEmbedder

# About two minutes to index, once; every query after that is as quick as with few.
MOST_FOR_SENTENCES = 256


def model_for(cards: int) -> Embedder:
    """Return the built-in model for a registry of so many cards."""
    return builtin_model() if cards <= MOST_FOR_SENTENCES else _static()


@cache
def _static() -> Embedder:
    return StaticEmbedder.load()
