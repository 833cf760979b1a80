"""Who took lines away: another exchange, a person, a revert; in commits, or before one was made.

In: lines that are gone, the history, links, the facts of exchanges. Out: for each exchange how many
of its lines went which way, and the exchanges that came after it at the same place.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ..model import Pair
from .facts import Facts, seconds_of
from .history import Changed, History
from .lines import Links, Place

# A person who changes lines later than that has other reasons than that they were wrong.
SOON = 14 * 86_400
# Conversations that go on at the same place without a commit in between.
_BEFORE_COMMIT = 7 * 86_400
# A commit without links was a person's if links are known of commits so near to it.
NEAR = 20
_LEAST = 0.8  # share of lines that have to come back for an inverse


@dataclass(slots=True)
class Taken:
    """What became of the lines of an exchange that are gone."""

    lasted: int = 0
    reverted: int = 0
    corrected: int = 0
    own: int = 0
    known: int = 0
    by: Counter[Pair] = field(default_factory=Counter)
    commits: dict[str, str] = field(default_factory=dict)


class Takers:
    """Commit by commit, which lines went where; made once for all exchanges."""

    def __init__(
        self, history: History, links: Links, gone: Iterable[str], commits: int, days: float
    ) -> None:
        self._history = history
        self._links = links
        self._horizon = commits, days * 86_400
        wanted = set(gone)
        # What a line says, and the path that it was taken from → the commits that did, in order.
        self._of: defaultdict[tuple[str, str], list[tuple[int, str, Changed]]] = defaultdict(list)
        for oid, files in history.changes.items():
            for file in files:
                for name in file.removed & wanted:
                    self._of[name, file.old_path].append((history.commits[oid].place, oid, file))
        for found in self._of.values():
            found.sort(key=lambda each: (each[0], each[1]))
        self._linked_places = sorted(
            history.commits[oid].place for oid in links.noted if oid in history.commits
        )

    def judge(self, pair: Pair, gone: Mapping[Place, str]) -> Taken:
        """Return what became of lines of an exchange that are gone."""
        taken = Taken()
        for place, name in gone.items():
            self._one(pair, place, name, taken)
        return taken

    def _one(self, pair: Pair, place: Place, name: str, taken: Taken) -> None:
        history = self._history
        made = history.commits[place.commit]
        revert = history.reverted.get(place.commit, "")
        taker = self._taker(place, name)
        if taker is None and not revert:
            return
        taken.known += 1
        oid, file = taker or (revert, None)
        then = history.commits[oid]
        if revert or (file and self._is_inverse(place, oid, file)):
            taken.reverted += 1
            taken.commits[revert or oid] = "reverted"
            return
        commits, seconds = self._horizon
        others = self._links.at.get(oid, {})
        makers = others.get(file.new_path or file.old_path) if file else None
        if makers and pair in makers:
            taken.own += 1
            return
        if made.first - then.first >= commits and then.time - made.time >= seconds:
            taken.lasted += 1
            taken.commits.setdefault(oid, "changed later")
        elif makers:
            other = max(makers, key=lambda each: (makers[each], each))
            taken.by[other] += 1
            taken.commits.setdefault(oid, "replaced")
        elif not others and then.time - made.time <= SOON and self._is_persons(then.place, file):
            taken.corrected += 1
            taken.commits.setdefault(oid, "corrected")
        else:
            taken.commits.setdefault(oid, "changed")

    def _taker(self, place: Place, name: str) -> tuple[str, Changed] | None:
        """Return the first later commit that took a line out of its file."""
        made = self._history.commits[place.commit].place
        found = (
            next((each for each in self._of[name, path] if each[0] > made), None)
            for path in self._history.lineage.heirs(place.path)
            if (name, path) in self._of
        )
        first = min(
            filter(None, found), key=lambda each: (*each[:2], each[2].old_path), default=None
        )
        return first[1:] if first else None

    def _is_persons(self, place: int, file: Changed | None) -> bool:
        """Whether a commit wrote something else there, at a time of which links are known."""
        if file is None or not file.added:
            return False
        first = bisect_left(self._linked_places, place - NEAR)
        return first < len(self._linked_places) and self._linked_places[first] <= place + NEAR

    def _is_inverse(self, place: Place, oid: str, file: Changed) -> bool:
        """Whether a commit undid what the commit of a line had done to this file."""
        done = next(
            (
                one
                for one in self._history.changes.get(place.commit, ())
                if one.new_path == place.path
            ),
            None,
        )
        if done is None:
            return False
        if file.old_blob and file.old_blob == done.new_blob and file.new_blob == done.old_blob:
            made, then = self._history.commits[place.commit], self._history.commits[oid]
            # A file that is deleted after a life of its own was not taken back.
            return bool(done.old_blob) or made.first - then.first < self._horizon[0]
        if not done.removed or not done.added:
            return False
        back = len(done.removed & file.added) / len(done.removed)
        out = len(done.added & file.removed) / len(done.added)
        return back >= _LEAST and out >= _LEAST


def redone(
    facts: Mapping[Pair, Facts], standing: Mapping[Pair, frozenset[str]],
    wanted: Collection[Pair] | None = None,
) -> dict[Pair, Counter[Pair]]:  # fmt: skip
    """Return exchange → the exchanges that soon took lines of it away by their own record.

    `standing` are digests of lines that are there today: nobody took them for good. With `wanted`
    only of these; `facts` then have all that took lines out of the same files.
    """
    removers: defaultdict[tuple[str, str], list[tuple[float, Pair]]] = defaultdict(list)
    times = {pair: (seconds_of(one.started), seconds_of(one.ended)) for pair, one in facts.items()}
    for pair, one in facts.items():
        for path, names in one.removed.items():
            for name in set(names):
                removers[path, name].append((times[pair][0], pair))
    for each in removers.values():
        each.sort()
    found: dict[Pair, Counter[Pair]] = {}
    for pair in facts if wanted is None else facts.keys() & wanted:
        one = facts[pair]
        begun, ended = times[pair]
        kept = standing.get(pair, frozenset())
        count: Counter[Pair] = Counter()
        for path, names in one.written.items():
            for name in names:
                if name in kept:
                    continue
                for then, other in removers.get((path, name), ()):
                    if other != pair and _follows(pair, other, facts, begun, ended, then):
                        count[other] += 1
                        break
        if count:
            found[pair] = count
    return found


def _follows(
    pair: Pair, other: Pair, facts: Mapping[Pair, Facts], begun: float, ended: float, then: float
) -> bool:
    if pair[0] == other[0]:
        return facts[other].number > facts[pair].number
    return bool(begun) and bool(then) and ended <= then <= ended + _BEFORE_COMMIT
