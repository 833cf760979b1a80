"""Which lines of a new version of a text are lines of the old one.

In: lines of two versions. Out: new line → the old lines it is made of. A line is the same when it
is equal, or when only white space changed, and when it stands in the same order among its
neighbours. Lines that say little, a brace or a blank line, count only beside one that says more.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

Matched = dict[int, tuple[int, ...]]
_WORD = re.compile(rb"[0-9A-Za-z_\x80-\xff]")
_TELLING = 6  # letters and digits of a line that says something
_LARGEST_GAP = 250_000  # lines times lines that are compared without unique lines between them


def squeezed(line: bytes) -> bytes:
    """Return a line without white space."""
    return b"".join(line.split())


def telling(line: bytes, letters: int = _TELLING) -> bool:
    """Whether a line holds so many letters and digits."""
    return len(_WORD.findall(line)) >= letters


def same_lines(old: Sequence[bytes], new: Sequence[bytes]) -> Matched:
    """Return new → old lines, counted from 0, ascending."""
    found: Matched = {n: (o,) for o, n in _aligned(old, new)}
    for olds, news in _gaps(found, len(old), len(new)):
        left, right = [squeezed(old[o]) for o in olds], [squeezed(new[n]) for n in news]
        close = [(o, n) for o, n in _aligned(left, right) if left[o]]
        found.update({news[n]: (olds[o],) for o, n in close})
        if not close and b"".join(left) == b"".join(right):
            found.update(_rewrapped(olds, left, news, right))
    return _anchored(dict(sorted(found.items())), new)


def _gaps(found: Matched, olds: int, news: int) -> list[tuple[range, range]]:
    """Return what lies between matched lines, where there is something on both sides."""
    ends = [(-1, -1), *((o[-1], n) for n, o in sorted(found.items())), (olds, news)]
    between = [(range(a + 1, c), range(b + 1, d)) for (a, b), (c, d) in pairwise(ends)]
    return [(left, right) for left, right in between if left and right]


def _rewrapped(
    olds: range, left: Sequence[bytes], news: range, right: Sequence[bytes]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield new → old lines where the same characters were broken into lines anew."""
    owner = [o for o, text in zip(olds, left, strict=True) for _ in text]
    at = 0
    for n, text in zip(news, right, strict=True):
        if text:
            yield n, tuple(sorted(set(owner[at : at + len(text)])))
        at += len(text)


def _anchored(found: Matched, new: Sequence[bytes]) -> Matched:
    """Leave out runs of matched lines in which no line says anything."""
    kept: Matched = {}
    run: list[int] = []
    for n in [*found, -1]:
        if run and (n != run[-1] + 1 or found[n][0] - found[run[-1]][-1] not in (0, 1)):
            if any(telling(new[each]) for each in run):
                kept.update({each: found[each] for each in run})
            run = []
        run.append(n)
    return kept


def _aligned(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return pairs of equal lines in order: patience first, then the longest blocks."""
    pairs: list[tuple[int, int]] = []
    todo = [(0, len(old), 0, len(new))]
    while todo:
        a, b, c, d = todo.pop()
        while a < b and c < d and old[a] == new[c]:
            pairs.append((a, c))
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
            pairs.append((b, d))
        if a == b or c == d:
            continue
        anchors = _longest_rising(_unique_in_both(old, new, (a, b, c, d)))
        if anchors:
            ends = [*anchors, (b, d)]
            pairs += anchors
            todo.append((a, ends[0][0], c, ends[0][1]))
            todo += [(o + 1, p, n + 1, q) for (o, n), (p, q) in pairwise(ends)]
        elif (b - a) * (d - c) <= _LARGEST_GAP:
            matcher = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False)
            for o, n, size in matcher.get_matching_blocks():
                pairs += [(a + o + step, c + n + step) for step in range(size)]
    return sorted(pairs)


def _unique_in_both(
    old: Sequence[bytes], new: Sequence[bytes], bounds: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    a, b, c, d = bounds
    left, right = _places(old, a, b), _places(new, c, d)
    return [
        (o, right[line])
        for line, o in left.items()
        if o >= 0 and right.get(line, -1) >= 0
    ]  # fmt: skip


def _places(lines: Sequence[bytes], first: int, end: int) -> dict[bytes, int]:
    """Return line → its place, -1 for one that is there twice; in order."""
    found: dict[bytes, int] = {}
    for place in range(first, end):
        found[lines[place]] = -1 if lines[place] in found else place
    return found


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of pairs, ascending in old, that ascends in new too."""
    from bisect import bisect_left

    tops: list[int] = []  # the lowest end of a rising sequence of each length
    ends: list[int] = []
    before: list[int] = []
    for index, (_, new) in enumerate(pairs):
        length = bisect_left(tops, new)
        before.append(ends[length - 1] if length else -1)
        if length == len(tops):
            tops.append(new)
            ends.append(index)
        else:
            tops[length], ends[length] = new, index
    chosen = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = before[index]
    return chosen[::-1]
