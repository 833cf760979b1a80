"""What of a card is searched, and what makes its place in an index outdated.

In: a `Card`. Out: `Routed`: the terms of each field, the texts that get vectors, and a digest of
all of it. A card without examples or tags, as most Agent Skills are, has empty fields.
"""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from ..yamlnodes import Unreadable
from .everyday import everyday_digest, phrases_for
from .model import Card
from .words import terms

# Raise it when the code changes what is searched: indexes that are stored are then made anew.
RECIPE = 1

# What is read of very long instructions: everything of a card as they should be.
_MOST_BODY = 24_000
_MOST_EXAMPLES = 100
# Sections that get a vector of their own, and how much of each is read for it.
_MOST_SECTIONS = 8
_SECTION = 500
_FENCE = re.compile(r"^(```|~~~).*?^\1[`~]*\s*$", re.M | re.S)
_NOT_FOR = re.compile(r"^[ \t]*(?:[-*]\s*)?(?:\*\*)?Not for\b.*(?:\n(?:[ \t]+\S.*|[-*] .*))*", re.M)
_COMPOSABILITY = re.compile(r"^## Composability\b.*?(?=^## |\Z)", re.M | re.S)
_HEADING = re.compile(r"^(?=#{1,6} )", re.M)


class Field(IntEnum):
    """Where a term of a card stands."""

    NAME = 0  # title, aliases, the parts of the id
    TAG = 1  # tags, tool hints
    DESCRIPTION = 2
    EXAMPLE = 3
    BODY = 4
    EVERYDAY = 5  # what people say who do not know the words (everyday.py)


@dataclass(frozen=True, slots=True)
class Routed:
    """A card as an index sees it: terms and their counts by field, and texts to embed.

    `texts` begins with the card's name, tags and description as one text; examples and sections
    of the instructions follow, `kinds` says which.
    """

    terms: tuple[Counter[str], ...]
    texts: tuple[str, ...]
    kinds: tuple[Field, ...]


def recipe() -> str:
    """Return what changes whenever the same card would be read differently."""
    return f"{RECIPE}-{everyday_digest()}"


def digest(card: Card) -> bytes:
    """Return 16 bytes that differ whenever something that is searched differs."""
    searched = [
        recipe(), card.id, card.title, card.description, card.tags, card.tool_hints, card.aliases,
        card.examples, _instructions(card),
    ]  # fmt: skip
    text = json.dumps(searched, ensure_ascii=True).encode()
    return hashlib.blake2b(text, digest_size=16).digest()


def routed(card: Card) -> Routed:
    """Return what of a card is searched."""
    name = " . ".join((card.title, card.id.replace(".", " "), *card.aliases))
    tags = " . ".join((*card.tags, *card.tool_hints))
    examples = card.examples[:_MOST_EXAMPLES]
    body = about(_instructions(card))
    contents = (name, tags, card.description, " . ".join(examples), body)
    counted = [Counter(terms(content)) for content in contents]
    phrases = phrases_for((card.id, card.title, " . ".join(card.aliases), tags, card.description))
    counted.append(Counter(terms(" . ".join(phrases))))
    texts = [(Field.DESCRIPTION, " . ".join((name, tags, card.description)))]
    texts += [(Field.EXAMPLE, example) for example in examples]
    texts += [(Field.BODY, section) for section in _sections(body)]
    texts += [(Field.EVERYDAY, phrase) for phrase in phrases]
    kinds, embedded = zip(*texts, strict=True)
    return Routed(tuple(counted), embedded, kinds)


def _instructions(card: Card) -> str:
    try:
        return card.instructions[:_MOST_BODY]
    except Unreadable:
        return ""


def about(instructions: str) -> str:
    """Return instructions without what says which other card to use."""
    return _COMPOSABILITY.sub("", _NOT_FOR.sub("", instructions))


def _sections(body: str) -> list[str]:
    """Return the prose under each heading; code names its parts in ways nobody asks for."""
    sections = _HEADING.split(_FENCE.sub("", body))
    return [section[:_SECTION] for section in sections if len(section) > 80][:_MOST_SECTIONS]
