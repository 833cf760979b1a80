"""Find a session or an exchange by what a user types: an id, or as much of it as is unique.

In: the memory and a text. Out: ids. `SESSION/NUMBER` is the exchange of that number, which is how
every command shows one. A subagent's session is found by what its id adds to its parent's.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..errors import UsageError
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from .lookup import Lookup
from .reading import MemoryReader

SHORTEST = 8
_SHOWN = 5
NO_MEMORY = "no conversations are stored in this repository yet"
HOW_TO_GET_SOME = "git skillmesh import"


class Found(NamedTuple):
    """What a text names: a session, one of its exchanges, or a commit."""

    session: str = ""
    exchange: str = ""
    commit: str = ""


def find_session(reader: MemoryReader, text: str) -> str:
    """Return the id of the session that a text names. Raises `UsageError`, `Damaged`."""
    known = _sessions(reader)
    found = _matching(known, text)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{text} is the beginning of several sessions", _listed(found))
    _refuse_forgotten(reader, text)
    if _is_there(reader, text):
        return text
    raise _unknown("session", text, known)


def find_exchange(reader: MemoryReader, text: str) -> tuple[str, str]:
    """Return the ids of the session and of the exchange that a text names.

    Raises `UsageError`, `Damaged`.
    """
    known = _sessions(reader)
    session, slash, rest = text.rpartition("/")
    owners = _matching(known, session) if slash and rest else []
    if len(owners) > 1:
        raise UsageError(f"{session} is the beginning of several sessions", _listed(owners))
    if owners:
        return owners[0], _within(reader, owners[0], rest)
    ids = _exchange_ids(reader, known)
    matching = [pair for pair in ids if pair[1] == text]
    matching = matching or [pair for pair in ids if text and pair[1].startswith(text)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = [f"{owner}/{exchange}" for owner, exchange in matching]
        raise UsageError(f"{text} is the beginning of several exchanges", _listed(names))
    raise _unknown("exchange", text, [*known, *(exchange for _, exchange in ids)])


def find_any(reader: MemoryReader, text: str) -> Found:
    """Return the session, exchange or commit that a text names. Raises `UsageError`, `Damaged`."""
    known = {summary.head.session_id: summary.head.parent for summary in reader.sessions()}
    sessions = _matching(known, text)
    commit = _commit(reader.repository, text)
    if text in known:
        return Found(session=text)
    if commit and sessions:
        names = [*sessions, f"{commit} (a commit)"]
        raise UsageError(f"{text} is the beginning of several names", _listed(names))
    if commit:
        return Found(commit=commit)
    if len(sessions) == 1:
        return Found(session=sessions[0])
    if sessions:
        raise UsageError(f"{text} is the beginning of several sessions", _listed(sessions))
    _refuse_forgotten(reader, text)
    if _is_there(reader, text):
        return Found(session=text)
    try:
        session, exchange = find_exchange(reader, text)
    except UsageError as error:
        if error.what.startswith("no such exchange"):
            raise UsageError(f"no such session, exchange or commit: {text}", error.mend) from None
        raise
    return Found(session, exchange)


def short_ids(sessions: Mapping[str, str]) -> dict[str, str]:
    """Return session id → a short form that is unique among these; `sessions` is id → parent."""
    own = {s: s.removeprefix(f"{parent}-") if parent else s for s, parent in sessions.items()}
    ordered = sorted(set(own.values()))
    length = {}
    for number, name in enumerate(ordered):
        beside = [ordered[n] for n in (number - 1, number + 1) if 0 <= n < len(ordered)]
        length[name] = max([SHORTEST, *(_common(name, other) + 1 for other in beside)])
    return {session: name[: length[name]] for session, name in own.items()}


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _sessions(reader: MemoryReader) -> dict[str, str]:
    """Return the id of each session, and of its parent. Raises `UsageError` if there is none."""
    known = {summary.head.session_id: summary.head.parent for summary in reader.sessions()}
    if not known:
        raise UsageError(NO_MEMORY, HOW_TO_GET_SOME)
    return known


def _matching(sessions: Mapping[str, str], text: str) -> list[str]:
    """Return the sessions that a text may mean."""
    if not text:
        return []
    if text in sessions:
        return [text]
    found = [session for session in sessions if session.startswith(text)]
    # The subagents of a session, whose ids begin with its own, are not what is meant.
    found = [session for session in found if sessions[session] not in found]
    return sorted(found) or sorted(
        session
        for session, parent in sessions.items()
        if parent and session.removeprefix(f"{parent}-").startswith(text)
    )


def _refuse_forgotten(reader: MemoryReader, text: str) -> None:
    if text and reader.is_forgotten(text):
        raise UsageError(f"session {text} was forgotten")


def _is_there(reader: MemoryReader, text: str) -> bool:
    """Return whether there is a session of this id whose head cannot be read."""
    with ObjectDatabase(reader.repository) as db:
        return bool(text) and Lookup(db, reader.ref).has(text)


def _within(reader: MemoryReader, session: str, text: str) -> str:
    """Return the exchange of a session by its number, or by the beginning of its id."""
    with ObjectDatabase(reader.repository) as db:
        found = list(Lookup(db, reader.ref).beginnings(session))
    matching = [exchange for _, exchange, _ in found if exchange == text]
    if not matching and re.fullmatch(r"[0-9]{1,6}", text):
        matching = [exchange for number, exchange, _ in found if number == int(text)]
    matching = matching or [exchange for _, exchange, _ in found if exchange.startswith(text)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UsageError(f"{text} is the beginning of several exchanges", _listed(matching))
    last = max((number for number, _, _ in found), default=0)
    raise UsageError(f"session {session} has no exchange {text}", f"it has 1 to {last}")


def _exchange_ids(reader: MemoryReader, sessions: Iterable[str]) -> list[tuple[str, str]]:
    """Return session and id of every exchange. It reads all of the memory."""
    with ObjectDatabase(reader.repository) as db:
        lookup = Lookup(db, reader.ref)
        return [
            (session, exchange)
            for session in sessions
            for _, exchange, _ in lookup.beginnings(session)
        ]


def _commit(repository: Repository, text: str) -> str:
    if not text or text.startswith("-") or "\n" in text or "\0" in text:
        return ""
    out = repository.git.run_unchecked(
        "rev-parse", "--verify", "-q", "--end-of-options", f"{text}^{{commit}}"
    )
    return out.stdout.decode().strip() if out.returncode == 0 else ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _unknown(kind: str, text: str, known: Collection[str]) -> UsageError:
    similar = _similar(text, known)
    mend = f"did you mean {similar}?" if similar else "git skillmesh sessions lists them"
    return UsageError(f"no such {kind}: {text}", mend)


def _similar(text: str, known: Iterable[str]) -> str:
    import difflib  # slow to load, and seldom needed

    # The shortest of a beginning: a session rather than its subagent.
    beginnings = {name[: len(text)]: name for name in sorted(known, key=len, reverse=True)}
    close = difflib.get_close_matches(text[:80], list(beginnings), 1, 0.75) if len(text) > 3 else []
    return beginnings[close[0]] if close else ""
