"""Lines that a commit only moves: they were removed elsewhere in the same commit.

In: a commit's change. Out: added line → the removed line that it is.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ...git.diffs import CommitChange
from .lines import common_runs, decode, normal, weight

_LEAST = 8.0
_MOST = 8


@dataclass(frozen=True, slots=True)
class Move:
    """An added line was line `line` of `path` in the parent; `exact`: with the same white space."""

    path: str
    line: int
    exact: bool


def moved_lines(change: CommitChange) -> list[dict[int, Move]]:
    """Return for each file of a commit: number of an added line → where it was."""
    sources = [
        (file.old_path, {number: decode(line) for number, line in file.removed.items()})
        for file in change.files
    ]
    holders: dict[str, set[int]] = defaultdict(set)
    for place, (_, lines) in enumerate(sources):
        for line in lines.values():
            holders[normal(line)].add(place)
    found: list[dict[int, Move]] = []
    used: set[tuple[str, int]] = set()
    for file in change.files:
        added = {number: decode(line) for number, line in file.added.items()}
        normals = {number: normal(line) for number, line in added.items()}
        # A line that many files lose comes from nowhere in particular.
        near = {
            place
            for line in set(normals.values())
            if weight(line) >= _LEAST and len(holders.get(line, ())) <= _MOST
            for place in holders.get(line, ())
        }
        places = sorted(near, key=lambda place: (sources[place][0] != file.old_path, place))
        found.append(_of_file(added, normals, [sources[place] for place in places], used))
    return found


def _of_file(
    added: Mapping[int, str], normals: Mapping[int, str],
    sources: list[tuple[str, dict[int, str]]], used: set[tuple[str, int]],
) -> dict[int, Move]:  # fmt: skip
    moves: dict[int, Move] = {}
    for path, removed in sources:  # its own old version first: what stays has not come from afar
        free = {n: line for n, line in removed.items() if (path, n) not in used}
        new = _spaced({n: line for n, line in normals.items() if n not in moves})
        old = _spaced({n: normal(line) for n, line in free.items()})
        left, right = [text for _, text in new], [text for _, text in old]
        anchors = [n for n, text in enumerate(left) if text]
        weigh = {text: float(weight(text)) for text in left if text}
        for run in common_runs(left, right, anchors, weigh, _LEAST):
            for n in range(run.length):
                number, line = new[run.left + n][0], old[run.right + n][0]
                moves[number] = Move(path, line, added[number] == free[line])
                used.add((path, line))
    return moves


def _spaced(lines: Mapping[int, str]) -> list[tuple[int, str | None]]:
    """Return numbered lines with a gap wherever the numbers have one."""
    found: list[tuple[int, str | None]] = []
    last = None
    for number in sorted(lines):
        if last is not None and number != last + 1:
            found.append((0, None))
        found.append((number, lines[number]))
        last = number
    return found
