"""Two texts compared line by line, with the result that `git diff` gives by default.

In: two lists of lines. Out: hunks. Pure.

The method is Myers' ("An O(ND) Difference Algorithm and Its Variations", 1986), in linear space.
git takes shortcuts through it that make some of its diffs longer than the shortest one, even of
short texts. To count what git counts, the same shortcuts are taken here, with the same limits as
in git's xdiff/xprepare.c and xdiff/xdiffi.c. Only where git would work on for long, this takes
shorter ways once a `Budget` is used up.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

# Lines with at least this many twins (or the root of the number of lines) are taken for filler.
_MANY = 1024
_AROUND = 100
_FILLER = 4
# Steps from both ends before a good way is taken, and before any is.
_STEPS = 256
_SNAKE = 20
_GOOD = 4
_FAR = 1 << 60

_STEPS_IN_HASTE = 8


class Budget:
    """Points that comparisons may look at: 4 million take about a second, real changes a few."""

    def __init__(self, points: int = 4_000_000) -> None:
        self.points = points

    @property
    def is_spent(self) -> bool:
        """Whether some diff may be longer than git's."""
        return self.points < 0


class Hunk(NamedTuple):
    """Lines `a0:a1` of the first text became `b0:b1` of the second, counted from 0."""

    a0: int
    a1: int
    b0: int
    b1: int


class Box(NamedTuple):
    """Parts of both sequences that are compared; with `minimal`, without shortcuts."""

    a0: int
    a1: int
    b0: int
    b1: int
    minimal: bool = False


