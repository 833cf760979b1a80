"""Lines followed through random histories, compared with what each line says of itself."""

import difflib
import random
from collections import Counter
from collections.abc import Mapping

import pytest

from git_skillmesh.git.diffs import CommitChange, FileChange, Hunk
from git_skillmesh.monitoring.report.lives import Lives
from git_skillmesh.training.rewards.facts import digest

Files = dict[str, list[str]]


def hunks(old: list[str], new: list[str]) -> tuple[Hunk, ...]:
    found = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            removed = tuple(line.encode() for line in old[a:b])
            added = tuple(line.encode() for line in new[c:d])
            found.append(Hunk(a + bool(removed), removed, c + bool(added), added))
    return tuple(found)


def change(number: int, before: Files, after: Files, renames: Mapping[str, str]) -> CommitChange:
    files = []
    for path in sorted(before.keys() | after.keys()):
        new = renames.get(path, path if path in after else "")
        if path not in before and path in renames.values():
            continue
        old = path if path in before else ""
        lines = before.get(path, []), after.get(new, [])
        if lines[0] != lines[1] or old != new:
            blobs = ("1" * 40 if old else ""), ("2" * 40 if new else "")
            files.append(FileChange(old, new, *blobs, hunks(*lines)))
    return CommitChange(f"{number:040}", (), 0, 0, "", tuple(files))


class History:
    """Files in which every line names the commit that made it; some are moved or renamed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files: Files = {"old.py": [f"line of old, number {n}" for n in range(30)]}
        self.count = 0

    def step(self, number: int) -> CommitChange:
        before = {path: list(lines) for path, lines in self.files.items()}
        renames: dict[str, str] = {}
        for _ in range(self.random.randint(1, 4)):
            path = self.random.choice(sorted(self.files) or [""])
            what = self.random.choice(["edit", "edit", "edit", "add", "move", "delete"])
            if what == "add" or not path:
                self.files[f"new{self.count}.py"] = [self.line(number) for _ in range(8)]
            elif what == "delete" and path not in renames.values() and len(self.files) > 1:
                del self.files[path]
            elif what == "move":
                other = self.random.choice(sorted(self.files))
                at = self.random.randrange(len(self.files[path]) + 1)
                taken, self.files[path][at : at + 3] = self.files[path][at : at + 3], []
                self.files[other] += taken
            else:
                self.edit(self.files[path], number)
        if self.random.random() < 0.2:
            path = self.random.choice(sorted(before))
            if path in self.files:
                renames[path] = f"renamed{number}.py"
                self.files[renames[path]] = self.files.pop(path)
        return change(number, before, self.files, renames)

    def edit(self, lines: list[str], number: int) -> None:
        at = self.random.randrange(len(lines) + 1)
        gone = self.random.randint(0, 4)
        lines[at : at + gone] = [self.line(number) for _ in range(self.random.randint(0, 5))]

    def line(self, number: int) -> str:
        self.count += 1
        owner = self.random.choice(["session-a", "session-b", ""])
        return f"{number} {owner or 'nobody'} unique{self.count}"


def owner_of(text: bytes) -> str:
    name = text.split()[1].decode()
    return "" if name == "nobody" else name


def owners(_: CommitChange, file: FileChange) -> dict[int, str | None]:
    return {line: owner_of(text) for line, text in file.added.items()}


@pytest.mark.parametrize("seed", range(16))
def test_lines_are_followed_as_they_say_themselves(seed: int) -> None:
    history, lives = History(seed), Lives()
    for number in range(25):
        lives.follow(history.step(number), number * 10, owners, digest)
        counted: Counter[tuple[int, str]] = Counter()
        for origin, count in lives.alive().items():
            one = lives.origins[origin]
            counted[one.place, one.owner] += count
        texts = [text for lines in history.files.values() for text in lines]
        mine = [text.split() for text in texts if not text.startswith("line of old")]
        true = Counter((int(words[0]), "" if words[1] == "nobody" else words[1]) for words in mine)
        assert +counted == true
    for path, lines in lives.files.items():
        assert len(lines.origins) <= len(history.files[path])
        assert lines.old or len(lines.origins) == len(history.files[path])


def test_a_line_that_says_little_or_is_not_counted_has_no_life() -> None:
    lives = Lives()
    made = change(0, {}, {"a.py": ["}", "a line that is counted", "one that is not"]}, {})
    lives.follow(made, 5, lambda *_: {1: "s", 2: "s", 3: None}, digest)
    assert [(one, lives.born[n]) for n, one in enumerate(lives.origins)] == [((0, "s", ""), 1)]


def test_a_death_is_dated() -> None:
    lives = Lives()
    lines = [f"line number {n} of it" for n in range(4)]
    lives.follow(
        change(0, {}, {"src/a.py": lines}, {}),
        100,
        lambda *_: dict.fromkeys(range(1, 5), "s"),
        digest,
    )
    after = {"src/a.py": [lines[0], lines[3]]}
    lives.follow(change(1, {"src/a.py": lines}, after, {}), 200, owners, digest)
    assert lives.origins[0] == (0, "s", "src")
    assert (lives.born, lives.died, lives.times) == ({0: 4}, {(0, 1): 2}, [100, 200])
