"""Which exchange wrote which added lines of a file.

In: the lines of a file after a commit, which of them the commit added, and texts that exchanges
wrote. Out: for each line at most one claim: the recorded bytes first, then the latest.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ...git.diffs import Hunk
from .corpus import Candidate
from .lines import common_runs, decode, normal, unify_quotes, weight

LEAST = 12.0  # what a run of lines has to say before it speaks for anybody
_LEAST_LATER = 41.0  # two lines or more
_LEAST_REFLOWED = 16
_TELLING = 8
_LARGEST_HUNK = 200
_COMMAS = re.compile(r"[,;\s]+")


@dataclass(frozen=True, slots=True)
class Window:
    """Times in milliseconds: an edit counts from `since` to `until`.

    `authored` is when the commit was first made, `work` when the work on it can have begun.
    """

    since: int
    work: int
    authored: int
    until: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A writing claims a line. `exact`: with the same bytes; `weight`: what the run says."""

    writing: Candidate
    exact: bool
    weight: float
    prompt: bool

    @property
    def rank(self) -> tuple[bool, bool, int, float]:
        """What makes one claim better than another.

        What was written before the commit was first made outdoes what came until it was amended;
        then the surviving form of the line counts, then the latest.
        """
        return self.prompt, self.exact, self.writing.at, self.weight


class FileLines:
    """A file after a commit, in the forms that lines are compared in."""

    def __init__(self, lines: Sequence[str | None], added: Collection[int]) -> None:
        self.lines = lines
        self.added = frozenset(added)
        self.normal = [None if line is None else normal(line) for line in lines]
        # What the file has beside the added lines.
        self.standing = {
            line
            for n, line in enumerate(self.normal)
            if line and n not in self.added and weight(line) >= _TELLING
        }


def weights(file: FileLines, files_with: Callable[[str], int]) -> dict[str, float]:
    """Return what each line of a file says: less, the more files hold it."""
    found: dict[str, float] = {}
    for number, line in enumerate(file.normal):
        if line and line not in found:
            rare = 1.0
            if number in file.added:
                rare = min(1.0, 3.0 / max(files_with(line), 1))
            found[line] = weight(line) * rare
    return found


def claims(
    file: FileLines,
    candidates: Iterable[Candidate],
    weigh: Mapping[str, float],
    window: Window,
    *,
    strict: bool = False,
) -> dict[int, Claim]:
    """Return line (from 0) → the best claim to it. A line of context is nobody's."""
    found: dict[int, Claim] = {}
    for writing in candidates:
        after = [normal(line) for line in writing.after]
        for run in common_runs(file.normal, after, file.added, weigh, LEAST):
            lines = [
                run.left + n
                for n in range(run.length)
                if run.left + n in file.added and writing.new[run.right + n]
            ]
            if _is_late(writing, window, strict):
                lines = _still_new(file, lines, weigh)
            for line in lines:
                exact = file.lines[line] == writing.after[line - run.left + run.right]
                claim = Claim(writing, exact, run.weight, writing.at <= window.authored)
                if line not in found or claim.rank > found[line].rank:
                    found[line] = claim
    return without_remains(file, found, weigh, window, strict=strict)


def without_remains(
    file: FileLines, found: dict[int, Claim], weigh: Mapping[str, float], window: Window, *,
    strict: bool,
) -> dict[int, Claim]:  # fmt: skip
    """Leave out what is left of older edits where better claims took the lines that speak."""
    said: dict[int, float] = defaultdict(float)
    for line, claim in found.items():
        said[claim.writing.id] += weigh.get(file.normal[line] or "", 0)
    return {
        line: claim
        for line, claim in found.items()
        if said[claim.writing.id] >= _LEAST_LATER or not _is_late(claim.writing, window, strict)
    }


def _is_late(writing: Candidate, window: Window, strict: bool) -> bool:
    return strict or writing.at < window.work or writing.is_elsewhere


def _still_new(file: FileLines, lines: list[int], weigh: Mapping[str, float]) -> list[int]:
    """Return what an edit may claim that came before the parent commit, or of another folder.

    It is likely to be in the parent already. So the lines themselves have to say enough, and one
    that stands elsewhere in the file too is that one, and this is a copy.
    """
    own = [line for line in lines if (file.normal[line] or "") not in file.standing]
    if sum(weigh.get(file.normal[line] or "", 0) for line in own) < _LEAST_LATER:
        return []
    # A line that says little goes with its neighbours.
    telling = {line for line in own if weight(file.normal[line] or "") >= _TELLING}
    kept = [stretch for stretch in _stretches(own) if telling.intersection(stretch)]
    return [line for stretch in kept for line in stretch]


