"""When lines of a branch were born and when they died, followed forward commit by commit.

In: the commits of the first-parent line and what each changed, and whose the lines are. Out:
`Lives`. A change of white space is none (git compares without it), a file that was renamed keeps
its lines, and a line that a commit takes away in one place and puts in another has moved: it is
neither dead nor new. Pure.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...git.diffs import CommitChange, FileChange, Hunk

# A line that was there before, or is not counted.
OLD = -1
_END = 1 << 60  # lines of a file that nobody has looked into


class Origin(NamedTuple):
    """Lines that one owner brought with one commit of the branch; "" is nobody who is known.

    `place` counts the commits of the branch from the first one that is followed.
    """

    place: int
    owner: str
    folder: str


# Runs of lines: how many, and the number of their origin.
Runs = list[tuple[int, int]]
# Commit, file → line of the new file → its owner; None for one that is not counted.
Owners = Callable[[CommitChange, FileChange], Mapping[int, str | None]]


@dataclass(slots=True)
class Lives:
    """`times` of the commits of the branch; `born` and `died` count lines by origin.

    `died` has (origin, place of the commit that took them) → lines.
    """

    times: list[int] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    born: Counter[int] = field(default_factory=Counter)
    died: Counter[tuple[int, int]] = field(default_factory=Counter)
    files: dict[str, Runs] = field(default_factory=dict)
    _numbers: dict[Origin, int] = field(default_factory=dict)

    def follow(self, change: CommitChange, time: int, owners: Owners, digest: "Digest") -> None:
        """Take in what a commit of the branch did; `time` must not be before the last one."""
        place = len(self.times)
        self.times.append(time)
        edits = [_Edit(file, self._runs(file)) for file in change.files]
        gone: defaultdict[str, deque[int]] = defaultdict(deque)
        lost: Counter[int] = Counter()
        for edit in edits:
            for number, text in edit.removed():
                lost[number] += 1
                if name := digest(text):
                    gone[name].append(number)
        for edit in edits:
            mine = owners(change, edit.file)
            fresh = {}
            for line, text in edit.file.added.items():
                name = digest(text)
                if name and gone[name]:
                    fresh[line] = moved = gone[name].popleft()
                    lost[moved] -= 1
                    continue
                owner = mine.get(line)
                if name and owner is not None:
                    fresh[line] = self._number(Origin(place, owner, _folder(edit.file.path)))
                    self.born[fresh[line]] += 1
            edit.replace(fresh)
        for number, count in lost.items():
            if number != OLD and count:
                self.died[number, place] += count
        for edit in edits:
            self.files.pop(edit.file.old_path, None)
        for edit in edits:
            if edit.file.new_path:
                self.files[edit.file.new_path] = edit.runs

    def _runs(self, file: FileChange) -> Runs:
        if not file.old_path:
            return []
        return list(self.files.get(file.old_path, [(_END, OLD)]))

    def _number(self, origin: Origin) -> int:
        if origin not in self._numbers:
            self._numbers[origin] = len(self.origins)
            self.origins.append(origin)
        return self._numbers[origin]

    def alive(self) -> Counter[int]:
        """Return origin → lines that stand at the end."""
        found = Counter(self.born)
        for (number, _), count in self.died.items():
            found[number] -= count
        return found


Digest = Callable[[bytes], str]


class _Edit:
    """One file of a commit, and the origins of its lines before and after."""

    def __init__(self, file: FileChange, runs: Runs) -> None:
        self.file = file
        self.runs = runs
        self._hunks = sorted(file.hunks, key=lambda hunk: hunk.new)

    def removed(self) -> Iterable[tuple[int, bytes]]:
        """Yield the origin and the text of the lines that go away."""
        walk = _Walk(self.runs)
        for hunk in self._hunks:
            if hunk.removed:
                walk.skip_to(hunk.old - 1)
                yield from zip(walk.take(len(hunk.removed)), hunk.removed, strict=False)

    def replace(self, fresh: Mapping[int, int]) -> None:
        """Put the lines of the new file in place; `fresh` are origins of added ones that count."""
        if self.file.new_path and not self.file.hunks:
            if self.file.old_blob != self.file.new_blob and not self.file.old_blob:
                self.runs = []
            return
        walk, made = _Walk(self.runs), _Made()
        for hunk in self._hunks:
            made.join(walk.runs_to(_before(hunk)))
            walk.take(len(hunk.removed))
            for n in range(len(hunk.added)):
                made.add(1, fresh.get(hunk.new + n, OLD))
        made.join(walk.runs_to(_END))
        self.runs = made.runs


def _before(hunk: Hunk) -> int:
    """Return how many lines of the old file stand before a hunk."""
    return hunk.old - 1 if hunk.removed else hunk.old


class _Walk:
    """Goes through runs once."""

    def __init__(self, runs: Runs) -> None:
        self._runs = deque(runs)
        self._at = 0

    def runs_to(self, line: int) -> Runs:
        """Return the runs up to the line with this number, counted from 0."""
        found: Runs = []
        while self._at < line and self._runs:
            count, number = self._runs.popleft()
            took = min(count, line - self._at)
            found.append((took, number))
            self._at += took
            if count > took:
                self._runs.appendleft((count - took, number))
        return found

    def skip_to(self, line: int) -> None:
        """Go on to a line."""
        self.runs_to(line)

    def take(self, count: int) -> list[int]:
        """Return the origins of the next lines."""
        taken = [number for many, number in self.runs_to(self._at + count) for _ in range(many)]
        return taken + [OLD] * (count - len(taken))


class _Made:
    """Runs in the making: neighbours of the same origin are one."""

    def __init__(self) -> None:
        self.runs: Runs = []

    def add(self, count: int, number: int) -> None:
        """Add lines."""
        if self.runs and self.runs[-1][1] == number:
            self.runs[-1] = (self.runs[-1][0] + count, number)
        elif count:
            self.runs.append((count, number))

    def join(self, runs: Runs) -> None:
        """Add runs."""
        for count, number in runs:
            self.add(count, number)


def _folder(path: str) -> str:
    return path.partition("/")[0] if "/" in path else ""
