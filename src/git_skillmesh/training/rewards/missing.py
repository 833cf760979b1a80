"""Of which exchanges it is known that nothing of them was ever committed.

In: facts, links, a history. Out: exchange → True. Only code counts: plans and notes often are not
meant to be committed, and neither are files that git is told to leave alone. Where most lines came
into a file of the same name (another worktree, another path), a link is missing and not the work.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Protocol

from ...git.ignored import ignored
from ...git.repository import Repository
from ...learnings.analysis_changes import is_code
from ..model import Pair
from .facts import Facts, seconds_of
from .history import History, base_of
from .lines import Links

_DAY = 86_400
# Days before and after the end of an exchange in which somebody's work has to be linked.
BEFORE, AFTER = 3, 14
_LEAST_WRITTEN = 3  # telling lines that should have come into a commit
_PRESENT = 0.5


class Age(Protocol):
    """When work is old enough."""

    @property
    def commits(self) -> int:
        """So many commits of the first-parent line later."""

    @property
    def days(self) -> float:
        """And so many days."""


def missing(
    repository: Repository, history: History, links: Links, facts: Mapping[Pair, Facts], age: Age
) -> dict[Pair, bool]:
    """Return exchange → True for those of `facts` of which nothing was committed for certain."""
    linked = sorted(history.commits[oid].time for oid in links.telling if oid in history.commits)
    suspects: dict[Pair, dict[str, list[str]]] = {}
    for pair, one in facts.items():
        code = code_of(one)
        when = seconds_of(one.ended)
        if pair in links.of or sum(map(len, code.values())) < _LEAST_WRITTEN or not when:
            continue
        if has_few_after(history, when, age):
            continue
        place = bisect_left(linked, when - BEFORE * _DAY)
        if place == len(linked) or linked[place] > when + AFTER * _DAY:
            continue  # nobody's work was linked then
        suspects[pair] = code
    left_alone = ignored(repository, {path for code in suspects.values() for path in code})
    came = _came(history, {base_of(path) for code in suspects.values() for path in code})
    return {
        pair: True
        for pair, code in suspects.items()
        if not code.keys() <= left_alone and not _is_there(code, came)
    }


def code_of(facts: Facts) -> dict[str, list[str]]:
    """Return what an exchange wrote into programs whose names were not redacted."""
    return {
        path: names
        for path, names in facts.written.items()
        if is_code(path) and "REDACTED" not in path
    }


def has_few_after(history: History, when: float, age: Age) -> bool:
    """Whether too few commits or days have passed since a time."""
    later = history.commits_after(when)
    return later < age.commits or history.tip.time - when < age.days * _DAY


def _came(history: History, names: Collection[str]) -> dict[str, set[str]]:
    """Return name of a file → digests of all lines that commits ever added to such files."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for files in history.changes.values():
        for file in files:
            if (base := base_of(file.new_path)) in names:
                found[base] |= file.added
    return found


def _is_there(code: Mapping[str, list[str]], came: Mapping[str, set[str]]) -> bool:
    """Whether most of the lines that were written came into files of the same names."""
    lines = [(path, name) for path, names in code.items() for name in names]
    there = sum(name in came.get(base_of(path), ()) for path, name in lines)
    return there >= _PRESENT * len(lines)
