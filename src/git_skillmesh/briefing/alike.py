"""Which past exchanges were clearly about the same as a prompt.

In: a prompt and what was asked before. Out: exchanges with their likeness, the most alike first.
Words that few prompts have count most. Pure: it reads nothing, and needs no vectors.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..index.glance import Past
from .prompts import Prompt, words_of

# Chosen on the repositories that benchmarks/context_replay.py calls "tuned", see
# docs/context-hook.md.
LEAST_LIKENESS = 0.35
LEAST_SHARED = 3
# Exchanges that are looked at, the latest ones.
MOST_LOOKED_AT = 1_500
# How much the title of a session and the names of files say of one exchange.
_TITLE, _PATHS = 0.5, 0.4
_MOST_PATHS = 12


class Alike(NamedTuple):
    """A past exchange and how alike it is, from 0 to 1."""

    past: Past
    likeness: float
    shared: tuple[str, ...]


def most_alike(prompt: Prompt, past: Sequence[Past], least: float = LEAST_LIKENESS) -> list[Alike]:
    """Return the exchanges that are at least so alike, the best of each session."""
    wanted = frozenset(prompt.words)
    if len(wanted) < LEAST_SHARED:
        return []
    documents = [_weights(one) for one in past[-MOST_LOOKED_AT:]]
    counts = Counter(word for document in documents for word in document)
    idf = {word: math.log(1 + len(documents) / (1 + count)) for word, count in counts.items()}
    unseen = math.log(1 + len(documents))
    whole = math.sqrt(sum(idf.get(word, unseen) ** 2 for word in wanted))
    best: dict[str, Alike] = {}
    for one, document in zip(past[-MOST_LOOKED_AT:], documents, strict=True):
        shared = wanted & document.keys()
        if len(shared) < LEAST_SHARED:
            continue
        length = math.sqrt(sum((idf[word] * weight) ** 2 for word, weight in document.items()))
        dot = sum(idf[word] ** 2 * document[word] for word in shared)
        likeness = dot / (whole * length)
        if likeness >= least and likeness > _of(best.get(one.session)):
            best[one.session] = Alike(one, likeness, tuple(sorted(shared)))
    return sorted(best.values(), key=lambda one: (-one.likeness, one.past.session))


def _of(found: Alike | None) -> float:
    return found.likeness if found else 0.0


def _weights(past: Past) -> dict[str, float]:
    names = (path.rpartition("/")[2] for path in past.paths[:_MOST_PATHS])
    found = dict.fromkeys(_words(names), _PATHS)
    found |= dict.fromkeys(words_of(past.title), _TITLE)
    found |= dict.fromkeys(words_of(past.asked), 1.0)
    return found


def _words(texts: Iterable[str]) -> list[str]:
    return words_of(" ".join(texts))