def lines_of(text: str) -> list[str]:
    r"""Return the lines with their ends. Only "\n" ends one, as in git."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def hunks(a: Sequence[Hashable], b: Sequence[Hashable], budget: Budget | None = None) -> list[Hunk]:
    """Return where two lists of lines differ, in order."""
    start, tail = _common_ends(a, b)
    if start + tail == len(a) or start + tail == len(b):
        ends = Hunk(start, len(a) - tail, start, len(b) - tail)
        return [ends] if ends.a0 < ends.a1 or ends.b0 < ends.b1 else []
    changed_a, changed_b = bytearray(len(a)), bytearray(len(b))
    left = _kept(a, Counter(b), start, tail, changed_a)
    right = _kept(b, Counter(a), start, tail, changed_b)
    whole = _Comparison([a[i] for i in left], [b[i] for i in right], budget or Budget())
    for at in whole.run():
        for i in range(at.a0, at.a1):
            changed_a[left[i]] = 1
        for i in range(at.b0, at.b1):
            changed_b[right[i]] = 1
    return _as_hunks(changed_a, changed_b)


def counts(before: str, after: str) -> tuple[int, int]:
    """Return how many lines were added and removed, as `git diff --numstat` says."""
    if before == after:
        return 0, 0
    found = hunks(lines_of(before), lines_of(after))
    return sum(h.b1 - h.b0 for h in found), sum(h.a1 - h.a0 for h in found)


def _common_ends(a: Sequence[Hashable], b: Sequence[Hashable]) -> tuple[int, int]:
    most = min(len(a), len(b))
    start = next((i for i in range(most) if a[i] != b[i]), most)
    most -= start
    return start, next((i for i in range(most) if a[-1 - i] != b[-1 - i]), most)


def _kept(
    lines: Sequence[Hashable], others: Counter[Hashable], start: int, tail: int, changed: bytearray
) -> list[int]:
    """Return the lines worth comparing; the others are marked as changed.

    Those are the lines that the other text does not have, and filler (blank lines, braces) in
    the midst of them.
    """
    many, end = min(_root(len(lines)), _MANY), len(lines) - tail
    twins = [others[line] for line in lines[start:end]]
    kinds = bytearray(0 if not n else 2 if n >= many else 1 for n in twins)
    kept = []
    for at, kind in enumerate(kinds):
        if kind == 1 or (kind == 2 and not _is_lost(kinds, at)):
            kept.append(start + at)
        else:
            changed[start + at] = 1
    return kept


def _is_lost(kinds: bytearray, at: int) -> bool:
    """Return whether filler stands among lines without a twin, and few others, on both sides."""
    without, filler = 0, 0
    above = range(at - 1, max(at - _AROUND, 0) - 1, -1)
    below = range(at + 1, min(at + _AROUND, len(kinds) - 1) + 1)
    for side in (above, below):
        before = without
        for i in side:
            if kinds[i] == 1:
                break
            without += kinds[i] == 0
            filler += kinds[i] == 2
        if without == before:
            return False
    filler += 2
    return filler * _FILLER < filler + without


def _root(number: int) -> int:
    """Return about the square root, a power of two."""
    root = 1
    while number > 0:
        root, number = root * 2, number // 4
    return root


def _as_hunks(changed_a: bytearray, changed_b: bytearray) -> list[Hunk]:
    found, i, j = [], 0, 0
    while i < len(changed_a) or j < len(changed_b):
        a0, b0 = i, j
        while i < len(changed_a) and changed_a[i]:
            i += 1
        while j < len(changed_b) and changed_b[j]:
            j += 1
        if i > a0 or j > b0:
            found.append(Hunk(a0, i, b0, j))
        # Lines that stay are as many on both sides.
        i, j = i + 1, j + 1
    return found


class _Comparison:
    """The comparison of two sequences in which each line has a twin on the other side."""

    def __init__(self, a: list[Hashable], b: list[Hashable], budget: Budget) -> None:
        self.a, self.b, self.budget = a, b, budget
        size = len(a) + len(b) + 3
        self.steps = max(_root(size), _STEPS)
        # Furthest line of `a` reached on each diagonal, from the start and from the end. Diagonals
        # are a - b and may be negative, which counts from the end of the list.
        self.forward, self.backward = [0] * (size + 2), [0] * (size + 2)

    def run(self) -> list[Box]:
        """Return the parts without anything in common: a side of each may be empty."""
        found, todo = [], [Box(0, len(self.a), 0, len(self.b))]
        a, b = self.a, self.b
        while todo:
            a0, a1, b0, b1, minimal = todo.pop()
            while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
                a0, b0 = a0 + 1, b0 + 1
            while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
                a1, b1 = a1 - 1, b1 - 1
            if a0 == a1 or b0 == b1:
                found.append(Box(a0, a1, b0, b1))
            else:
                todo += self._split(Box(a0, a1, b0, b1, minimal))
        return found

    def _split(self, box: Box) -> tuple[Box, Box]:
        """Return two boxes through which the way goes."""
        a, b, forward, backward = self.a, self.b, self.forward, self.backward
        a0, a1, b0, b1, minimal = box
        lowest, highest = a0 - b1, a1 - b0
        start, end = a0 - b0, a1 - b1
        odd = (start - end) % 2 == 1
        low, high, low_back, high_back = start, start, end, end
        forward[start], backward[end] = a0, a1
        cost = 0
        while True:
            cost += 1
            has_snake = False
            if low > lowest:
                low -= 1
                forward[low - 1] = -1
            else:
                low += 1
            if high < highest:
                high += 1
                forward[high + 1] = -1
            else:
                high -= 1
            for d in range(high, low - 1, -2):
                left, right = forward[d - 1], forward[d + 1]
                begin = i = left + 1 if left >= right else right
                j = i - d
                while i < a1 and j < b1 and a[i] == b[j]:
                    i, j = i + 1, j + 1
                if i - begin > _SNAKE:
                    has_snake = True
                    self.budget.points -= i - begin
                forward[d] = i
                if odd and low_back <= d <= high_back and backward[d] <= i:
                    return _cut(box, i, j, True, True)
            if low_back > lowest:
                low_back -= 1
                backward[low_back - 1] = _FAR
            else:
                low_back += 1
            if high_back < highest:
                high_back += 1
                backward[high_back + 1] = _FAR
            else:
                high_back -= 1
            for d in range(high_back, low_back - 1, -2):
                left, right = backward[d - 1], backward[d + 1]
                begin = i = left if left < right else right - 1
                j = i - d
                while i > a0 and j > b0 and a[i - 1] == b[j - 1]:
                    i, j = i - 1, j - 1
                if begin - i > _SNAKE:
                    has_snake = True
                    self.budget.points -= begin - i
                backward[d] = i
                if not odd and low <= d <= high and i <= forward[d]:
                    return _cut(box, i, j, True, True)
            self.budget.points -= high - low + high_back - low_back + 2
            in_haste = self.budget.is_spent
            if minimal and not in_haste:
                continue
            ahead, back = range(high, low - 1, -2), range(high_back, low_back - 1, -2)
            if has_snake and cost > _STEPS:
                taken = self._good_way(box, ahead, back, cost)
                if taken:
                    return taken
            if cost >= (_STEPS_IN_HASTE if in_haste else self.steps):
                return self._furthest(box, ahead, back)

    def _good_way(self, box: Box, ahead: range, back: range, cost: int) -> tuple[Box, Box] | None:
        """Return the cut after the furthest long run of equal lines, if it is far enough."""
        a, b = self.a, self.b
        a0, a1, b0, b1, _ = box
        best, at = 0, (0, 0)
        for d in ahead:
            i = self.forward[d]
            j = i - d
            far = (i - a0) + (j - b0) - abs(d - (a0 - b0))
            if (
                far > _GOOD * cost and far > best
                and a0 + _SNAKE <= i < a1 and b0 + _SNAKE <= j < b1
                and a[i - _SNAKE : i] == b[j - _SNAKE : j]
            ):  # fmt: skip
                best, at = far, (i, j)
        if best:
            return _cut(box, *at, True, False)
        for d in back:
            i = self.backward[d]
            j = i - d
            far = (a1 - i) + (b1 - j) - abs(d - (a1 - b1))
            if (
                far > _GOOD * cost and far > best
                and a0 < i <= a1 - _SNAKE and b0 < j <= b1 - _SNAKE
                and a[i : i + _SNAKE] == b[j : j + _SNAKE]
            ):  # fmt: skip
                best, at = far, (i, j)
        return _cut(box, *at, False, True) if best else None

    def _furthest(self, box: Box, ahead: range, back: range) -> tuple[Box, Box]:
        """Return the cut at the point furthest from one of the ends."""
        a0, a1, b0, b1, _ = box
        far, at = -1, 0
        for d in ahead:
            i = min(self.forward[d], a1)
            if i - d > b1:
                i = b1 + d
            if far < 2 * i - d:
                far, at = 2 * i - d, i
        near, at_back = _FAR, 0
        for d in back:
            i = max(a0, self.backward[d])
            if i - d < b0:
                i = b0 + d
            if 2 * i - d < near:
                near, at_back = 2 * i - d, i
        if (a1 + b1) - near < far - (a0 + b0):
            return _cut(box, at, far - at, True, False)
        return _cut(box, at_back, near - at_back, False, True)


def _cut(box: Box, i: int, j: int, first: bool, second: bool) -> tuple[Box, Box]:
    return Box(box.a0, i, box.b0, j, first), Box(i, box.a1, j, box.b1, second)
