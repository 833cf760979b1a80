"""Exchanges with rewards, each with the files it changed, read from the memory one at a time.

In: a repository. Out: `Work` for each exchange that has a reward and edits; what sessions share.
"""

from collections import OrderedDict
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from ...errors import Damaged
from ...git.database import ObjectDatabase
from ...git.mainline import Mainline
from ...git.notes import all_notes
from ...git.repository import Repository
from ...git.treeobjects import Entries
from ...sessions import layout
from ...sessions.events import Event, Status, latest
from ...sessions.layout import Head, Segment, parse_head
from ...sessions.links import parse_link
from ...sessions.model import Exchange
from ...sessions.reading import events_in, fetched, folders_in, segments_in
from ...sessions.records import Incomplete, decode, exchange_of, unite
from ..model import Pair, Reward, Verdict
from ..rewards.stored import KIND, reward_in
from .blocks import Shown
from .context import reads_of
from .splitting import Groups
from .states import FileWork, Lookup, work_of

_KEPT_TEXTS = 256
# Files of exchanges that git is asked for ahead.
_AT_ONCE = 32
_LARGEST = 400_000  # bytes of a file that is shown or compared
Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class Work:
    """An exchange and its files. `time` is when it began, of its session where it has none.

    `linked` names the files of commits that have lines of it.
    """

    head: Head
    exchange: Exchange
    reward: Reward
    files: tuple[FileWork, ...]
    reads: tuple[Shown, ...]
    commits: tuple[str, ...]
    linked: tuple[str, ...]
    time: str
    is_exported: bool

    @property
    def pair(self) -> Pair:
        """Its session and its id."""
        return self.head.session_id, self.exchange.exchange_id


@dataclass(slots=True)
class Skipped:
    """How many exchanges were left out, by reason; sessions that cannot be read."""

    counts: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def add(self, reason: str) -> None:
        """Count one more."""
        self.counts[reason] = self.counts.get(reason, 0) + 1


def rewards_in(session: str, events: tuple[Event, ...]) -> dict[str, Reward]:
    """Return exchange id → its latest reward."""
    found = {
        exchange: reward_in(session, exchange, value)
        for exchange, value in latest(events, KIND).items()
    }
    return {exchange: reward for exchange, reward in found.items() if reward is not None}


def exported_in(events: tuple[Event, ...]) -> frozenset[str]:
    """Return the ids of the exchanges that an export has used before."""
    return frozenset(
        event.exchange_id
        for event in events
        if event.kind == "status" and event.value == Status.EXPORTED
    )


