"""Which lines train, which validate and which test, so that nothing leaks from one to the other.

In: for each line when it was made and what it shares with others. Out: its split. Lines that share
a key are one group and stay together; the groups that were active last are the test.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
# Shares of the lines that the two held-out splits come as near to as groups allow, and the most.
SHARE, _MOST = 0.1, 0.5


@dataclass(slots=True)
class Groups:
    """Members united by what they share (union-find)."""

    _above: dict[Hashable, Hashable] = field(default_factory=dict)

    def unite(self, one: Hashable, other: Hashable) -> None:
        """Put two into one group."""
        self._above[self.root(one)] = self.root(other)

    def root(self, member: Hashable) -> Hashable:
        """Return what stands for the group of a member."""
        path = []
        while (above := self._above.setdefault(member, member)) != member:
            path.append(member)
            member = above
        for passed in path:
            self._above[passed] = member
        return member


def split(times: Sequence[str], roots: Sequence[Hashable]) -> list[str]:
    """Return the split of each line. `times` are ISO 8601 or "", `roots` name the groups.

    Groups are ordered by their newest line. A suffix of them is the test, what is before it
    validates: the one whose size is nearest to the share wanted, and none that is over half.
    """
    newest: dict[Hashable, tuple[str, int]] = {}
    sizes: Counter[Hashable] = Counter(roots)
    for number, (time, root) in enumerate(zip(times, roots, strict=True)):
        newest[root] = max(newest.get(root, ("", -1)), (time, number))
    order = sorted(newest, key=newest.__getitem__)
    chosen = dict.fromkeys(order, TRAIN)
    for name in (TEST, VALIDATION):
        taken = _suffix([sizes[root] for root in order], SHARE * len(times), len(times) * _MOST)
        rest = len(order) - taken
        chosen.update(dict.fromkeys(order[rest:], name))
        order = order[:rest]
    return [chosen[root] for root in roots]


def _suffix(sizes: Sequence[int], wanted: float, most: float) -> int:
    """Return how many of the last to take; at least one stays."""
    best, count, total = (wanted, 0), 0, 0
    for size in reversed(sizes[1:]):
        count, total = count + 1, total + size
        if total > most or total - wanted > best[0]:
            break
        best = min(best, (abs(total - wanted), count))
    return best[1]


def leaks(splits: Sequence[str], times: Sequence[str], keys: Sequence[Iterable[str]]) -> list[str]:
    """Return what is wrong with a split, in words; [] is right.

    No key is in two splits, and no group of an earlier split is newer than a group of a later one.
    """
    found = []
    seen: defaultdict[str, set[str]] = defaultdict(set)
    groups = Groups()
    for number, (name, each) in enumerate(zip(splits, keys, strict=True)):
        groups.root(number)
        for key in each:
            seen[key].add(name)
            groups.unite(number, ("key", key))
    found += [f"{key} is in {' and '.join(sorted(n))}" for key, n in seen.items() if len(n) > 1]
    newest: dict[Hashable, tuple[str, str]] = {}
    for number, (name, time) in enumerate(zip(splits, times, strict=True)):
        root = groups.root(number)
        newest[root] = name, max(newest.get(root, ("", ""))[1], time)
    latest = {s: max((t for n, t in newest.values() if n == s), default="") for s in SPLITS}
    first = {s: min((t for n, t in newest.values() if n == s), default="") for s in SPLITS}
    for at, early in enumerate(SPLITS):
        for late in SPLITS[at + 1 :]:
            if first[late] and latest[early] > first[late]:
                found.append(f"{early} goes on to {latest[early]}, {late} begins {first[late]}")
    return found
