"""Lines as linking compares them, and runs of lines that two texts have in common.

In: lines. Out: their normal form, how much each says, and which line of one text is which of the
other. The normal form leaves out what formatters change inside a line.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

_NO_WORD = re.compile(r"\W+")
_MOST = 40  # longer lines say no more than this
_KNOWN = 1 << 14  # the same lines are asked about again and again while a commit is linked
_PLACES = 12  # of a line that is repeated, so many places are tried


def split(text: str) -> list[str]:
    """Return the lines of a text as git counts them, without their ends."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def decode(line: bytes) -> str:
    """Return a line of a file as text; what is no UTF-8 becomes U+FFFD, as in transcripts."""
    return line.decode("utf-8", "replace").removesuffix("\r")


@lru_cache(maxsize=_KNOWN)
def normal(line: str) -> str:
    """Return a line without white space, with one kind of quotes, without a last comma."""
    return unify_quotes("".join(line.split())).rstrip(",;")


def unify_quotes(text: str) -> str:
    """Return a text with one kind of quotes."""
    return text.replace("'", '"').replace("`", '"')


@lru_cache(maxsize=_KNOWN)
def weight(normalised: str) -> int:
    """Return how much a line says: its letters, digits and underscores, 40 at most."""
    return min(len(_NO_WORD.sub("", normalised)), _MOST)


def key(normalised: str) -> int:
    """Return 64 bits that stand for a line."""
    data = normalised.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)


class Run(NamedTuple):
    """`length` lines from `left` in one text are those from `right` in the other."""

    weight: float
    left: int
    right: int
    length: int


def common_runs(
    left: Sequence[str | None],
    right: Sequence[str | None],
    anchors: Collection[int],
    weigh: Mapping[str, float],
    least: float,
) -> list[Run]:
    """Return the runs of equal lines that hold an anchor of `left`, the weightiest first.

    None is equal to nothing. No line of either text is in two runs. A run has to weigh `least`.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(right):
        if line:
            places[line].append(number)
    found: list[Run] = []
    done: dict[int, int] = {}
    for anchor in sorted(anchors):
        line = left[anchor]
        if not line:
            continue
        for place in places.get(line, ())[:_PLACES]:
            if done.get(anchor - place, -1) >= anchor:
                continue
            run = _around(left, right, anchor, place, weigh)
            done[anchor - place] = run.left + run.length - 1
            if run.weight >= least:
                found.append(run)
    return _disjoint(left, found, weigh, least)


def _around(
    left: Sequence[str | None], right: Sequence[str | None], anchor: int, place: int,
    weigh: Mapping[str, float],
) -> Run:  # fmt: skip
    first, last = 0, 1
    while anchor - first > 0 < place - first and _same(
        left[anchor - first - 1], right[place - first - 1]
    ):
        first += 1
    ends = min(len(left) - anchor, len(right) - place)
    while last < ends and _same(left[anchor + last], right[place + last]):
        last += 1
    start = anchor - first
    total = sum(weigh.get(line or "", 0) for line in left[start : anchor + last])
    return Run(total, start, place - first, first + last)


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and one == other


def _disjoint(
    left: Sequence[str | None], runs: list[Run], weigh: Mapping[str, float], least: float
) -> list[Run]:
    """Take the weightiest runs first and cut the others where they overlap."""
    used_left: set[int] = set()
    used_right: set[int] = set()
    kept: list[Run] = []
    for run in sorted(runs, key=lambda run: (-run.weight, run.left, run.right)):
        free = [
            n for n in range(run.length)
            if run.left + n not in used_left and run.right + n not in used_right
        ]  # fmt: skip
        for first, last in _stretches(free):
            lines = left[run.left + first : run.left + last + 1]
            total = sum(weigh.get(line or "", 0) for line in lines)
            if total < least:
                continue
            kept.append(Run(total, run.left + first, run.right + first, last - first + 1))
            used_left.update(range(run.left + first, run.left + last + 1))
            used_right.update(range(run.right + first, run.right + last + 1))
    return kept


def _stretches(numbers: list[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
