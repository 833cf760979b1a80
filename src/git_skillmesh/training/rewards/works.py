"""The lines of each exchange in the history that is judged: there, there in substance, or gone.

In: links, the places of lines that stand, a history. Out: `Work` of each exchange.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ...git.database import ObjectDatabase
from ...git.repository import Repository
from ..model import Pair
from .cache import Cache
from .facts import Progress
from .history import History
from .lines import Linked, Place
from .substance import in_substance

_MOST_HEIRS = 12
_BATCH = 50


@dataclass(slots=True)
class Work:
    """Lines of one exchange in the history that is judged."""

    linked: Linked
    gone: dict[Place, str]
    substance: set[Place]
    alive: int
    standing: frozenset[str]

    @property
    def lost(self) -> dict[Place, str]:
        """Lines that are gone, in substance as well."""
        return {place: name for place, name in self.gone.items() if place not in self.substance}


def work_of(linked: Linked, there: Collection[Place]) -> Work:
    """Return the lines of an exchange; `there` are the places of all lines that stand."""
    alive = {place for place in linked.made if place in there}
    carried = Counter(name for place, name in linked.carried.items() if place in there)
    names = {linked.made[place] for place in alive} | carried.keys()
    gone = {}
    found = 0
    for place, name in sorted(linked.made.items()):
        if place in alive:
            continue
        if carried[name]:  # moved, and alive there
            carried[name] -= 1
            found += 1
        else:
            gone[place] = name
    return Work(linked, gone, set(), len(alive) + found, frozenset(names - {""}))


def paths_of(linked: Linked) -> set[str]:
    """Return the paths that an exchange has lines in, as its commits left them."""
    return {place.path for places in (linked.made, linked.carried) for place in places}


def look_for_substance(
    repository: Repository, cache: Cache, history: History, works: Mapping[Pair, Work],
    files: Mapping[str, str], wanted: Collection[Pair] | None = None, progress: Progress = None,
) -> None:  # fmt: skip
    """Fill in the lines that are there in substance: each file of a commit is compared once.

    `files` are those of the tip (path → blob). With `wanted` only what these need is compared;
    `works` then have all that have lines in the same files of the same commits.
    """
    asked: defaultdict[tuple[str, str], list[Work]] = defaultdict(list)
    lines: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for work in works.values():
        for place in work.gone:
            lines[place.commit, place.path].add(place.line)
        for one in {(place.commit, place.path) for place in work.gone}:
            asked[one].append(work)
    if wanted is not None:
        places = {(p.commit, p.path) for pair in wanted if pair in works for p in works[pair].gone}
        asked = defaultdict(list, {one: asked[one] for one in places})
    made_by = history.made_by
    known = cache.some("units", (f"{commit} {path}" for commit, path in asked))
    used, fresh = {}, {}
    with ObjectDatabase(repository) as db:
        # File by file: what one is compared with is parsed once.
        in_order = sorted(asked, key=lambda one: (one[1], one[0]))
        for done, (commit, path) in enumerate(in_order, 1):
            heirs = history.lineage.heirs(path) | made_by.get(path, frozenset())
            entries = {heir: files[heir] for heir in sorted(heirs)[:_MOST_HEIRS] if heir in files}
            name = f"{commit} {path}"
            numbers = sorted(lines[commit, path])
            key = [[list(pair) for pair in sorted(entries.items())], numbers]
            if name not in known or known[name][0] != key:
                found = _compared(db, history, commit, path, numbers, entries)
                known[name] = fresh[name] = [key, sorted(found)]
                if len(fresh) >= _BATCH:
                    cache.put("units", fresh)
                    fresh = {}
            used[name] = known[name][1]
            if progress:
                progress("comparing", done, len(asked))
    cache.put("units", fresh)
    if wanted is None:
        cache.drop("units", cache.stamps("units").keys() - used.keys())
    for (commit, path), listed in asked.items():
        there = set(used[f"{commit} {path}"])
        for work in listed:
            work.substance |= {
                place for place in work.gone if place[:2] == (commit, path) and place.line in there
            }


def _compared(
    db: ObjectDatabase, history: History, commit: str, path: str, lines: list[int],
    entries: Mapping[str, str],
) -> set[int]:  # fmt: skip
    blob = history.blob(commit, path)
    if not blob:
        tip = db.tip(commit)
        entry = db.trees.at(tip.commit.tree, path) if tip else None
        blob = entry.oid if entry else ""
    old = (db.reader.read(blob) or b"") if blob else b""
    new = [(heir, db.reader.read(oid) or b"") for heir, oid in entries.items()]
    if not old or not new or b"\0" in old[:8000]:
        return set()
    return in_substance(path, old, set(lines), new)
