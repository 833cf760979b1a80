"""What an agent is told at the start of a session: the state of the memory, in a few lines.

In: a repository, the session, why it starts. Out: `Brief`, empty where nothing is there to be told.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..display import clip, plural, quoted
from ..index.glance import Past
from .block import Block
from .brief import Brief, Memory, OutOfTimeError, within
from .told import Told

if TYPE_CHECKING:
    from ..learnings.model import Learning

# With these the agent begins with nothing of what it was told before.
_FORGETS = frozenset(("", "startup", "new", "clear", "compact"))
_MOST_SESSIONS, _LOOKED_AT = 3, 40
_MOST_TITLES, _LONGEST_TITLE = 5, 120


def brief_for_start(memory: Memory, session: str, source: str) -> Brief:
    """Return the state of the memory, where there is any worth telling. Raises `SkillmeshError`."""
    if source in _FORGETS:
        Told(memory.state, session).forget()
    blocks: list[Block] = []
    brief = Brief()
    with memory.stack:
        try:
            blocks += _learnings(memory.learnings())
            blocks += _sessions(_latest(memory, session))
        except OutOfTimeError:
            pass
        if blocks:
            brief = within(blocks, memory.budget)
    return brief


def _learnings(learnings: "Sequence[Learning]") -> Iterator[Block]:
    from ..learnings.model import State

    blocking = [one for one in learnings if one.state is State.BLOCK]
    if not learnings:
        return
    counts = f"{len(blocking)} of them block a merge" if blocking else "none of them blocks"
    titles = [clip(f"{one.learning_id}: {one.title}", _LONGEST_TITLE) for one in blocking]
    listed = titles[:_MOST_TITLES] + ["…"] * (len(titles) > _MOST_TITLES)
    told = f"{plural(len(learnings), 'learning')} in .skillmesh/learnings, {counts}."
    text = "\n".join([told, quoted("\n".join(listed), "learnings")] if listed else [told])
    yield Block("learnings", "state", text)


def _latest(memory: Memory, session: str) -> list[tuple[str, Past]]:
    """Return the title and the last exchange of the latest sessions on this branch."""
    every = list(memory.glance.past())
    if not every:
        return []
    from ..sessions.lookup import Lookup

    branch, lookup = memory.repository.branch(), Lookup(memory.db)
    found: dict[str, tuple[str, Past]] = {}
    for past in every[: -_LOOKED_AT - 1 : -1]:
        if past.session in found or past.session == session:
            continue
        head = lookup.head(past.session)
        if head is not None and not head.parent and (not head.branch or head.branch == branch):
            found[past.session] = (past.title, past)
        if len(found) == _MOST_SESSIONS:
            break
    return list(found.values())


def _sessions(latest: Sequence[tuple[str, Past]]) -> Iterator[Block]:
    lines = []
    for title, past in latest:
        told = clip(title or past.asked, _LONGEST_TITLE)
        if told:
            lines.append(f"{past.started[:10]} {past.agent} {past.session[:13]}: {told}")
    if lines:
        text = quoted("\n".join(lines), "conversations")
        yield Block("sessions", "latest", text)
