"""The instructions of a card in parts, and which of them fit into a budget.

In: cards. Out: sections, whole ones only, the most useful first. Nothing is cut: a section is there
as it was written or it is named among those that were left out.
"""

import re
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ..display import safe
from ..yamlnodes import Unreadable
from .markdown import SECTIONS, read_page
from .model import Card

DESCRIPTION = "Description"
# What an agent needs first; where it came from by itself, the routing has told it when.
_USEFUL = ("Execution behaviour", "Decision tree", "Anti-patterns", "Output contract",
           "Common mistakes", DESCRIPTION, "When to use", "Composability")  # fmt: skip
# So many sections of a card come before the first of the next card; all of them where the next
# card is hardly meant.
_HEAD_START, _ALL = 4, 100
# So many sections without room in a row, and nothing is tried any more.
_MOST_MISSES = 200
_HEADING = re.compile(r"#{1,2}[ \t]+(.*?)[ \t#]*$")
_HALVES = re.compile("[\ud800-\udfff\ufffe\uffff]")  # no UTF-8 text may have these


@dataclass(frozen=True, slots=True)
class Part:
    """A section: `title` is its heading, "" for what comes before the first."""

    title: str
    body: str
    rank: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """The parts of one card that are shown, in the order of the card, and the others' titles."""

    shown: tuple[Part, ...]
    left_out: tuple[str, ...]


def harmless(text: str) -> str:
    """Return text that no terminal obeys and that every format can hold."""
    return safe(_HALVES.sub("\ufffd", text))


def parts_of(card: Card) -> tuple[Part, ...]:
    """Return the sections of a card; one that cannot be read has its description alone."""
    try:
        text = card.instructions
    except Unreadable:
        text = ""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in read_page(harmless(text)).lines:
        heading = None if line.fenced else _HEADING.match(line.text)
        if heading:
            found.append((heading[1], []))
        else:
            found[-1][1].append(line.text)
    parts = [(title, "\n".join(lines).strip("\n")) for title, lines in found]
    parts = [(title, body) for title, body in parts if body.strip()]
    ours = any(title in SECTIONS for title, _ in parts)
    described = harmless(card.description)
    if described and described not in {body for _, body in parts}:
        parts.append((DESCRIPTION, described))
    last = len(_USEFUL)
    return tuple(
        Part(
            title, body,
            _USEFUL.index(title) if title in _USEFUL and (ours or title == DESCRIPTION)
            else last if ours else min(place, last),
        )
        for place, (title, body) in enumerate(parts)
    )  # fmt: skip


Fits = Callable[[Sequence[Chosen]], bool]


def choose(
    cards: Sequence[Sequence[Part]],
    fits: Fits | None = None,
    characters: int | None = None,
    doubtful: Collection[int] = (),
) -> list[Chosen]:
    """Return which parts of each card are shown: all, or as many as fit.

    `fits` says whether a choice is within the budget, `characters` is the most for each card;
    `doubtful` are the numbers of cards that come after all the others.
    """
    taken: list[set[int]] = [set() for _ in cards]
    used = [0] * len(cards)
    order = sorted(
        (part.rank + _HEAD_START * card + _ALL * (card in doubtful), card, place)
        for card, parts in enumerate(cards)
        for place, part in enumerate(parts)
    )
    refused = [sys.maxsize] * len(cards)
    misses = 0
    for _, card, place in order:
        size = len(cards[card][place].body)
        if characters is not None and used[card] + size > characters:
            continue
        if size >= refused[card]:  # a smaller one had no room
            continue
        taken[card].add(place)
        if fits is None or fits(_chosen(cards, taken)):
            used[card] += size
            misses = 0
        else:
            taken[card].remove(place)
            refused[card] = size
            misses += 1
            if misses > _MOST_MISSES:
                break
    return _chosen(cards, taken)


def _chosen(cards: Sequence[Sequence[Part]], taken: "Sequence[set[int]]") -> list[Chosen]:
    return [
        Chosen(
            tuple(part for place, part in enumerate(parts) if place in numbers),
            tuple(part.title for place, part in enumerate(parts) if place not in numbers),
        )
        for parts, numbers in zip(cards, taken, strict=True)
    ]
