"""What working memory holds: thoughts, numbered in a session, revised and branched.

In: what somebody says. Out: `Thought`s that may be stored, or `UsageError`. Times are ISO 8601 in
UTC with microseconds. Nothing is ever overwritten: a thought of a number that is already there is
a revision of it, and of a number on a branch only that branch's.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..errors import UsageError

# Bytes of a thought, characters of an id, the highest number.
LONGEST_THOUGHT = 100_000
LONGEST_ID = 200
HIGHEST_NUMBER = 1_000_000


@dataclass(frozen=True, slots=True)
class Thought:
    """One step.

    `branch` is "" on the main line; `branched_from` is the number where a branch left it, 0 for
    none. `revises` is the number that this one corrects, 0 for none: its own where somebody said
    that it is a revision. `revision` counts from 0 what was said under one number; it follows from
    what is stored, and is not stored itself. `author` is the agent or person, as far as known.
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
    """What is known of a session of thoughts without its texts.

    `thoughts` counts numbers, on all branches; `revisions` what was said again under one of them.
    A session is open unless the last word was that no further thought is needed.
    """

    session_id: str
    thoughts: int
    branches: tuple[str, ...]
    revisions: int
    started: str
    ended: str
    is_open: bool
    first: str


def checked(thought: Thought) -> Thought:
    """Return a thought that may be stored; number 0 stands for the next. Raises `UsageError`."""
    session, branch, author = (
        _id(value, what)
        for value, what in (
            (thought.session_id, "a session id"),
            (thought.branch, "a branch id"),
            (thought.author, "an author"),
        )
    )
    for value, what in (
        (thought.number, "a thought number"),
        (thought.total, "the total of thoughts"),
        (thought.branched_from, "the thought that a branch leaves"),
        (thought.revises, "the thought that is revised"),
    ):
        if not 0 <= value <= HIGHEST_NUMBER:
            raise UsageError(f"{what} cannot be {value}", f"it is from 1 to {HIGHEST_NUMBER:,}")
    # Half of a surrogate pair cannot be written as UTF-8.
    data = thought.text.encode("utf-8", "replace")
    if not thought.text.strip():
        raise UsageError("the thought is empty")
    if len(data) > LONGEST_THOUGHT:
        raise UsageError(
            f"the thought has {len(data):,} bytes, more than {LONGEST_THOUGHT:,}",
            "divide it into several",
        )
    return replace(
        thought, session_id=session, branch=branch, author=author, text=data.decode(),
        time=moment(thought.time), revision=0,
    )  # fmt: skip


def _id(text: str, what: str) -> str:
    found = text.strip()
    if len(found) > LONGEST_ID:
        raise UsageError(f"{what} has {len(found):,} characters, more than {LONGEST_ID}")
    if not found.isprintable():
        raise UsageError(f"{what} has control characters: {found[:40]!a}")
    return found


def is_id(text: object) -> bool:
    """Return whether a text may stand where an id does."""
    return isinstance(text, str) and len(text) <= LONGEST_ID and text.isprintable()


def moment(text: str) -> str:
    """Return a time as it is stored; "" for none. Without a zone it is UTC. Raises `UsageError`."""
    if not text:
        return ""
    try:
        when = datetime.fromisoformat(text)
        when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"not a time: {text[:40]!a}", "as in 2026-01-31T09:05:00Z") from None
    return when.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def now() -> str:
    """Return the time as it is stored."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def just_after(time: str) -> str:
    """Return the next moment that can be told from a stored time, "" where there is none."""
    try:
        digits = int(time[20:26]) + 1
        if digits < 1_000_000:
            return f"{time[:20]}{digits:06}Z"
        when = datetime.fromisoformat(time).timestamp() + 1e-6
        return moment(datetime.fromtimestamp(when, UTC).isoformat())
    except (ValueError, OverflowError, OSError, UsageError):
        return ""
