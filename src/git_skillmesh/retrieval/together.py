"""One page of code, conversations, learnings and skills.

In: hits of each kind, best first. Out: `Ranked`, best first. The scores of the kinds mean different
things, so each hit gets a likelihood of being what was looked for (docs/retrieval.md says how the
numbers were fitted), and the order is that of likelihoods. Within a kind the order stays.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..learnings.model import State
from .chats import ChatHit, FoundChat
from .features import NAMES
from .learnings import FoundLearning, LearningHit
from .page import FoundHit
from .ranker import weights
from .results import Hit


class Kind(StrEnum):
    """What a hit is."""

    CODE = "code"
    CHAT = "chat"
    LEARNING = "learning"
    SKILL = "skill"
    THOUGHT = "thought"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hit of any kind on the common page; `likelihood` is that of being what is looked for."""

    kind: Kind
    hit: object
    likelihood: float


# Logistic models, fitted as docs/retrieval.md says: constant, logarithm of the rank, and for code
# the cosine and the share of the query's words in the file, for a conversation its score, for a
# learning its cosine.
_CODE = (-0.05, -2.3, 0.41, 0.58)
_CHAT = (-18.89, -0.23, 5.72)
_LEARNING = (-7.1, -1.12, 13.38)
# The routing of skills says how likely one fits the task; that it was looked for is much less so.
_SKILL = -9.0
# Beside other kinds, what is less likely than this only takes room.
LEAST = {Kind.CODE: 0.0, Kind.CHAT: 0.04, Kind.LEARNING: 0.05, Kind.SKILL: 0.001, Kind.THOUGHT: 0.0}
# Beside other kinds a page has room for these.
MOST_LEARNINGS = 5
MOST_SKILLS = 3
# What the team has decided counts more than a hint: the odds are multiplied.
_ODDS = {State.BLOCK: 1.5, State.WARN: 1.25, State.PROPOSED: 1.0, State.RETIRED: 0.5}


def code_likelihood(hit: Hit | FoundHit) -> float:
    """Return how likely a hit of code is what was looked for."""
    return likely_code(hit.rank, share_of(hit, "dense"), share_of(hit, "file_coverage"))


def likely_code(place: int, cosine: float, covered: float) -> float:
    """Return the same for a rank, a cosine and the share of the query's words."""
    constant, rank, dense, words = _CODE
    return _likelihood(constant + rank * math.log(place) + dense * cosine + words * covered)


def chat_likelihood(hit: ChatHit | FoundChat) -> float:
    """Return how likely an exchange is what was looked for."""
    return likely_chat(hit.rank, hit.score)


def likely_chat(place: int, points: float) -> float:
    """Return the same for a rank and a score."""
    constant, rank, score = _CHAT
    return _likelihood(constant + rank * math.log(place) + score * points)


def learning_likelihood(hit: LearningHit | FoundLearning) -> float:
    """Return how likely a learning is what was looked for, more so the more it is trusted."""
    return likely_learning(hit.rank, hit.cosine, hit.state)


def likely_learning(place: int, alike: float, state: State) -> float:
    """Return the same for a rank, a cosine and a state."""
    constant, rank, cosine = _LEARNING
    odds = math.log(_ODDS[state])
    return _likelihood(constant + rank * math.log(place) + cosine * alike + odds)


def skill_likelihood(confidence: float, rank: int) -> float:
    """Return how likely a skill is what was looked for; `confidence` is that of the routing."""
    bounded = min(max(confidence, 1e-6), 1 - 1e-6)
    return _likelihood(_SKILL + math.log(bounded / (1 - bounded)) - math.log(rank))


def _likelihood(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(value, 30.0))))


def share_of(hit: Hit | FoundHit, name: str) -> float:
    """Return a feature of the ranker: the hit has it times its weight."""
    weight = float(weights().values[NAMES.index(name)])
    return hit.features.get(name, 0.0) / weight if weight else 0.0


def together(
    code: Sequence[Hit | FoundHit] = (),
    chats: Sequence[ChatHit | FoundChat] = (),
    learnings: Sequence[LearningHit | FoundLearning] = (),
    skills: Sequence[tuple[object, float]] = (),
) -> list[Ranked]:
    """Return all hits on one page; `skills` come with the confidence of their routing.

    Of one kind alone all are kept, of several those that are likely enough.
    """
    lists = [
        _list(Kind.LEARNING, ((hit, learning_likelihood(hit)) for hit in learnings)),
        _list(Kind.CODE, ((hit, code_likelihood(hit)) for hit in code)),
        _list(Kind.CHAT, ((hit, chat_likelihood(hit)) for hit in chats)),
        _list(
            Kind.SKILL,
            ((hit, skill_likelihood(sure, rank)) for rank, (hit, sure) in enumerate(skills, 1)),
        ),
    ]
    several = sum(map(bool, lists)) > 1
    kept = [
        one for found in lists for one in found if not several or one.likelihood >= LEAST[one.kind]
    ]
    return sorted(kept, key=lambda one: -one.likelihood)  # of equal ones the first kind comes first


def _list(kind: Kind, hits: Iterable[tuple[object, float]]) -> list[Ranked]:
    """Return the hits of a kind; none is likelier than the one before it."""
    found: list[Ranked] = []
    least = 1.0
    for hit, likelihood in hits:
        least = min(least, likelihood)
        found.append(Ranked(kind, hit, least))
    return found
