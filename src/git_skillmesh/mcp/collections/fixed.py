"""The collections that mirror git: what they are, and who may change what they show.

In: the name of a collection, what somebody wants to do to it. Out: a refusal that names the way
that there is. Nothing is written to them here: the next mirror would undo it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ...chroma.schemas import COLLECTIONS
from ...errors import UsageError

CODE, CHATS, LEARNINGS = "codebase_v1", "chat_history_v1", "derived_learnings_v1"
THOUGHTS, EXPERTS = "thinking_sessions_v1", "skillmesh_experts"


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a collection mirrors, and how that is added to, changed and deleted."""

    truth: str
    add: str
    change: str
    delete: str


FIXED: Mapping[str, Fixed] = {
    CODE: Fixed(
        "the files of this repository",
        "write the file and commit it",
        "it says what git says of the file",
        "git rm the file, or exclude it (docs/exclusion.md)",
    ),
    CHATS: Fixed(
        "conversations, in refs/skillmesh/memory",
        "chroma_log_chat",
        "git skillmesh review sets what becomes of an exchange",
        "git skillmesh forget SESSION",
    ),
    LEARNINGS: Fixed(
        "files in .skillmesh/learnings, reviewed by people",
        "propose it: git skillmesh promote, or the tool promote",
        "git skillmesh learnings edit ID",
        "git skillmesh learnings retire ID",
    ),
    THOUGHTS: Fixed(
        "working memory, in refs/skillmesh/memory",
        "chroma_sequential_thinking",
        "record the thought again under its number: that is a revision",
        "git skillmesh think forget SESSION",
    ),
    EXPERTS: Fixed(
        "skills of the registry and in .skillmesh/skills",
        "git skillmesh skills add PATH",
        "edit its card.yaml",
        "git skillmesh skills remove ID",
    ),
}


def is_fixed(name: str) -> bool:
    """Whether a collection mirrors git."""
    return name in COLLECTIONS


def refusal(name: str, action: str) -> UsageError:
    """Return why a collection is not added to ("add"), nor changed, nor deleted from."""
    fixed = FIXED[name]
    way = {"add": fixed.add, "change": fixed.change, "delete": fixed.delete}[action]
    return UsageError(f"{name} mirrors {fixed.truth}", way)
