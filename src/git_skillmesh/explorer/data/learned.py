"""Which learnings came of exchanges and commits, as documents name them.

In: a reading, an exchange or commits. Out: `LearningRef`s.
"""

from collections.abc import Collection

from ...index.learned import talk_of
from ...learnings.model import Learning
from ...sessions.answering import Told
from ..learned import identity, sources_of
from ..stores import Reading
from .refs import Document, learning_ref


def of_exchange(reading: Reading, told: Told) -> list[Document]:
    """Return what came of an exchange."""
    sources = sources_of(reading)
    return refs(sources.of_talk(talk_of(told, identity(reading)))) if sources else []


def of_commits(reading: Reading, commits: Collection[str]) -> list[Document]:
    """Return what came of commits."""
    sources = sources_of(reading)
    return refs(sources.of_commits(commits)) if sources else []


def of_source(one: Learning, other: Learning) -> bool:
    """Return whether two learnings came of the same conversation or commit."""
    chat = one.source_chat_id.partition("/")[0]
    same = bool(chat) and chat == other.source_chat_id.partition("/")[0]
    return same or bool(set(one.source_commits) & set(other.source_commits))


def refs(learnings: Collection[Learning]) -> list[Document]:
    """Return LearningRefs."""
    return [learning_ref(one) for one in learnings]
