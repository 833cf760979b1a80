"""Link commits: those that are new, or those of a range.

In: a repository with a memory. Out: links in the notes of commits. What was looked at is remembered
in the cache, and looked at again when exchanges arrive that are older than the commit.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...config import Config
from ...errors import UsageError
from ...git.commits import Commit
from ...git.database import ObjectDatabase
from ...git.diffs import CommitChange, commit_changes
from ...git.origins import Origin, origins
from ...git.process import GitFailed
from ...git.refs import read_ref
from ...git.repository import Repository
from .. import layout
from ..links import Link, lines_linked, ranges_of, read_links, write_links
from .assign import Assigner, window_of
from .cache import Cache, damage_reported
from .corpus import Corpus
from .moves import Move

_BATCH = 200  # commits whose links are written at once
_TIPS = 64  # heads that were looked at, with all that they reach
_MOST_BLAMED = 12  # files of a commit whose moved lines are followed
_DAY = 86_400


@dataclass(slots=True)
class Outcome:
    """What linking did: `links` are the new ones by commit, `looked` how many commits it saw."""

    looked: int = 0
    links: dict[str, tuple[Link, ...]] = field(default_factory=dict)


def link_new_commits(repository: Repository, config: Config, *, write: bool = True) -> Outcome:
    """Link the commits that HEAD reaches and that were not looked at before.

    A commit is looked at again when exchanges arrive that are older than it is. Raises `Damaged`,
    `ReadOnly`, `Busy`.
    """
    if read_ref(repository, layout.REF) is None:
        return Outcome()  # no conversations: no cache either
    days = config.number("link.days")
    with damage_reported(repository), Cache(repository) as cache:
        cache.update()
        head = repository.head_commit()
        since = _since(cache, days)
        if head is None or since is None:
            return Outcome()
        tips = _tips(cache, since)
        commits = [] if head in tips else _listed(repository, since, head, *_without(tips))
        again = set(_again(cache, days))
        if again:
            commits = _listed(repository, None, "--no-walk=sorted", *again, *commits)
        outcome = _link(repository, cache, commits, days, write=write, renew=bool(again))
        if write:
            cache.set_state(
                "tips", " ".join([*(tip for tip in tips if tip != head), head][-_TIPS:])
            )
            cache.set_state("since", str(since))
            cache.set_state("arrived", "")
    return outcome


def link_commits(
    repository: Repository, config: Config, ranges: Sequence[str] = (), *, write: bool = True
) -> Outcome:
    """Link the commits of revision ranges; without any, all of HEAD since the first session.

    What was linked or looked at before is looked at anew. Raises `UsageError` for what is no
    range, `Damaged`, `ReadOnly`, `Busy`.
    """
    days = config.number("link.days")
    with damage_reported(repository), Cache(repository) as cache:
        cache.update()
        since = _since(cache, days)
        if ranges:
            commits = _listed(repository, None, *_checked(ranges))
        elif since is None or repository.head_commit() is None:
            commits = []
        else:
            commits = _listed(repository, since, "HEAD")
        return _link(repository, cache, commits, days, write=write, renew=True)


# -- which commits -------------------------------------------------------------------------------


def _since(cache: Cache, days: int) -> int | None:
    """Return the time, in seconds, of the oldest commit that may be linked; None if there is none.

    What sessions without times have done is looked for in young commits only.
    """
    oldest, untimed = cache.oldest()
    times = [oldest // 1000] if oldest is not None else []
    times += [int(time.time()) - days * _DAY] if untimed else []
    return min(times, default=None)


def _tips(cache: Cache, since: int) -> list[str]:
    """Return the heads all of whose history since a time was looked at."""
    before = cache.state("since")
    return cache.state("tips").split() if before and int(before) <= since else []


def _again(cache: Cache, days: int) -> list[str]:
    """Return commits looked at before that something that has arrived since may have made."""
    earliest = cache.arrived()
    if earliest is None:
        return []
    return cache.looked_since(earliest // 1000 if earliest else int(time.time()) - days * _DAY)


def _without(tips: Iterable[str]) -> list[str]:
    return [f"^{tip}" for tip in tips]


def _checked(ranges: Sequence[str]) -> list[str]:
    for text in ranges:
        if not text or text.startswith("-") or "\n" in text:
            raise UsageError(f"not a range of commits: {text}", "A..B, or a commit")
    return list(ranges)


def _listed(repository: Repository, since: int | None, *arguments: str) -> list[str]:
    """Return commits, parents first. Raises `UsageError`."""
    options = ["--reverse", "--topo-order"]
    if since is not None:  # heads that were looked at may be gone
        options += ["--ignore-missing", f"--since={_date(since)}"]
    walk = [word for word in arguments if word.startswith("--")]
    names = [word for word in arguments if not word.startswith("--")]
    if not names:
        return []
    try:
        out = repository.git.run(
            "rev-list", *options, *walk, "--stdin",
            stdin="".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape"),
        )  # fmt: skip
    except GitFailed:
        shown = " ".join(names[:3])
        raise UsageError(f"not a range of commits: {shown}", "A..B, or a commit") from None
    return out.decode().split()


def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(seconds, 0)))


# -- linking -------------------------------------------------------------------------------------


def _link(
    repository: Repository, cache: Cache, commits: Sequence[str], days: int, *,
    write: bool, renew: bool,
) -> Outcome:  # fmt: skip
    outcome = Outcome()
    notes = read_links(repository, commits) if commits else {}
    waiting: dict[str, tuple[Link, ...]] = {}
    seen: list[tuple[str, int]] = []

    def save() -> None:
        if write:
            write_links(repository, waiting)
            cache.remember(seen)
        waiting.clear()
        seen.clear()

    with ObjectDatabase(repository) as db:
        assigner = Assigner(Corpus(cache), db.reader.read)
        history = _History(repository, db, outcome.links, _since(cache, days) or 0)
        for change in commit_changes(repository, commits):
            outcome.looked += 1
            there = notes.get(change.commit, ())
            seen.append((change.commit, change.committed))
            if renew or not _is_complete(there, change):
                window = window_of(change, _parent(db, change), days)
                found = assigner.links(change, window, history.of(change))
                if new := tuple(_missing(_not_carried(found, there), there)):
                    outcome.links[change.commit] = waiting[change.commit] = new
            if len(seen) >= _BATCH:
                save()
    save()
    return outcome


def _parent(db: ObjectDatabase, change: CommitChange) -> Commit | None:
    tip = db.tip(change.parents[0]) if change.parents else None
    return tip.commit if tip else None


def _is_complete(links: Sequence[Link], change: CommitChange) -> bool:
    """Return whether a note was made for this very commit: one copied by an amend is stale."""
    blobs = {(file.path, file.new_blob) for file in change.files}
    # What was carried from the commits that it replaces says nothing of what is new in it.
    about = [(link.path, link.blob) for link in links if link.path and not link.via]
    return bool(about) and blobs.issuperset(about)


def _not_carried(found: Iterable[Link], there: Sequence[Link]) -> Iterator[Link]:
    """Yield the links without the lines that have one from a commit that this one replaces."""
    carried = [link for link in there if link.via]
    for link in found:
        taken = {
            line
            for old in carried
            if (old.path, old.blob) == (link.path, link.blob)
            for line in _numbers(old)
        }
        left = ranges_of(_numbers(link) - taken) if taken else link.ranges
        if left or not link.ranges:
            yield replace(link, ranges=left)


def _missing(found: Iterable[Link], there: Sequence[Link]) -> Iterator[Link]:
    """Yield what the note does not say yet."""
    for link in found:
        same = [
            old for old in there
            if (old.session, old.exchange, old.path, old.blob)
            == (link.session, link.exchange, link.path, link.blob)
        ]  # fmt: skip
        known = {line for old in same for line in _numbers(old)}
        if not same or not known.issuperset(_numbers(link)):
            yield link


def _numbers(link: Link) -> set[int]:
    return {line for first, last in link.ranges for line in range(first, last + 1)}


class _History:
    """The links that lines of a parent commit have, by blame."""

    def __init__(
        self, repository: Repository, db: ObjectDatabase,
        fresh: Mapping[str, tuple[Link, ...]], since: int,
    ) -> None:  # fmt: skip
        self._repository = repository
        self._db = db
        self._fresh = fresh
        self._since = since
        self._notes: dict[str, tuple[Link, ...]] = {}
        self._by_line: dict[tuple[str, str], dict[int, Link]] = {}

    def of(self, change: CommitChange) -> "_Parent":
        """Return the links of a commit's parent."""
        return _Parent(self, change)

    def links_at(self, parent: str, path: str, lines: Iterable[int]) -> dict[int, tuple[str, Link]]:
        """Return line → the commit that brought it and its link there."""
        came = origins(self._repository, parent, path, lines, self._since)
        self._read({origin.commit for origin in came.values()})
        found = {}
        for line, origin in came.items():
            link = self._linked(origin).get(origin.line)
            if link is not None:
                found[line] = origin.commit, link
        return found

    def _read(self, commits: set[str]) -> None:
        unknown = commits - self._notes.keys()
        if unknown:
            read = read_links(self._repository, unknown)
            for commit in unknown:
                self._notes[commit] = read.get(commit, ())

    def _linked(self, origin: Origin) -> dict[int, Link]:
        place = origin.commit, origin.path
        if place not in self._by_line:
            links = (*self._notes[origin.commit], *self._fresh.get(origin.commit, ()))
            about = [link for link in links if link.path == origin.path]
            blob = self._db.reader.look_up(f"{origin.commit}:{origin.path}") if about else None
            self._by_line[place] = lines_linked(about, origin.path, blob.oid) if blob else {}
        return self._by_line[place]


@dataclass(frozen=True, slots=True)
class _Parent:
    history: _History
    change: CommitChange

    def __call__(self, moves: Sequence[Move]) -> dict[Move, tuple[str, Link]]:
        """Return the links that moved lines had, each with the commit that holds it."""
        by_path: dict[str, list[Move]] = {}
        for move in moves:
            by_path.setdefault(move.path, []).append(move)
        found: dict[Move, tuple[str, Link]] = {}
        most = sorted(by_path, key=lambda path: (-len(by_path[path]), path))[:_MOST_BLAMED]
        for path in most:
            lines = [move.line for move in by_path[path]]
            links = self.history.links_at(self.change.parents[0], path, lines)
            found.update((move, links[move.line]) for move in by_path[path] if move.line in links)
        return found
