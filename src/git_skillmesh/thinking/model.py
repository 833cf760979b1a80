"""What working memory holds: thoughts, numbered in a session, revised and branched.

Times are ISO 8601 in UTC. Nothing is ever overwritten: a thought of a number that is already there
is a revision of it, and of a number on a branch only that branch's.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thought:
    """One step.

    `branch` is "" on the main line; `branched_from` is the number where a branch left it, 0 for
    none. `revision` counts from 0; `revises` is the number that this one corrects where it is not
    its own, 0 for none. `author` is the agent or person, as far as known.
    """

    session_id: str
    number: int
    text: str
    total: int = 0
    branch: str = ""
    branched_from: int = 0
    revision: int = 0
    revises: int = 0
    needs_more: bool = True
    time: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class ThinkingSession:
    """What is known of a session of thoughts without reading them all."""

    session_id: str
    thoughts: int
    branches: tuple[str, ...]
    revisions: int
    started: str
    ended: str
    is_open: bool
    first: str
