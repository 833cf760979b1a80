"""Where a thought belongs in its session: its number, its branch, whether it was told before.

In: the files of a session, a thought as somebody told it. Out: the thought as it is stored. Names
of files tell numbers and branches, so only the files that matter for one thought are read.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from ..errors import UsageError
from ..git.treeobjects import Entries
from ..sessions.layout import branch_key, thought_place
from .history import in_order, is_revision, versions
from .model import HIGHEST_NUMBER, Thought, just_after, now

Read = Callable[[Entries], Iterable[Thought]]
_MAIN = branch_key("")


class Drafted:
    """The session that thoughts are added to, one after the other."""

    def __init__(self, files: Entries, read: Read) -> None:
        self._read = read
        # Key of the branch → number → files.
        self._files: dict[str, dict[int, Entries]] = {}
        self._known: dict[tuple[str, int], list[Thought]] = {}
        for name, entry in files.items():
            place = thought_place(name)
            if place:
                number, branch = place
                self._files.setdefault(branch, {}).setdefault(number, {})[name] = entry

    @property
    def count(self) -> int:
        """How many thoughts there are, whatever was said again."""
        return sum(map(len, self._files.values()))

    @property
    def branches(self) -> tuple[str, ...]:
        """The names of the branches, the one that began first at the beginning."""
        firsts = [
            min(self._at(key, min(numbers)), key=lambda one: one.time)
            for key, numbers in self._files.items()
            if key != _MAIN and self._at(key, min(numbers))
        ]
        return tuple(one.branch for one in sorted(firsts, key=lambda one: (one.time, one.branch)))

    def take(self, thought: Thought) -> tuple[Thought, str]:
        """Return a thought as it is to be stored, and its fate: new, revision or known."""
        thought = self._placed(thought)
        key = branch_key(thought.branch)
        told = self._at(key, thought.number)
        known = self._told_before(thought, told)
        if known is not None:
            return known, "known"
        latest = max((one.time for one in told), default="")
        time = thought.time or max(now(), just_after(latest))
        thought = replace(thought, time=time)
        told.append(thought)
        self._files.setdefault(key, {}).setdefault(thought.number, {})
        said = versions(in_order(told))
        revision = max(one.revision for one in said if one.text == thought.text)
        return replace(thought, revision=revision), "revision" if revision else "new"

    def _at(self, branch: str, number: int) -> list[Thought]:
        """Return what was said under a number of a branch."""
        place = branch, number
        if place not in self._known:
            files = self._files.get(branch, {}).get(number, {})
            self._known[place] = list(self._read(files))
        return self._known[place]

    def _placed(self, thought: Thought) -> Thought:
        """Return a thought with its branch and its number."""
        branch, leaves = thought.branch, thought.branched_from
        if leaves and not branch:  # made of what is said, so that a repeated call gives the same
            digest = hashlib.sha256(thought.text.encode()).hexdigest()[:6]
            branch = f"from-{leaves}-{digest}"
        key = branch_key(branch)
        last = max(self._files.get(key, {}), default=0)
        if branch and not last and not leaves and not thought.number:
            leaves = max(self._files.get(_MAIN, {}), default=0)
        number = thought.number
        if not number and thought.revises:
            number = thought.revises
        if not number:
            again = last and any(one.text == thought.text for one in self._at(key, last))
            number = last if again else (last or leaves) + 1
        if number > HIGHEST_NUMBER:
            raise UsageError(f"there is no thought after {HIGHEST_NUMBER:,}", "begin a session")
        return replace(thought, branch=branch, branched_from=leaves, number=number)

    def _told_before(self, thought: Thought, told: list[Thought]) -> Thought | None:
        """Return the stored thought that this one repeats, None if it says something new."""
        said = versions(in_order(told))
        for one in told:
            if one.text == thought.text and one.time == thought.time:
                return _numbered(one, said)
        candidates = said[-1:] if is_revision(thought) else said
        for one in candidates:
            same = (one.text, one.needs_more) == (thought.text, thought.needs_more)
            if same and thought.total in (0, one.total) and thought.revises in (
                0, one.revises, thought.number,
            ):  # fmt: skip
                return one
        return None


def _numbered(thought: Thought, said: tuple[Thought, ...]) -> Thought:
    found = [one.revision for one in said if one.text == thought.text]
    return replace(thought, revision=max(found, default=0))
