"""When lines of a branch were born and when they died, followed forward commit by commit.

In: the commits of the first-parent line and what each changed, and whose the lines are. Out:
`Lives`. A change of white space is none (git compares without it), a file that was renamed keeps
its lines, and a line that a commit takes away in one place and puts in another has moved: it is
neither dead nor new. Pure.
"""

from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import NamedTuple

from ...git.diffs import CommitChange, FileChange, Hunk

# A line that was there before, or is not counted.
OLD = -1


class Origin(NamedTuple):
    """Lines that one owner brought with one commit of the branch; "" is nobody who is known.

    `place` counts the commits of the branch from the first one that is followed.
    """

    place: int
    owner: str
    folder: str


class Lines(NamedTuple):
    """The origin of each line of a file; of an `old` one, lines beyond the last are `OLD`."""

    origins: "array[int]"
    old: bool


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
    files: dict[str, Lines] = field(default_factory=dict)
    _numbers: dict[Origin, int] = field(default_factory=dict)

    def follow(self, change: CommitChange, time: int, owners: Owners, digest: "Digest") -> None:
        """Take in what a commit of the branch did; `time` must not be before the last one."""
        place = len(self.times)
        self.times.append(time)
        edits = [_Edit(file, self._lines(file)) for file in change.files]
        gone: defaultdict[str, deque[int]] = defaultdict(deque)
        lost: Counter[int] = Counter()
        for edit in edits:
            for number, text in edit.removed():
                lost[number] += 1
                if name := digest(text):
                    gone[name].append(number)
        for edit in edits:
            edit.replace(
                self._fresh(edit.file, owners(change, edit.file), place, gone, lost, digest)
            )
        for number, count in lost.items():
            if number != OLD and count:
                self.died[number, place] += count
        for edit in edits:
            self.files.pop(edit.file.old_path, None)
        for edit in edits:
            if edit.file.new_path:
                self.files[edit.file.new_path] = edit.lines

    def _fresh(
        self, file: FileChange, mine: Mapping[int, str | None], place: int,
        gone: Mapping[str, deque[int]], lost: Counter[int], digest: "Digest",
    ) -> dict[int, int]:  # fmt: skip
        """Return line → origin of the added lines that count: they have moved, or are new."""
        fresh: dict[int, int] = {}
        if not gone and not mine:
            return fresh
        folder = _folder(file.path)
        born: dict[str, int] = {}
        for line, text in file.added.items():
            owner = mine.get(line)
            if owner is None and not gone:
                continue
            name = digest(text)
            if not name:
                continue
            if moved := gone.get(name):
                fresh[line] = number = moved.popleft()
                lost[number] -= 1
            elif owner is not None:
                if owner not in born:
                    born[owner] = self._number(Origin(place, owner, folder))
                fresh[line] = number = born[owner]
                self.born[number] += 1
        return fresh

    def _lines(self, file: FileChange) -> Lines:
        if not file.old_path:
            return Lines(array("q"), old=False)
        return self.files.get(file.old_path, Lines(array("q"), old=True))

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

    def __init__(self, file: FileChange, lines: Lines) -> None:
        self.file = file
        self.lines = lines
        self._hunks = sorted(file.hunks, key=lambda hunk: hunk.new)

    def removed(self) -> Iterable[tuple[int, bytes]]:
        """Yield the origin and the text of the lines that go away."""
        for hunk in self._hunks:
            if hunk.removed:
                some = self.lines.origins[hunk.old - 1 : hunk.old - 1 + len(hunk.removed)]
                yield from zip(chain(some, repeat(OLD)), hunk.removed, strict=False)

    def replace(self, fresh: Mapping[int, int]) -> None:
        """Put the lines of the new file in place; `fresh` are origins of added ones that count."""
        if self.file.new_path and not self.file.hunks:
            if self.file.old_blob != self.file.new_blob and not self.file.old_blob:
                self.lines = Lines(array("q"), old=False)
            return
        before, made, at = self.lines.origins, array("q"), 0
        for hunk in self._hunks:
            until = _before(hunk)
            made += before[at:until]
            if self.lines.old and until > len(before):
                made.extend([OLD] * (until - max(at, len(before))))
            at = max(at, until) + len(hunk.removed)
            made.extend([fresh.get(hunk.new + n, OLD) for n in range(len(hunk.added))])
        made += before[at:]
        self.lines = Lines(made, self.lines.old)


def _before(hunk: Hunk) -> int:
    """Return how many lines of the old file stand before a hunk."""
    return hunk.old - 1 if hunk.removed else hunk.old


def _folder(path: str) -> str:
    return path.partition("/")[0] if "/" in path else ""
