"""A list of sessions: what they made, and which of them fit a filter.

In: the memory, the notes, a filter. Out: rows, newest first. Heads, notes and events are read for a
list; the exchanges themselves only where a filter asks for what is in them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import Damaged
from ..git.database import ObjectDatabase
from ..git.notes import all_notes
from ..git.repository import Repository
from .events import Status, statuses
from .layout import Head
from .links import parse_link
from .model import Exchange, Session
from .openings import titles
from .reading import MemoryReader, Summary, events_in

Fits = Callable[[str], bool]
Statuses = dict[str, Status]
Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a session must have; all of it has to fit, and `""` or nothing fits everything.

    The filters of exchanges (`types`, `confidence` at least, `statuses`) have to fit one and the
    same exchange. `since` and `until` are times as stored: the session must not have ended before,
    or begun after them. `path` says whether a path is one that was asked for.
    """

    types: frozenset[str] = frozenset()
    confidence: float = 0.0
    statuses: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    since: str = ""
    until: str = ""
    path: Fits | None = None
    subagents: bool = False

    @property
    def needs_contents(self) -> bool:
        """Whether exchanges have to be read."""
        return bool(self.types or self.confidence > 0 or self.path)


@dataclass(frozen=True, slots=True)
class Row:
    """A session of the list. `files` and `commits` are those with lines that it made.

    `status` is how far the furthest of its exchanges has come; `fitting` are the numbers of the
    exchanges that fit the filter, where one asks for what is in them.
    """

    head: Head
    exchanges: int
    title: str = ""
    files: int = 0
    commits: int = 0
    status: Status = Status.CAPTURED
    fitting: tuple[int, ...] = ()


@dataclass(slots=True)
class _Made:
    """What links say that a session made; `lines` by the id of the exchange."""

    paths: set[str] = field(default_factory=set)
    commits: set[str] = field(default_factory=set)
    lines: Counter[str] = field(default_factory=Counter)


class Listed(NamedTuple):
    """The sessions that fit, and the ids of those that a filter could not look into."""

    rows: list[Row]
    unreadable: list[str]


def list_sessions(
    reader: MemoryReader, wanted: Filter, limit: int = 0, progress: Progress = None
) -> Listed:
    """Return the sessions that fit, the one that was active last first; 0 is no limit.

    Raises `Damaged`.
    """
    unreadable: list[str] = []
    made = _made(reader.repository)
    candidates = [one for one in reversed(reader.sessions()) if _head_fits(one.head, wanted)]
    known = _statuses(reader.repository, candidates)
    found: list[tuple[Summary, tuple[int, ...]]] = []
    for done, one in enumerate(candidates):
        if limit and len(found) == limit:
            break
        session_id = one.head.session_id
        if wanted.needs_contents:
            if progress:
                progress(done, len(candidates))
            try:
                session = reader.session(session_id)
            except Damaged:
                unreadable.append(session_id)
                continue
            fitting = tuple(_fitting(session, wanted, made[session_id], known[session_id]))
            if fitting:
                found.append((one, fitting))
        elif not wanted.statuses or wanted.statuses & _all_statuses(one, known[session_id]):
            found.append((one, ()))
    called = titles(reader.repository, [one for one, _ in found])
    return Listed([_row(one, called, made, known, fitting) for one, fitting in found], unreadable)


def _row(
    one: Summary,
    called: Mapping[str, str],
    made: Mapping[str, _Made],
    known: Mapping[str, Statuses],
    fitting: tuple[int, ...],
) -> Row:
    session_id = one.head.session_id
    does, status = made[session_id], furthest(known[session_id].values())
    files, commits = len(does.paths), len(does.commits)
    return Row(one.head, one.exchanges, called[session_id], files, commits, status, fitting)


def _statuses(repository: Repository, listed: Iterable[Summary]) -> Mapping[str, Statuses]:
    """Return session id → statuses of its exchanges, as far as they are not just captured."""
    found: defaultdict[str, Statuses] = defaultdict(dict)
    with ObjectDatabase(repository) as db:
        for one in listed:
            if one.events:
                found[one.head.session_id] = statuses(events_in(db, one.events))
    return found


def furthest(found: Iterable[Status]) -> Status:
    """Return the status that is the furthest."""
    order = list(Status)
    return max(found, key=order.index, default=Status.CAPTURED)


def _made(repository: Repository) -> Mapping[str, _Made]:
    """Return session id → what its links say that it made."""
    found: defaultdict[str, _Made] = defaultdict(_Made)
    for commit, lines in all_notes(repository).items():
        for link in filter(None, map(parse_link, lines)):
            made = found[link.session]
            made.commits.add(commit)
            made.paths |= {link.path} - {""}
            made.lines[link.exchange] += sum(last - first + 1 for first, last in link.ranges)
    return found


def _head_fits(head: Head, wanted: Filter) -> bool:
    if head.parent and not (wanted.subagents or wanted.statuses or wanted.needs_contents):
        return False
    if wanted.agents and head.agent.lower() not in wanted.agents:
        return False
    if wanted.since and (head.ended or head.started) < wanted.since:
        return False
    return not wanted.until or (head.started or head.ended) <= wanted.until


def _all_statuses(one: Summary, known: Statuses) -> set[Status]:
    captured = {Status.CAPTURED} if len(known) < one.exchanges else set[Status]()
    return captured | set(known.values())


def _fitting(session: Session, wanted: Filter, made: _Made, known: Statuses) -> Iterator[int]:
    """Yield the places of the exchanges that fit."""
    linked = wanted.path is not None and any(map(wanted.path, made.paths))
    for number, exchange in enumerate(session.exchanges, 1):
        status = known.get(exchange.exchange_id, Status.CAPTURED)
        if wanted.statuses and status not in wanted.statuses:
            continue
        if wanted.path and not (linked or any(map(wanted.path, paths_of(exchange)))):
            continue
        if wanted.types or wanted.confidence > 0:
            kind, confidence = _judged(session, exchange, made.lines[exchange.exchange_id])
            if (wanted.types and kind not in wanted.types) or confidence < wanted.confidence:
                continue
        yield number


def paths_of(exchange: Exchange) -> set[str]:
    """Return the files that an exchange read or changed."""
    edited = {edit.path for call in exchange.tools for edit in call.edits}
    return edited | {path for call in exchange.tools for path in call.paths}


def _judged(session: Session, exchange: Exchange, lines: int) -> tuple[str, float]:
    """Return the kind of change that an exchange made, and how likely it was kept."""
    # Not at the top: it loads parsers, which a list without these filters has no use for.
    from .confidence import Fate
    from .context import context_of

    found = context_of(session, exchange, Fate(committed=lines > 0 or None, lines_linked=lines))
    return found.modification_type, found.confidence_score
