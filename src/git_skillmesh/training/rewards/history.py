"""The commits before a revision, as judging them needs it.

In: a revision. Out: `History`: the order and times of commits, what each changed (digests of lines
that it removed and added, blobs, renames), and which were taken back by a message. What a commit
changed is read once and kept.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from ...git.diffs import CommitChange, commit_changes
from ...git.repository import Repository
from .cache import Cache
from .facts import Progress, digest

_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_MOST_LINES = 20_000  # of a commit: what changes more has not been written by hand
_BATCH = 200
_MOST_CAME = 12  # files of a commit that divides another


class Commit(NamedTuple):
    """A commit in the order of history: `time` is the committer's, in seconds of the epoch.

    `first` counts the commits of the first-parent line from the revision back to the one that
    brought this commit into it.
    """

    oid: str
    place: int
    time: int
    first: int


class Changed(NamedTuple):
    """A file that a commit changed; paths and blobs are "" on the side without it."""

    old_path: str
    new_path: str
    old_blob: str
    new_blob: str
    removed: frozenset[str]
    added: frozenset[str]
    lines: tuple[int, int]


@dataclass(frozen=True)
class History:
    """Commits that a revision reaches, oldest first, and what they changed, from a time on."""

    at: str
    commits: dict[str, Commit]
    since: int = 0
    changes: dict[str, list[Changed]] = field(default_factory=dict)
    reverts: dict[str, str] = field(default_factory=dict)

    @property
    def tip(self) -> Commit:
        """The commit that is judged at."""
        return self.commits[self.at]

    @cached_property
    def first_parents(self) -> tuple[Commit, ...]:
        """The first-parent line, the newest first."""
        found: dict[int, Commit] = {}
        for one in self.commits.values():  # of what a merge brought, the merge itself comes last
            found[one.first] = one
        return tuple(found[place] for place in sorted(found))

    @cached_property
    def _times(self) -> list[int]:
        return sorted(one.time for one in self.first_parents)

    def commits_after(self, seconds: float) -> int:
        """Return how many commits of the first-parent line are later than a time."""
        return len(self._times) - bisect_right(self._times, seconds)

    @cached_property
    def reverted(self) -> dict[str, str]:
        """Commit → the commit that took it back, where that was not taken back in turn."""
        standing = {}
        for revert, target in sorted(
            self.reverts.items(), key=lambda pair: -self.commits[pair[0]].place
        ):
            if revert not in standing:
                standing[target] = revert
        return standing

    @cached_property
    def lineage(self) -> "Lineage":
        """Which path became which."""
        renames: defaultdict[str, set[str]] = defaultdict(set)
        for files in self.changes.values():
            for file in files:
                if file.old_path and file.new_path and file.old_path != file.new_path:
                    renames[file.old_path].add(file.new_path)
        return Lineage(renames)

    @cached_property
    def made_by(self) -> dict[str, frozenset[str]]:
        """Path → files that came with a commit which took lines of that path away."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for files in self.changes.values():
            came = {one.new_path for one in files if one.new_path and not one.old_path}
            if not came or len(came) > _MOST_CAME:
                continue
            for one in files:
                if one.old_path and one.removed:
                    end = one.old_path.rpartition(".")[2]
                    found[one.old_path] |= {path for path in came if path.rpartition(".")[2] == end}
        return {path: frozenset(heirs) for path, heirs in found.items()}

    def blob(self, commit: str, path: str) -> str:
        """Return the blob that a commit put at a path, "" where it did not or it is not known."""
        found = (file.new_blob for file in self.changes.get(commit, ()) if file.new_path == path)
        return next(found, "")


class Lineage:
    """Follows paths through renames, each asked for once."""

    def __init__(self, renames: dict[str, set[str]]) -> None:
        self._renames = renames
        self._known: dict[str, frozenset[str]] = {}

    def heirs(self, path: str) -> frozenset[str]:
        """Return a path and all that it ever became."""
        if path not in self._known:
            seen, left = {path}, [path]
            while left:
                new = self._renames.get(left.pop(), set()) - seen
                seen |= new
                left += new
            self._known[path] = frozenset(seen)
        return self._known[path]


def read_history(
    repository: Repository, cache: Cache, at: str, since: int, progress: Progress = None,
    noted: Iterable[str] = (),
) -> History:  # fmt: skip
    """Return the history of a commit; what commits changed, from a time on, is read and kept.

    Clocks err: from the first of the `noted` commits on, should it be older than that time.
    `changes` are empty until `load` fills them in.
    """
    commits = _commits(repository, at)
    since = min([since, *(commits[one].time for one in noted if one in commits)])
    known = cache.stamps("commits")
    missing = [one.oid for one in commits.values() if one.time >= since and one.oid not in known]
    batch: dict[str, list[list[Any]]] = {}
    for done, change in enumerate(commit_changes(repository, missing), 1):
        batch[change.commit] = _row(change)
        if len(batch) >= _BATCH:
            _keep(cache, batch)
            batch = {}
            if progress:
                progress("following", done, len(missing))
    _keep(cache, batch)
    return History(at, commits, since, reverts=_reverts(repository, at, commits))


