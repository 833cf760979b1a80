"""Which learnings a new one is like, or against.

In: a learning and the others. Out: `Conflict`s, at most one for each other learning. Retired ones
count, too: that something was tried before is worth knowing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from ..learnings.analysis_grouping import words_of
from ..learnings.candidates import is_placeholder
from ..learnings.model import Example, Learning, Matcher, MatcherKind, State
from .matchers.model import NotLookedAt, RuleError
from .trial import hits

# The share of words that two learnings have in common, from which on they say the same.
_SIMILAR = 0.6
_LEAST_WORDS = 3
Hit = Callable[[Example], bool]


class Relation(StrEnum):
    """How a learning stands to another, the worst first."""

    AGAINST = "against it"  # one forbids what the other shows as right
    SAME = "the same matcher"
    OVERLAPS = "finds the same"  # one finds what the other is there to find
    SIMILAR = "similar words"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another learning, how the new one stands to it, and what shows that."""

    learning_id: str
    title: str
    state: State
    relation: Relation
    why: str


class Neighbours:
    """The learnings that there are, each compiled at most once."""

    def __init__(self, others: Iterable[Learning]) -> None:
        self._others = list(others)
        self._known: dict[str, Hit | None] = {}

    def conflicts_of(self, learning: Learning) -> list[Conflict]:
        """Return the learnings that a new one is like or against, the worst first."""
        order = list(Relation)
        hit = _hits(learning)
        found = [
            Conflict(other.learning_id, other.title, other.state, *related)
            for other in self._others
            if other.learning_id != learning.learning_id
            and (related := _relation(learning, hit, other, self._hits(other))) is not None
        ]
        return sorted(found, key=lambda one: (order.index(one.relation), one.learning_id))

    def _hits(self, other: Learning) -> Hit | None:
        if other.learning_id not in self._known:
            self._known[other.learning_id] = _hits(other)
        return self._known[other.learning_id]


def _relation(
    learning: Learning, hit: Hit | None, other: Learning, hit_of_other: Hit | None
) -> tuple[Relation, str] | None:
    firing: list[tuple[Hit, str, str, Learning]] = []
    if hit and hit_of_other and _can_meet(learning, other):
        firing = [
            (hit, "it", "its", other),
            (hit_of_other, other.learning_id, "the new one's", learning),
        ]
    against = _example(firing, "good")
    if against:
        return Relation.AGAINST, against
    if _plain(learning.matcher) == _plain(other.matcher) and not is_placeholder(learning.matcher):
        return Relation.SAME, other.title
    overlap = _example(firing, "bad")
    if overlap:
        return Relation.OVERLAPS, overlap
    if _similarity(learning, other) >= _SIMILAR:
        return Relation.SIMILAR, other.title
    return None


def _example(firing: Iterable[tuple[Hit, str, str, Learning]], side: str) -> str:
    """Return that one learning finds an example of the other, "" if neither does."""
    for fires, name, whose, owner in firing:
        example = _first(fires, owner.good if side == "good" else owner.bad)
        if example is not None:
            return f"{name} finds {whose} {side} example: {_shown(example)}"
    return ""


def _can_meet(learning: Learning, other: Learning) -> bool:
    """Whether there are examples that both could find."""
    kinds = {one.matcher.kind for one in (learning, other)}
    if len(kinds) > 1 and kinds & {MatcherKind.PATHS, MatcherKind.MESSAGE}:
        return False
    languages = set(learning.languages), set(other.languages)
    return not all(languages) or not languages[0].isdisjoint(languages[1])


def _hits(learning: Learning) -> Hit | None:
    """Return what tells whether a learning finds an example, None where its rule is broken."""
    try:
        return hits(learning)
    except RuleError:
        return None


def _first(fires: Hit, examples: Iterable[Example]) -> Example | None:
    """Return the first example that is found; what cannot be looked at is not."""
    for example in examples:
        try:
            if fires(example):
                return example
        except NotLookedAt:
            continue
    return None


def _plain(matcher: Matcher) -> Matcher:
    """Return a matcher without what makes no other one of it."""
    return replace(matcher, regex=matcher.regex.strip(), accompany=tuple(sorted(matcher.accompany)))


def _similarity(one: Learning, other: Learning) -> float:
    left, right = (_words(f"{each.title} {each.pattern}") for each in (one, other))
    if min(len(left), len(right)) < _LEAST_WORDS:
        return 0.0
    return len(left & right) / len(left | right)


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return words_of(text)


def _shown(example: Example) -> str:
    text = example.code.strip() or ", ".join(example.files)
    return " ".join(text.split())[:80]