class Source:
    """Reads the memory. `wanted` says of which verdicts exchanges are yielded."""

    def __init__(self, repository: Repository, head: str | None, since: str = "") -> None:
        self._repository = repository
        self._since = since
        self._mainline = Mainline(repository, head)
        self._texts: OrderedDict[tuple[str, str], str | None] = OrderedDict()
        self._links = _links(repository)
        self.groups = Groups()
        self.skipped = Skipped()

    def works(self, verdicts: Container[Verdict], progress: Progress = None) -> Iterator[Work]:
        """Yield the exchanges, session by session. Raises `Damaged`."""
        with ObjectDatabase(self._repository, frugal=True) as db:
            tip = db.tip(layout.REF)
            folders = folders_in(db, tip.commit.tree) if tip else {}
            for done, key in enumerate(sorted(folders)):
                if progress:
                    progress(done, len(folders))
                inner = db.trees.entries(folders[key])
                entry = inner.get(layout.HEAD)
                head = parse_head(fetched(db.reader.read(entry.oid), layout.REF)) if entry else None
                if head is None or head.key != key:
                    continue
                names = (
                    db.trees.entries(inner[layout.EXCHANGES].oid)
                    if layout.EXCHANGES in inner
                    else {}
                )
                segments = segments_in(names)
                self._share(head, segments)
                events = events_in(db, inner[layout.EVENTS].oid) if layout.EVENTS in inner else ()
                rewards = rewards_in(head.session_id, events)
                if not any(reward.verdict in verdicts for reward in rewards.values()):
                    continue
                if self._since and (head.ended or head.started) < self._since:
                    continue
                try:
                    exchanges = _exchanges(db, sorted(segments.values()), names)
                    yield from self._in(db, head, exchanges, rewards, events, verdicts)
                except Damaged:
                    self.skipped.unreadable.append(head.session_id)

    def _share(self, head: Head, segments: Mapping[str, Any]) -> None:
        """Unite a session with those it shares exchanges with, and with its parent."""
        own = ("session", head.session_id)
        self.groups.root(own)
        if head.parent:
            self.groups.unite(own, ("session", head.parent))
        for identity in segments:
            self.groups.unite(own, ("exchange", identity))

    def _in(
        self, db: ObjectDatabase, head: Head, exchanges: Iterator[Exchange],
        rewards: Mapping[str, Reward], events: tuple[Event, ...], verdicts: Container[Verdict],
    ) -> Iterator[Work]:  # fmt: skip
        left: dict[str, str | None] = {}
        exported = exported_in(events)
        own = ("session", head.session_id)
        for exchange in exchanges:
            for call in exchange.tools:
                if call.session:
                    self.groups.unite(own, ("session", call.session))
            linked = self._links.get((head.session_id, exchange.exchange_id), ())
            commits = tuple(sorted({commit for commit, _ in linked}))
            lookups = list(self._lookups(db, exchange, commits))
            files = work_of(exchange, left, lookups)
            reward = rewards.get(exchange.exchange_id)
            time = exchange.started or exchange.ended or head.started
            if reward and reward.verdict in verdicts and (not self._since or time >= self._since):
                if files:
                    start = _first_of(left, lookups)
                    reads = tuple(reads_of(exchange, start))
                    is_exported = exchange.exchange_id in exported
                    held = tuple(sorted({*commits, *reward.commits}))
                    named = tuple(lines_of(commit, path) for commit, path in linked if path)
                    yield Work(head, exchange, reward, files, reads, held, named, time, is_exported)
                else:
                    self.skipped.add("no edits that can be told")
            for one in files:
                if one.exact:
                    left[one.path] = one.after
                    if one.moved_from:
                        left[one.moved_from] = None
                else:
                    left.pop(one.path, None)

    def _lookups(
        self, db: ObjectDatabase, exchange: Exchange, commits: tuple[str, ...]
    ) -> Iterator[Lookup]:
        starts = [f"{commit}^" for commit in commits[:2]]
        try:
            then = datetime.fromisoformat(exchange.started).timestamp() if exchange.started else 0
        except (ValueError, OverflowError):
            then = 0
        # What is logged after its commit has begun before it all the same.
        if then and (commit := self._mainline.at(then)) and commit not in commits:
            starts.insert(0, commit)
        for commit in starts:
            yield partial(self._text, db, commit)

    def _text(self, db: ObjectDatabase, commit: str, path: str) -> str | None:
        """Return a file of a commit as text, None if there is none that people read."""
        key = commit, path
        if key in self._texts:
            self._texts.move_to_end(key)
            return self._texts[key]
        text = _decoded(_blob(db, commit, path))
        self._texts[key] = text
        if len(self._texts) > _KEPT_TEXTS:
            self._texts.popitem(last=False)
        return text


def _exchanges(
    db: ObjectDatabase, listed: list[list[Segment]], names: Entries
) -> Iterator[Exchange]:
    """Yield exchanges; git is asked for many files at once. Raises `Damaged`."""
    for first in range(0, len(listed), _AT_ONCE):
        some = listed[first : first + _AT_ONCE]
        oids = [names[segment.name].oid for segments in some for segment in segments]
        contents = db.reader.read_many(oids)
        for segments in some:
            try:
                files = [fetched(next(contents), layout.REF) for _ in segments]
                yield exchange_of(unite(record for data in files for record in decode(data)))
            except Incomplete as error:
                raise Damaged(f"{segments[0].name} cannot be read: {error}") from None


def _first_of(left: Mapping[str, str | None], lookups: list[Lookup]) -> Lookup:
    then = dict(left)

    def find(path: str) -> str | None:
        if path in then:
            return then[path]
        return next((text for place in lookups if (text := place(path)) is not None), None)

    return find


def _blob(db: ObjectDatabase, commit: str, path: str) -> bytes | None:
    if "\n" in path or "\0" in path or {"", ".", ".."} & set(path.split("/")):
        return None  # a request is a line, and git dies of a relative path
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None
    found = db.reader.look_up(f"{commit}:{path}")
    return found.data if found is not None and found.kind == "blob" else None


def _decoded(data: bytes | None) -> str | None:
    if data is None or len(data) > _LARGEST or b"\0" in data[:8000]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def lines_of(commit: str, path: str) -> str:
    """Return what stands for lines of a file of a commit."""
    return f"lines {commit} {path}"


def _links(repository: Repository) -> dict[Pair, tuple[tuple[str, str], ...]]:
    """Return exchange → commits that have lines of it, and in which file of them, sorted."""
    found: dict[Pair, set[tuple[str, str]]] = {}
    for commit, lines in all_notes(repository).items():
        for link in filter(None, map(parse_link, lines)):
            found.setdefault((link.session, link.exchange), set()).add((commit, link.path))
    return {pair: tuple(sorted(places)) for pair, places in found.items()}