def load(cache: Cache, history: History, commits: Iterable[str] | None = None) -> None:
    """Fill in what these commits changed (all of them without), as far as they matter."""
    if commits is None:
        rows = cache.all("commits")
    else:
        rows = iter(cache.some("commits", set(commits) - history.changes.keys()).items())
    for oid, files in rows:
        one = history.commits.get(oid)
        if one and one.time >= history.since:
            history.changes[oid] = [_changed(row) for row in files]


def load_paths(cache: Cache, history: History, paths: Iterable[str]) -> None:
    """Fill in what all commits did that touched any of these paths, or what they became."""
    seen: set[str] = set()
    left = set(paths)
    while left:
        seen |= left
        found = cache.named("commits", map(at_path, left))
        load(cache, history, found)
        left = {
            file.new_path
            for oid in found
            for file in history.changes.get(oid, ())
            if file.new_path and file.old_path in left
        } - seen


def at_path(path: str) -> str:
    """Return the key of what concerns a path."""
    return f"p:{path}"


def at_base(path: str) -> str:
    """Return the key of what concerns files of the same name, wherever they are."""
    return f"b:{base_of(path)}"


def base_of(path: str) -> str:
    """Return the name of a file without its folder."""
    return path.rpartition("/")[2]


def _keep(cache: Cache, batch: Mapping[str, list[list[Any]]]) -> None:
    keys = {
        oid: {make(path) for row in rows for path in row[:2] if path for make in (at_path, at_base)}
        for oid, rows in batch.items()
    }
    with cache.at_once():
        cache.put("commits", batch)
        cache.place("commits", keys)


def _commits(repository: Repository, at: str) -> dict[str, Commit]:
    """Return the commits that a revision reaches, the oldest first."""
    out = repository.git.run("log", "--topo-order", "--format=%H %ct %P", "--no-show-signature", at)
    rows = [line.split() for line in out.decode().split("\n") if line]
    parents = {row[0]: row[2:] for row in rows}
    distance = _distances(at, parents)
    return {
        row[0]: Commit(row[0], place, int(row[1]), distance[row[0]])
        for place, row in enumerate(reversed(rows))
    }


def _distances(at: str, parents: dict[str, list[str]]) -> dict[str, int]:
    """Return commit → how many commits of the first-parent line came after it was brought in."""
    line, commit = [], at
    while commit:
        line.append(commit)
        commit = next(iter(parents.get(commit, ())), "")
    found = {oid: place for place, oid in enumerate(line)}
    for oid in reversed(line):  # the oldest first: what it brought is its own
        place = found[oid]
        left = list(parents.get(oid, ()))[1:]
        while left:
            other = left.pop()
            if other not in found:
                found[other] = place
                left += parents.get(other, ())
    return found


def _reverts(repository: Repository, at: str, commits: dict[str, Commit]) -> dict[str, str]:
    """Return revert → the commit that its message names."""
    out = repository.git.run(
        "log", "-z", "--grep=This reverts commit", "--format=%H%n%s%n%b", "--no-show-signature", at
    )
    found = {}
    for record in out.decode("utf-8", "replace").split("\0"):
        oid, _, text = record.partition("\n")
        subject, _, body = text.partition("\n")
        named = _REVERTS.search(body)
        # A squash quotes the messages of what it unites: only a message of its own counts.
        if not named or not (subject.startswith("Revert") or _REVERTS.match(body.lstrip())):
            continue
        name = named[1]
        fitting = [name] if name in commits else [one for one in commits if one.startswith(name)]
        if len(fitting) == 1:
            found[oid] = fitting[0]
    return found


def _row(change: CommitChange) -> list[list[Any]]:
    rows: list[list[Any]] = []
    budget = _MOST_LINES
    for file in change.files:
        gone = [line for hunk in file.hunks for line in hunk.removed][:budget]
        came = [line for hunk in file.hunks for line in hunk.added][:budget]
        budget = max(budget - len(gone) - len(came), 0)
        removed, added = (sorted({digest(line) for line in lines} - {""}) for lines in (gone, came))
        counts = [len(gone), len(came)]
        rows.append(
            [file.old_path, file.new_path, file.old_blob, file.new_blob, removed, added, counts]
        )
    return rows


def _changed(row: list[Any]) -> Changed:
    old_path, new_path, old_blob, new_blob, removed, added, counts = row
    return Changed(
        str(old_path), str(new_path), str(old_blob), str(new_blob),
        frozenset(removed), frozenset(added), tuple(counts),
    )  # fmt: skip
