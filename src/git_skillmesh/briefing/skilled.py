"""Which skills fit a prompt: one, or two, or as a rule none.

In: a prompt. Out: cards with the reader's way to their instructions. Finding a skill takes three
times as long as everything else, so it is only tried where the prompt has words that skills are
called by, and a server that has them ready is asked first (asking.py).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..registry.place import FOLDER, shipped
from .prompts import Prompt, words_of

if TYPE_CHECKING:
    from ..registry.model import Card
    from ..registry.retriever import SkillRetriever

# The routing's own estimates that any skill, and that just this one, is meant.
LEAST_CONFIDENCE = 0.97
LEAST_SCORE = 0.90
_MOST = 2
# A prompt of many words is about too much for a skill to fit it all.
_LEAST_WORDS, _MOST_WORDS = 4, 45
_LEAST_NAMES, _LEAST = 0.2, 1.2


class Said(NamedTuple):
    """What is told of a skill."""

    id: str
    title: str
    description: str
    instruction_file: str


class Fitting(NamedTuple):
    """A skill, and how likely it is meant."""

    card: Said
    score: float
    confidence: float


def fitting(
    prompt: Prompt, top: Path | None, state: Path | None, least: float = LEAST_CONFIDENCE
) -> list[Fitting]:
    """Return the skills that fit."""
    if not may_fit(prompt, top):
        return []
    told = _told(prompt, top, state, least) if top is not None and state is not None else None
    return _routed(prompt, top, state, least) if told is None else told


def _told(prompt: Prompt, top: Path, state: Path, least: float) -> list[Fitting] | None:
    """Return what a server says, None where none does."""
    from .asking import ask

    answer = ask(state, {"top": str(top), "text": prompt.text, "least": least})
    if not isinstance(answer, list):
        return None
    try:
        found = [Fitting(Said(*card), float(score), float(sure)) for card, score, sure in answer]
    except (TypeError, ValueError):
        return None
    return found if all(isinstance(text, str) for one in found for text in one.card) else None


def may_fit(prompt: Prompt, top: Path | None) -> bool:
    """Whether a fifth of the prompt's words are those by which one skill is called.

    One of them has to be of no other skill, and it has to have company. One prompt of thirty is
    so; to look for a skill in more of them would find few more, and make people wait.
    """
    if not _LEAST_WORDS <= len(prompt.topics) <= _MOST_WORDS:
        return False
    called = dict(_called())
    if top is not None and (top / FOLDER).is_dir():
        from ..registry.loading import load_registry

        own = load_registry(top / FOLDER).cards
        called |= {one.id: _words(one.id, one.title, one.tags, one.aliases) for one in own}
    asked = frozenset(prompt.topics)
    counts = Counter(word for words in called.values() for word in words & asked)
    return any(_names(words & asked, counts, len(asked)) for words in called.values())


def _names(shared: frozenset[str], counts: Mapping[str, int], asked: int) -> bool:
    said = [1 / counts[word] for word in shared]
    return len(said) >= _LEAST_NAMES * asked and max(said, default=0) == 1 and sum(said) > _LEAST


def _called() -> Mapping[str, frozenset[str]]:
    """Return id → the words by which each of the shipped skills is called.

    Read without making cards of them, which takes as long as all the rest.
    """
    place = shipped()
    if place.is_dir():
        from ..registry.loading import load_registry

        cards = load_registry(place).cards
        return {one.id: _words(one.id, one.title, one.tags, one.aliases) for one in cards}
    listed = json.loads(place.read_bytes())["tools"]
    return {
        str(one["id"]): _words(
            one["id"], one.get("title", ""), one.get("tags", ()), one.get("aliases", ())
        )
        for one in listed
    }


def _words(name: str, title: str, tags: Iterable[str], aliases: Iterable[str]) -> frozenset[str]:
    return frozenset(words_of(" ".join((name, title, *tags, *aliases))))


def _routed(prompt: Prompt, top: Path | None, state: Path | None, least: float) -> list[Fitting]:
    from ..registry.loading import skills_of

    return chosen(retriever_of(skills_of(top).cards, state), prompt.text, least)


def retriever_of(cards: "Sequence[Card]", state: Path | None) -> "SkillRetriever":
    """Return what routes prompts to cards: with the built-in models alone, nobody is asked."""
    from ..registry.models import MOST_FOR_SENTENCES
    from ..registry.retriever import SkillRetriever
    from .meaning import sentences

    embedder = sentences() if len(cards) <= MOST_FOR_SENTENCES else None
    return SkillRetriever(cards, folder=state / "skills" if state else None, embedder=embedder)


def chosen(retriever: "SkillRetriever", text: str, least: float) -> list[Fitting]:
    """Return the skills that a prompt means with enough certainty."""
    routing = retriever.route(text, _MOST)
    if routing.confidence < least:
        return []
    return [
        Fitting(said_of(hit.card), hit.score, routing.confidence)
        for hit in routing.hits
        if hit.score >= LEAST_SCORE
    ]


def said_of(card: "Card") -> Said:
    """Return what is told of a card."""
    return Said(card.id, card.title, card.description, card.instruction_file)
