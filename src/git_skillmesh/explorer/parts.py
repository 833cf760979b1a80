"""What several views need, made once for a state: commits, links, sessions, files, lines that live.

In: a `Reading`. Out: plain tables. Lists of thousands are read as tables here; what a page shows of
its few rows is read by the views.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import SkillmeshError
from ..git.commitlog import Headline, headlines
from ..git.database import ObjectDatabase
from ..git.notes import notes_of
from ..git.trees import list_tree
from ..index.origins import origins_of
from ..sessions.answering import Pair
from ..sessions.layout import REF as MEMORY
from ..sessions.layout import Head
from ..sessions.links import Link, parse_link
from ..sessions.openings import opening_in, titles
from ..sessions.reading import Summary
from ..sessions.summed import summaries
from . import kept
from .keys import key_of_id, keyed
from .stores import Reading


@dataclass(frozen=True, slots=True)
class Commits:
    """The history of HEAD in git's order, newest first, and the same by id."""

    listed: tuple[Headline, ...]
    by_id: Mapping[str, Headline]


@dataclass(slots=True)
class Made:
    """What links say of an exchange or session, in commits of HEAD's history."""

    lines: int = 0
    commits: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Links:
    """Links of notes: by commit whose lines are whose, by exchange and session what they made.

    `noted` are all commits with a note of ours, also those of other branches.
    """

    by_commit: Mapping[str, Mapping[Pair, int]]
    by_exchange: Mapping[Pair, Made]
    by_session: Mapping[str, Made]
    noted: frozenset[str]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as lists show it; `title_of` has its title.

    `opening` names the blobs of the files that hold its first exchange, `listed` is the tree of all
    such files; both may be "".
    """

    head: Head
    key: str
    opening: str
    exchanges: int
    listed: str

    @property
    def time(self) -> str:
        """When it was active last."""
        return self.head.ended or self.head.started


@dataclass(frozen=True, slots=True)
class Sessions:
    """All sessions, the one that was active last first."""

    listed: tuple[SessionRow, ...]
    by_id: Mapping[str, SessionRow]
    by_key: Mapping[str, SessionRow]
    children: Mapping[str, tuple[SessionRow, ...]]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of HEAD: path → blob, and key → path; folders have keys too."""

    blobs: Mapping[str, str]
    by_key: Mapping[str, str]
    folders: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alive:
    """Which lines of HEAD are whose, as far as the index knows: counts.

    `is_current` says that it has looked at HEAD and at all links.
    """

    by_path: Mapping[str, Mapping[Pair, int]] = field(default_factory=dict)
    by_exchange: Mapping[Pair, Mapping[str, int]] = field(default_factory=dict)
    by_session: Mapping[str, int] = field(default_factory=dict)
    is_current: bool = False
    is_known: bool = False


def commits(reading: Reading) -> Commits:
    """Return the history of HEAD. Raises `GitFailed`."""

    def make() -> Commits:
        listed = tuple(_headlines(reading))
        return Commits(listed, {one.oid: one for one in listed})

    return reading.part("commits", reading.state.head, make)


def _headlines(reading: Reading) -> Iterator[Headline]:
    """Yield the history, as it was kept if HEAD has not moved since."""
    head = reading.state.head
    if head is None:
        return
    known = kept.read(reading.repository, "commits")
    try:
        if known.get("head") == head:
            found = [
                Headline(oid, tuple(parents), author, int(time), summary)
                for oid, parents, author, time, summary in known["commits"]
            ]
            yield from found
            return
    except (ValueError, TypeError, KeyError):
        pass
    listed = headlines(reading.repository, head)
    kept.write(reading.repository, "commits", {"head": head, "commits": listed})
    yield from listed


def links(reading: Reading) -> Links:
    """Return what the notes say. Raises `Damaged`."""
    state = reading.state

    def make() -> Links:
        by_commit: dict[str, dict[Pair, int]] = {}
        by_exchange: defaultdict[Pair, Made] = defaultdict(Made)
        by_session: defaultdict[str, Made] = defaultdict(Made)
        noted = _noted(reading)  # before the history, which another thread is reading by now
        history = commits(reading).by_id
        for commit, counts in noted.items():
            if commit not in history:
                continue
            by_commit[commit] = counts
            for pair, count in counts.items():
                for made in (by_exchange[pair], by_session[pair[0]]):
                    made.lines += count
                    made.commits[commit] = made.commits.get(commit, 0) + count
        return Links(by_commit, dict(by_exchange), dict(by_session), frozenset(noted))

    return reading.part("links", (state.notes, state.head), make)


