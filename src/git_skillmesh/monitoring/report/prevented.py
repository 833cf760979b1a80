"""What learnings held back: findings in this clone, excuses in the code, a replay of the past.

In: a repository, a commit. Out: `Excuse`s that stand in its files, and `Estimate`s of the learnings
that are looked for.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import SkillmeshError
from ...gate.backtest import Tried, backtest
from ...gate.matchers.model import TextFile
from ...gate.past import Window
from ...gate.suppress import ignores
from ...git.blame import blame
from ...git.objects import BlobReader
from ...git.repository import Repository
from ...git.trees import list_tree
from ...learnings.files import learnings_at
from ...learnings.model import Learning

# Files with excuses that are read, and excuses that are told.
_MOST_FILES, MOST_EXCUSES = 500, 100
# Commits that learnings are held against.
COMMITS = 500
Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class Excuse:
    """A comment that excuses findings; `time` is when its line came, in seconds of the epoch."""

    path: str
    line: int
    learnings: tuple[str, ...]
    reason: str
    time: int
    author: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A learning that is looked for, and what a replay says of it; None where it could not be."""

    learning: Learning
    tried: Tried | None


def excuses_in(repository: Repository, at: str) -> tuple[tuple[Excuse, ...], int]:
    """Return the excuses of a commit that have a reason, and how many there are in all."""
    blobs = list_tree(repository, at)
    out = repository.git.run_unchecked(
        "grep", "--no-color", "-l", "-z", "-I", "-F", "-e", "skillmesh:", at, "--"
    ).stdout
    names = [os.fsdecode(name) for name in out.split(b"\0") if name]
    paths = [name.removeprefix(f"{at}:") for name in names][:_MOST_FILES]
    found: list[Excuse] = []
    count = 0
    with BlobReader(repository) as reader:
        for path in paths:
            data = reader.read(blobs[path]) if path in blobs else None
            for one in ignores(TextFile(path, data)) if data is not None else ():
                if not one.reason:
                    continue
                count += 1
                if len(found) < MOST_EXCUSES:
                    time, author = _when(repository, path, one.line, at)
                    found.append(Excuse(path, one.line, one.ids, one.reason, time, author))
    return tuple(found), count


def _when(repository: Repository, path: str, line: int, at: str) -> tuple[int, str]:
    try:
        (told,) = blame(repository, path, [f"{line},{line}"], at)
    except (SkillmeshError, ValueError):
        return 0, ""
    return told.commit.time, told.commit.author


def enforced_at(repository: Repository, at: str) -> dict[str, Learning]:
    """Return the learnings that the gate looks for, by id."""
    return {
        name: read.learning
        for name, read in learnings_at(repository, at).items()
        if read.learning is not None and read.learning.state.enforced
    }


def estimates_of(
    repository: Repository, learnings: Mapping[str, Learning], at: str, *, replay: bool = True,
    progress: Progress = None,
) -> tuple[Estimate, ...]:  # fmt: skip
    """Hold learnings against the last commits, each by itself: a broken one spoils no other."""
    listed = list(learnings.values())
    if not replay or not listed:
        return tuple(Estimate(one, None) for one in listed)
    window = Window(at, count=COMMITS)
    try:
        tried = backtest(repository, listed, window, progress=progress)
        return tuple(Estimate(one.learning, one) for one in tried)
    except SkillmeshError:
        return tuple(Estimate(one, _alone(repository, one, window)) for one in listed)


def _alone(repository: Repository, learning: Learning, window: Window) -> Tried | None:
    try:
        (tried,) = backtest(repository, [learning], window)
    except SkillmeshError:
        return None
    return tried
