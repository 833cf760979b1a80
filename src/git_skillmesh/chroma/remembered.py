"""The collections of what is remembered beside the code: conversations, learnings, thoughts.

In: a repository and its settings. Out: for each collection its rows, where there are any, and the
collection made equal to them.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ..config import Config
from ..git.repository import Repository
from . import chats, learnings, thoughts
from .chats import exchange_rows
from .learnings import learning_rows
from .mirror import Outcome, Progress, mirror
from .model import RowSource
from .pipe import WriterWhenNeeded
from .target import Target
from .thoughts import thought_rows


@dataclass(frozen=True, slots=True)
class Remembered:
    """A collection, what a row of it is called, and what opens its rows.

    `rows` gives None where there are none, nor ever were. It raises `Unavailable` when the
    embedding model is, or when something is not indexed; `Busy`, `ReadOnly`, `Damaged`.
    """

    collection: str
    what: str
    rows: Callable[[Repository, Config], AbstractContextManager[RowSource | None]]


CHATS = Remembered(chats.COLLECTION, "exchanges", exchange_rows)
LEARNINGS = Remembered(learnings.COLLECTION, "learnings", learning_rows)
THOUGHTS = Remembered(thoughts.COLLECTION, "thoughts", thought_rows)
REMEMBERED = (CHATS, LEARNINGS, THOUGHTS)


def mirror_remembered(
    one: Remembered,
    repository: Repository,
    config: Config,
    target: Target,
    progress: Progress | None = None,
    writers: WriterWhenNeeded | None = None,
) -> Outcome | None:
    """Bring a collection up to date; None where there is nothing of it.

    Raises what `mirror` and opening the rows raise.
    """
    with one.rows(repository, config) as rows:
        if rows is None:
            return None
        return mirror(rows, target, repository.state_dir, one.collection, progress, writers)
