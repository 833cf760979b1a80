"""What became of the code of each exchange.

In: the lines that exchanges left and took away, the links of commits, HEAD. Out: a `Fate` for each.

A line is found again by what it says and in which file. Lines that say little are not counted.
What a person did outside of any conversation is seen by exclusion: a line that a commit had, that
is gone from HEAD, and that no recorded exchange took away.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..git.database import ObjectDatabase
from ..git.notes import all_notes
from ..git.repository import Repository
from ..sessions.links import parse_link
from .analysis_cache import Seen, SeenSession
from .analysis_changes import digest
from .candidates import Fate

Pair = tuple[str, str]
# At least this share of the lines has to be there for "kept", or to be gone for the others.
_MOST = 0.5
_LARGEST = 2_000_000  # bytes of a file that is compared


def commits_of_exchanges(repository: Repository) -> dict[Pair, tuple[str, ...]]:
    """Return (session, exchange) → the commits that its links name. Raises `Damaged`."""
    found: defaultdict[Pair, dict[str, None]] = defaultdict(dict)
    for commit, lines in sorted(all_notes(repository).items()):
        for link in filter(None, map(parse_link, lines)):
            found[link.session, link.exchange][commit] = None
    return {pair: tuple(commits) for pair, commits in found.items()}


def fates_of(
    repository: Repository,
    head: str | None,
    sessions: Mapping[str, SeenSession],
    commits: Mapping[Pair, Iterable[str]],
    reverted: Iterable[str],
) -> dict[Pair, Fate]:
    """Return (session, exchange) → what became of its code. Raises `Damaged`."""
    exchanges = {
        (session, name): seen
        for session, one in sessions.items()
        for name, seen in one.exchanges.items()
    }
    paths = {path for seen in exchanges.values() for path in seen.written}
    alive = _alive(repository, head, paths)
    taken = _taken(exchanges)
    back = set(reverted)
    return {
        pair: _fate(pair, seen, alive, taken, set(commits.get(pair, ())), back)
        for pair, seen in exchanges.items()
    }


def _fate(
    pair: Pair, seen: Seen, alive: Mapping[str, frozenset[str]],
    taken: Mapping[tuple[str, str], list[tuple[str, Pair]]], commits: set[str], reverted: set[str],
) -> Fate:  # fmt: skip
    lines = [(path, line) for path, each in seen.written.items() for line in each]
    if not lines:
        return Fate.NONE
    there = sum(line in alive.get(path, ()) for path, line in lines)
    if there >= _MOST * len(lines):
        return Fate.KEPT
    if commits & reverted:
        return Fate.REVERTED
    gone = [place for place in lines if place[1] not in alive.get(place[0], ())]
    replaced = sum(_later(taken.get(place, ()), pair, seen.started) for place in gone)
    if replaced >= _MOST * len(gone):
        return Fate.REPLACED
    return Fate.CHANGED if commits or there else Fate.UNCOMMITTED


def _later(takers: Iterable[tuple[str, Pair]], pair: Pair, started: str) -> bool:
    """Return whether another exchange took a line away, and not before it was there."""
    return any(other != pair and (not when or when >= started) for when, other in takers)


def _taken(exchanges: Mapping[Pair, Seen]) -> dict[tuple[str, str], list[tuple[str, Pair]]]:
    found: defaultdict[tuple[str, str], list[tuple[str, Pair]]] = defaultdict(list)
    for pair, seen in exchanges.items():
        for path, lines in seen.removed.items():
            for line in lines:
                found[path, line].append((seen.started, pair))
    return found


def _alive(
    repository: Repository, head: str | None, paths: Iterable[str]
) -> dict[str, frozenset[str]]:
    """Return path → digests of the lines that HEAD's version has."""
    if not head:
        return {}
    found = {}
    with ObjectDatabase(repository) as db:
        tip = db.tip(head)
        tree = tip.commit.tree if tip else None
        entries = {path: db.trees.at(tree, path) for path in sorted(paths) if _is_path(path)}
        blobs = {path: one.oid for path, one in entries.items() if one and not one.is_folder}
        for path, data in zip(blobs, db.reader.read_many(blobs.values()), strict=True):
            if data is not None and len(data) <= _LARGEST:
                lines = data.decode("utf-8", "replace").split("\n")
                found[path] = frozenset(map(digest, lines))
    return found


def _is_path(path: str) -> bool:
    return not {"", ".", ".."} & set(path.split("/")) and "\0" not in path
