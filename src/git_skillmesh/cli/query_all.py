"""`git skillmesh query --in all`: what was found of every kind, on one page.

In: the answers of the kinds. Out: their hits in the order of the page (retrieval/together.py), and
how they are printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..retrieval.chats import ChatAnswer
from ..retrieval.learnings import LearningAnswer
from ..retrieval.results import Answer
from ..retrieval.together import Kind, together
from .context import Context
from .query import print_hit
from .query_chats import print_chat
from .query_learnings import print_learning
from .query_skills import SkillAnswer, print_skill


@dataclass(frozen=True, slots=True)
class OnPage:
    """A hit; `rank` is the one among those of its kind."""

    kind: Kind
    rank: int
    hit: Any


def page_of(
    code: Answer | None, learned: LearningAnswer | None, chats: ChatAnswer | None,
    skills: SkillAnswer | None, limit: int,
) -> list[OnPage]:  # fmt: skip
    """Return up to `limit` hits, best first."""
    hits = code.hits if code else ()
    talks = chats.hits if chats else ()
    rules = learned.hits if learned else ()
    # A skill is for a task and comes where there is room, as on the page of the MCP server.
    room = limit + 1 - len(hits) - len(talks) - len(rules)
    experts = skills.hits[: max(room, 0)] if skills else ()
    weighed = [(one, skills.confidence) for one in experts] if skills else []
    ranked = together(hits, talks, rules, weighed)
    counts = dict.fromkeys(Kind, 0)
    page = []
    for one in ranked[:limit]:
        counts[one.kind] += 1
        page.append(OnPage(one.kind, counts[one.kind], one.hit))
    return page


def print_page(context: Context, page: Sequence[OnPage], full: bool, explain: bool) -> None:
    """Print the hits, numbered as they stand on the page."""
    for number, one in enumerate(page, 1):
        if one.kind is Kind.SKILL:
            print_skill(context, one.hit, number, full)
            continue
        hit = replace(one.hit, rank=number)
        if one.kind is Kind.CODE:
            print_hit(context, hit, full, explain)
        elif one.kind is Kind.CHAT:
            print_chat(context, hit, full, explain, "conversation")
        else:
            print_learning(context, hit, full, explain)
