"""Which conversation made which line: blame, links and memory joined.

In: lines as blame tells them. Out: the same lines with their links, and what the memory tells of
the exchanges. A link counts only in the version of the file that it names: one that git carried to
another version is stale, and left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..errors import Damaged
from ..git.blame import BlamedCommit, BlamedLine
from ..git.database import ObjectDatabase
from .links import Link, lines_linked, read_links
from .lookup import Lookup
from .model import Exchange

if TYPE_CHECKING:
    from ..git.commitlog import LoggedCommit

# A session and one of its exchanges.
Pair = tuple[str, str]
# How much of an exchange is read: nothing, the beginning of its prompt, everything.
Texts = Literal["none", "openings", "all"]


class Missing(StrEnum):
    """Why the memory does not tell what a link points at."""

    FORGOTTEN = "forgotten"
    ABSENT = "absent"
    BROKEN = "broken"


class Line(NamedTuple):
    """A line of a file and the link it has, None if nothing is known of it.

    `examined` says that the commit has links that count in this file, so that a line without one
    was written by somebody else.
    """

    blamed: BlamedLine
    link: Link | None
    examined: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What the memory tells of an exchange.

    `number` is its place in the session, 0 if it is not there; `missing` says why there is no more.
    `opening` is how the prompt begins, where that is enough.
    """

    session: str
    exchange_id: str
    number: int = 0
    agent: str = ""
    title: str = ""
    parent: str = ""
    opening: str = ""
    exchange: Exchange | None = None
    missing: Missing | None = None


class Group(NamedTuple):
    """Lines that have the same origin: one exchange, or else one commit.

    `commits` are those that brought the lines, the newest first.
    """

    lines: tuple[Line, ...]
    told: Told | None
    commits: tuple[BlamedCommit, ...]

    @property
    def links(self) -> tuple[Link, ...]:
        """The links that speak for it, each once, the most confident first."""
        unique = {line.link.to_line(): line.link for line in self.lines if line.link}
        return tuple(sorted(unique.values(), key=lambda link: (-link.confidence, link.to_line())))


def attribute(db: ObjectDatabase, blamed: Sequence[BlamedLine]) -> tuple[Line, ...]:
    """Return the lines with their links. Raises `Damaged`."""
    commits = dict.fromkeys(line.commit.oid for line in blamed if not line.commit.is_uncommitted)
    links = read_links(db.repository, commits)
    places = {(line.commit.oid, line.path) for line in blamed if line.commit.oid in links}
    known = {
        (commit, path): lines_linked(links[commit], path, blob)
        for commit, path in places
        if (blob := _blob(db, commit, path))
    }
    empty: dict[int, Link] = {}
    return tuple(
        Line(line, found.get(line.line), bool(found))
        for line in blamed
        for found in (known.get((line.commit.oid, line.path), empty),)
    )


def _blob(db: ObjectDatabase, commit: str, path: str) -> str:
    tip = db.tip(commit)
    entry = db.trees.at(tip.commit.tree, path) if tip else None
    return entry.oid if entry else ""


def grouped(lines: Iterable[Line], told: dict[Pair, Told]) -> tuple[Group, ...]:
    """Return lines by their exchange, or else by their commit, in the order of the file."""
    groups: dict[Pair | str, list[Line]] = {}
    for line in lines:
        link = line.link
        key = (link.session, link.exchange) if link else line.blamed.commit.oid
        groups.setdefault(key, []).append(line)
    return tuple(
        Group(tuple(found), told[key] if isinstance(key, tuple) else None, _commits(found))
        for key, found in groups.items()
    )


def _commits(lines: Iterable[Line]) -> tuple[BlamedCommit, ...]:
    unique = {line.blamed.commit.oid: line.blamed.commit for line in lines}
    return tuple(sorted(unique.values(), key=lambda commit: (-commit.time, commit.oid)))


class Made(NamedTuple):
    """What an exchange made of a commit: the lines it added to each file, and what says so.

    A file without lines is one that it changed by taking some away.
    """

    files: Mapping[str, tuple[int, ...]]
    links: tuple[Link, ...]

    @property
    def lines(self) -> int:
        """How many lines it added."""
        return sum(len(lines) for lines in self.files.values())

    @property
    def confidence(self) -> float:
        """That of its best link."""
        return max(link.confidence for link in self.links)


def made_of(commit: "LoggedCommit", links: Sequence[Link]) -> dict[Pair, Made]:
    """Return what each exchange made of a commit, the most lines first; stale links say nothing."""
    blobs = {file.path: file.blob for file in commit.files}
    fresh = [link for link in links if not link.path or link.blob == blobs.get(link.path)]
    files: dict[Pair, dict[str, list[int]]] = {}
    for link in fresh:
        pair = files.setdefault((link.session, link.exchange), {})
        if link.path:
            pair.setdefault(link.path, [])
    for path, blob in blobs.items():
        for line, link in lines_linked(fresh, path, blob).items():
            files[link.session, link.exchange][path].append(line)
    found = {
        pair: Made(
            {path: tuple(sorted(lines)) for path, lines in sorted(each.items())},
            tuple(link for link in fresh if (link.session, link.exchange) == pair),
        )
        for pair, each in files.items()
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1].lines, item[0])))


def tell(db: ObjectDatabase, links: Iterable[Link | None], texts: Texts) -> dict[Pair, Told]:
    """Return session and exchange id → what the memory tells of it."""
    pairs = dict.fromkeys((link.session, link.exchange) for link in links if link)
    return tell_pairs(Lookup(db), pairs, texts)


def tell_pairs(lookup: Lookup, pairs: Iterable[Pair], texts: Texts) -> dict[Pair, Told]:
    """Return the same for pairs of ids."""
    return {pair: _told(lookup, *pair, texts) for pair in pairs}


def _told(lookup: Lookup, session: str, exchange_id: str, texts: Texts) -> Told:
    number = lookup.number(session, exchange_id)
    if not number:
        forgotten = lookup.is_forgotten(session)
        missing = Missing.FORGOTTEN if forgotten else Missing.ABSENT
        return Told(session, exchange_id, missing=missing)
    head = lookup.head(session)
    # What is shown as its name has to lead back to it.
    number = number if lookup.is_alone(session, number) else 0
    told = Told(session, exchange_id, number, missing=Missing.BROKEN)
    if head is not None:
        told = replace(told, agent=head.agent, title=head.title, parent=head.parent, missing=None)
    try:
        if texts == "all":
            return replace(told, exchange=lookup.exchange(session, exchange_id))
        if texts == "openings":
            return replace(told, opening=lookup.opening(session, exchange_id))
    except Damaged:
        return replace(told, missing=Missing.BROKEN)
    return told