def _noted(reading: Reading) -> dict[str, dict[Pair, int]]:
    """Return commit → whose its lines are; only notes that have changed since are read."""
    repository, notes = reading.repository, reading.state.notes
    if notes is None:
        return {}
    before = kept.read(repository, "links")
    known = _known(before.get("commits"))
    if before.get("notes") == notes:
        return {commit: counts for commit, (_, counts) in known.items() if counts}
    blobs = notes_of(repository, notes)
    stale = [commit for commit, blob in blobs.items() if known.get(commit, ("",))[0] != blob]
    found = {commit: one for commit, one in known.items() if commit in blobs}
    for commit, data in zip(
        stale, reading.db.reader.read_many([blobs[commit] for commit in stale]), strict=True
    ):
        lines = (data or b"").decode("utf-8", "surrogateescape").split("\n")
        counts = _counts(reading.db, commit, filter(None, map(parse_link, lines)))
        found[commit] = blobs[commit], counts
    document = {
        commit: [blob, [[*pair, count] for pair, count in counts.items()]]
        for commit, (blob, counts) in found.items()
    }
    kept.write(repository, "links", {"notes": notes, "commits": document})
    return {commit: counts for commit, (_, counts) in found.items() if counts}


def _known(before: Any) -> dict[str, tuple[str, dict[Pair, int]]]:
    """Return commit → blob of its note and whose its lines are, as it was kept."""
    try:
        return {
            commit: (
                str(blob),
                {(str(session), str(name)): int(count) for session, name, count in rows},
            )
            for commit, (blob, rows) in before.items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}


def _counts(db: ObjectDatabase, commit: str, found: Iterable[Link]) -> dict[Pair, int]:
    """Return exchange → lines, without those of links that a note of another commit left behind."""
    by_path: defaultdict[str, list[Link]] = defaultdict(list)
    for link in found:
        by_path[link.path].append(link)
    counts: dict[Pair, int] = {}
    for path, listed in sorted(by_path.items()):
        blobs = {link.blob for link in listed}
        if path and len(blobs) > 1:  # of several versions of a file at most one is the commit's
            tip = db.tip(commit)
            entry = db.trees.at(tip.commit.tree, path) if tip else None
            listed = [link for link in listed if entry and link.blob == entry.oid]
        for link in listed:
            pair = (link.session, link.exchange)
            lines = sum([last - first + 1 for first, last in link.ranges])
            counts[pair] = counts.get(pair, 0) + lines
    return counts


def sessions(reading: Reading) -> Sessions:
    """Return all sessions. Raises `Damaged`."""
    memory = reading.state.memory

    def make() -> Sessions:
        found = summaries(reading.repository, memory or MEMORY)
        listed = tuple(
            SessionRow(
                one.head,
                key_of_id(one.head.session_id),
                one.opening,
                one.exchanges,
                one.listed,
            )
            for one in reversed(found)
        )
        children: defaultdict[str, list[SessionRow]] = defaultdict(list)
        for one in listed:
            if one.head.parent:
                children[one.head.parent].append(one)
        return Sessions(
            listed,
            {one.head.session_id: one for one in listed},
            {one.key: one for one in listed},
            {parent: tuple(rows) for parent, rows in children.items()},
        )

    return reading.part("sessions", memory, make)


def title_of(reading: Reading, row: SessionRow) -> str:
    """Return the title of a session, or else how it began: only what is shown is read."""
    if row.head.title or not row.opening:
        return row.head.title
    known: dict[str, str] = reading.part("openings", None, dict)
    if row.opening not in known:
        known[row.opening] = opening_in(reading.db.reader.read_many(row.opening.split()))
    return known[row.opening]


def read_openings(reading: Reading) -> None:
    """Make all titles ready, as a list of sessions shows them; they are kept between runs."""
    listed = sessions(reading).listed
    known: dict[str, str] = reading.part("openings", None, dict)
    untitled = [row for row in listed if row.opening and not row.head.title]
    summed = [Summary(row.head, row.exchanges, row.opening, "", row.listed) for row in untitled]
    called = titles(reading.repository, summed)
    known.update((row.opening, called[row.head.session_id]) for row in untitled)


def files(reading: Reading) -> Files:
    """Return the files of HEAD. Raises `GitFailed`."""

    def make() -> Files:
        tree = reading.state.tree
        blobs = list_tree(reading.repository, tree) if tree else {}
        folders = {""}
        for path in blobs:
            folder = path.rpartition("/")[0]
            while folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        return Files(blobs, keyed(blobs), keyed(folders))

    return reading.part("files", reading.state.tree, make)


def alive(reading: Reading) -> Alive:
    """Return which lines of HEAD are whose, as the index has it; nothing where there is none."""
    state = reading.state

    def make() -> Alive:
        if state.notes is None:
            return Alive(is_current=True, is_known=True)
        try:
            origins = origins_of(reading.repository)
        except SkillmeshError:
            origins = None
        if origins is None:
            return Alive()
        blobs = files(reading).blobs
        by_path: defaultdict[str, dict[Pair, int]] = defaultdict(dict)
        by_exchange: defaultdict[Pair, dict[str, int]] = defaultdict(dict)
        by_session: Counter[str] = Counter()
        for path, blob, session, exchange, lines in origins.counts:
            pair = (session, exchange)
            if blobs.get(path) != blob or pair in by_path[path]:  # read twice, under other rules
                continue
            by_path[path][pair] = by_exchange[pair][path] = lines
            by_session[session] += lines
        known = origins.state
        current = known == (state.head, state.notes)
        return Alive(dict(by_path), dict(by_exchange), by_session, current, known is not None)

    return reading.part("alive", (state.indexed, state.head, state.notes), make)
