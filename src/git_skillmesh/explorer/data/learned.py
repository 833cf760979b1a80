"""Learnings as the views name them: those of the working tree, or of HEAD where there is none.

In: a reading. Out: what the files say, and the learnings that came of exchanges and commits.
"""

from collections.abc import Collection, Mapping

from ...errors import SkillmeshError
from ...index.identity import repo_id
from ...index.learned import talk_of
from ...learnings.files import learnings_at, learnings_on_disk
from ...learnings.model import Learning
from ...learnings.reading import ReadFile
from ...learnings.sources import Sources
from ...sessions.answering import Told
from ..stores import Reading
from .refs import Document, learning_ref


def learnings_of(reading: Reading) -> Mapping[str, ReadFile]:
    """Return id → file of each learning, also of those that cannot be used."""
    state = reading.state

    def make() -> Mapping[str, ReadFile]:
        if reading.repository.top is not None:
            return learnings_on_disk(reading.repository)
        return learnings_at(reading.repository, state.tree) if state.tree else {}

    return reading.part("learnings", (state.learnings, state.tree), make)


def sources_of(reading: Reading) -> Sources:
    """Return what tells which learnings came of what."""
    state = reading.state
    return reading.part(
        "sources", (state.learnings, state.tree), lambda: Sources(reading.repository)
    )


def of_exchange(reading: Reading, told: Told) -> list[Document]:
    """Return the LearningRefs of what came of an exchange."""
    sources = sources_of(reading)
    if not sources:
        return []
    return refs(sources.of_talk(talk_of(told, identity(reading))))


def of_commits(reading: Reading, commits: Collection[str]) -> list[Document]:
    """Return the LearningRefs of what came of commits."""
    sources = sources_of(reading)
    return refs(sources.of_commits(commits)) if sources else []


def refs(learnings: Collection[Learning]) -> list[Document]:
    """Return LearningRefs."""
    return [learning_ref(one) for one in learnings]


def identity(reading: Reading) -> str:
    """Return the identity of the repository."""
    return repo_id(reading.repository, reading.stores.config())


def skills_of(reading: Reading) -> int:
    """Return how many skills agents can be given here."""
    from ...registry.loading import skills_of as cards

    try:
        registry = reading.part("skills", None, lambda: cards(reading.repository.top))
    except SkillmeshError:
        return 0
    return len(registry.cards)