def replayed(
    hunks: Iterable[Hunk], free: Collection[int], candidates: Iterable[Candidate], window: Window
) -> dict[int, Claim]:
    """Return claims to lines of which an edit replaced a part.

    The recorded edits are done once more, in order, to what was removed; where that gives what was
    added, each has what it touched.
    """
    edits = sorted(
        (
            writing
            for writing in candidates
            if writing.replaced and window.work <= writing.at and not writing.is_elsewhere
        ),
        key=lambda writing: writing.at,
    )
    found: dict[int, Claim] = {}
    for hunk in hunks if edits else ():
        if not hunk.removed or not hunk.added or len(hunk.removed) > _LARGEST_HUNK:
            continue
        removed, added = ([decode(line) for line in side] for side in (hunk.removed, hunk.added))
        text = "\n".join(removed)
        by: list[Candidate | None] = [None] * len(removed)
        for edit in edits:
            old, new = (_unix(part) for part in (edit.replaced, edit.replacement))
            if old == new or text.count(old) != 1:
                continue
            before, _, after = text.partition(old)
            start, end = before.count("\n"), before.count("\n") + old.count("\n")
            by[start : end + 1] = [edit] * (new.count("\n") + 1)
            text = before + new + after
        if text == "\n".join(added):
            for n, writing in enumerate(by):
                place = hunk.new - 1 + n
                if writing is not None and place in free and added[n] not in removed:
                    said = float(weight(normal(added[n])) + weight(normal(writing.replaced)))
                    prompt = writing.at <= window.authored
                    found[place] = Claim(writing, True, max(said, LEAST), prompt)
    return found


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def reflowed(
    file: FileLines, free: Collection[int], candidates: Iterable[Candidate], window: Window
) -> dict[int, Claim]:
    """Return claims to lines that are whole lines of a writing, but broken elsewhere.

    A run of added lines, joined, has to be a run of written lines, joined: a line that somebody
    has shortened is not it.
    """
    found: dict[int, Claim] = {}
    stretches = _stretches(free)
    recent = (
        writing for writing in candidates if writing.at >= window.work and not writing.is_elsewhere
    )
    for writing in sorted(recent, key=lambda writing: -writing.at):
        parts = [_solid(line) for line in writing.after]
        ends = list(accumulate(len(part) for part in parts))
        starts = {
            end - len(part): n
            for n, (end, part) in enumerate(zip(ends, parts, strict=True))
            if part
        }
        stops = {end: n for n, (end, part) in enumerate(zip(ends, parts, strict=True)) if part}
        text = "".join(parts)
        for stretch in stretches:
            _match(file, stretch, text, starts, stops, writing, window, found)
    return found


def _match(
    file: FileLines, stretch: list[int], text: str, starts: Mapping[int, int],
    stops: Mapping[int, int], writing: Candidate, window: Window, found: dict[int, Claim],
) -> None:  # fmt: skip
    index = 0
    while index < len(stretch):
        size = _longest(file, stretch, index, text, starts, stops, writing)
        for line in stretch[index : index + size]:
            total = sum(weight(file.normal[n] or "") for n in stretch[index : index + size])
            found.setdefault(line, Claim(writing, False, total, writing.at <= window.authored))
        index += max(size, 1)


def _longest(
    file: FileLines, stretch: list[int], index: int, text: str, starts: Mapping[int, int],
    stops: Mapping[int, int], writing: Candidate,
) -> int:  # fmt: skip
    """Return how many lines from `index` on are whole lines of the writing, joined."""
    first = _solid(file.lines[stretch[index]] or "")
    best = 0
    place = text.find(first) if first else -1
    while place >= 0:
        if place in starts:
            end, said = place, 0
            for size, number in enumerate(stretch[index:], 1):
                part = _solid(file.lines[number] or "")
                if not text.startswith(part, end):
                    break
                end += len(part)
                said += weight(part)
                if end in stops and said >= _LEAST_REFLOWED and size > best:
                    covered = range(starts[place], stops[end] + 1)
                    if any(writing.new[line] for line in covered):
                        best = size
        place = text.find(first, place + 1)
    return best


def _solid(line: str) -> str:
    return unify_quotes(_COMMAS.sub("", line))


def _stretches(numbers: Iterable[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][-1] == number - 1:
            found[-1].append(number)
        else:
            found.append([number])
    return found
