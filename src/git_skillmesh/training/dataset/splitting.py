"""Which lines train, which validate and which test, so that nothing leaks from one to the other.

In: for each line when it was made and what it shares with others. Out: its split. Lines that share
a key are one group and stay together; the groups that were active last are the test.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
LEFT_OUT = ""
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
    Where a group larger than that share stands so late that hardly anything is behind it, it trains
    and is cut: its lines that are newer than what is held out are in no split, `LEFT_OUT`.
    """
    newest: dict[Hashable, tuple[str, int]] = {}
    members: defaultdict[Hashable, list[str]] = defaultdict(list)
    for number, (time, root) in enumerate(zip(times, roots, strict=True)):
        newest[root] = max(newest.get(root, ("", -1)), (time, number))
        members[root].append(time)
    order = sorted(newest, key=newest.__getitem__)
    chosen = dict.fromkeys(order, TRAIN)
    cut: set[Hashable] = set()
    begins = ""
    for name in (TEST, VALIDATION):
        held, passed = _held(order, newest, members, SHARE * len(times), len(times) * _MOST)
        held, passed = _kept_half(held, passed, cut, newest, members)
        if held:
            begins = newest[held[-1]][0]
            cut.update(passed)
        chosen.update(dict.fromkeys(held, name))
        order = order[: order.index(held[-1])] if held else order
    return [
        LEFT_OUT if root in cut and time > begins else chosen[root]
        for time, root in zip(times, roots, strict=True)
    ]


def _held(
    order: Sequence[Hashable], newest: Mapping[Hashable, tuple[str, int]],
    members: Mapping[Hashable, Sequence[str]], wanted: float, most: float,
) -> tuple[list[Hashable], list[Hashable]]:  # fmt: skip
    """Return which of the last groups to hold out, newest first, and which to pass over and cut.

    At least one group stays.
    """
    held: list[Hashable] = []
    passed: list[Hashable] = []
    best, kept, total = wanted, (0, 0), 0
    for root in reversed(order[1:]):
        size = len(members[root])
        if total + size > most or total + size - wanted > best:
            if total >= wanted / 2 or size <= wanted:
                break
            passed.append(root)
            continue
        held.append(root)
        total += size
        if abs(total - wanted) < best:
            best, kept = abs(total - wanted), (len(held), len(passed))
    return held[: kept[0]], passed[: kept[1]]


def _kept_half(
    held: list[Hashable], passed: list[Hashable], cut: Iterable[Hashable],
    newest: Mapping[Hashable, tuple[str, int]], members: Mapping[Hashable, Sequence[str]],
) -> tuple[list[Hashable], list[Hashable]]:  # fmt: skip
    """Return what to hold out and to cut so that no group loses more than it keeps.

    For that less is held out, the oldest first; a group that then is not passed over is whole.
    """
    while held:
        begins = newest[held[-1]]
        passed = [root for root in passed if newest[root] > begins]
        if all(
            2 * sum(time <= begins[0] for time in members[root]) >= len(members[root])
            for root in (*cut, *passed)
        ):
            return held, passed
        held = held[:-1]
    return [], []


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
