"""Learnings as they are now: those of the working tree, or of HEAD where there is none.

In: a reading. Out: what the files say, and which exchange each came of.
"""

from collections.abc import Mapping

from ..errors import SkillmeshError
from ..index.identity import repo_id
from ..learnings.files import learnings_at, learnings_on_disk
from ..learnings.model import Learning
from ..learnings.reading import ReadFile
from ..learnings.sources import Sources, Talk, came_of, names_session
from ..sessions.answering import Pair
from .parts import sessions
from .stores import Reading


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
    key = reading.state.learnings, reading.state.tree
    return reading.part("sources", key, lambda: Sources(reading.repository))


def identity(reading: Reading) -> str:
    """Return the identity of the repository."""
    return repo_id(reading.repository, reading.stores.config())


def origins(reading: Reading) -> Mapping[str, Pair]:
    """Return id of a learning → the exchange that it names as its source, where it is here."""
    state = reading.state

    def make() -> Mapping[str, Pair]:
        found = {}
        for name, read in learnings_of(reading).items():
            pair = _origin(reading, read.learning) if read.learning else None
            if pair:
                found[name] = pair
        return found

    return reading.part("origins", (state.learnings, state.tree, state.memory), make)


def _origin(reading: Reading, learning: Learning) -> Pair | None:
    """Return the one exchange that a learning came of, None for a whole session or none."""
    chat = learning.source_chat_id
    if not chat:
        return None
    start, slash, _ = chat.partition("/")
    for row in sessions(reading).listed:
        session, parent = row.head.session_id, row.head.parent
        if reading.lookup.number(session, chat):
            return session, chat
        if not slash or not any(
            name.startswith(start) for name in Talk(session, parent=parent).sessions()
        ):
            continue
        for number, exchange, _ in reading.lookup.beginnings(session):
            talk = Talk(session, exchange, number, parent=parent)
            if came_of(learning, talk) and not names_session(learning, talk):
                return session, exchange
    return None


def skills_of(reading: Reading) -> int:
    """Return how many skills agents can be given here."""
    from ..registry.loading import count_skills

    try:
        return reading.part("skills", None, lambda: count_skills(reading.repository.top))
    except (SkillmeshError, KeyError, TypeError, ValueError):
        return 0
