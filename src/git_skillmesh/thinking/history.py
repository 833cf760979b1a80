"""Thoughts put together: steps with their revisions, the main line, the branches.

In: the thoughts of a session, in any order, some perhaps told twice by two clones. Out: `History`,
a function of the set of them alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .model import ThinkingSession, Thought


@dataclass(frozen=True, slots=True)
class Step:
    """What was said under one number of a line, the oldest first."""

    number: int
    branch: str
    versions: tuple[Thought, ...]

    @property
    def latest(self) -> Thought:
        """What counts now."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True)
class Line:
    """The main line (name "") or a branch: where it left the main line (0: nowhere), its steps."""

    name: str
    branched_from: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A session. `lines` begin with the main line, if it has steps; `told` is all that is stored.

    `last` is what was said last.
    """

    session_id: str
    lines: tuple[Line, ...]
    told: tuple[Thought, ...]

    @property
    def last(self) -> Thought:
        """What was said last, on whatever line."""
        return self.told[-1]

    @property
    def is_open(self) -> bool:
        """Whether a further thought is expected."""
        return self.last.needs_more

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, the main line first."""
        return tuple(step for line in self.lines for step in line.steps)

    @property
    def branches(self) -> tuple[str, ...]:
        """The names of the branches, the oldest first."""
        return tuple(line.name for line in self.lines if line.name)

    @property
    def revisions(self) -> int:
        """How often something was said again, in place or under a later number."""
        again = sum(len(step.versions) - 1 for step in self.steps)
        return again + sum(step.latest.revises not in (0, step.number) for step in self.steps)

    def step(self, number: int, branch: str = "") -> Step | None:
        """Return a step of a line, None if there is none."""
        found = (one for one in self.steps if (one.number, one.branch) == (number, branch))
        return next(found, None)

    def revised_by(self, step: Step) -> tuple[Step, ...]:
        """Return the steps that correct this one under a number of their own.

        Who revises on a branch means the branch's step, or that of the main line if it has none.
        """

        def is_meant(other: Step) -> bool:
            if other.latest.revises != step.number or other.number == step.number:
                return False
            own = self.step(step.number, other.branch)
            return other.branch == step.branch or (not step.branch and own is None)

        return tuple(other for other in self.steps if is_meant(other))

    def session(self) -> ThinkingSession:
        """Return what a list shows."""
        times = [thought.time for thought in self.told if thought.time]
        return ThinkingSession(
            self.session_id, len(self.steps), self.branches, self.revisions,
            min(times, default=""), max(times, default=""), self.is_open,
            self.steps[0].latest.text,
        )  # fmt: skip


def history(session_id: str, thoughts: Iterable[Thought]) -> History:
    """Return the history of a session that has at least one thought."""
    told = in_order(thoughts)
    groups: dict[tuple[str, int], list[Thought]] = {}
    for thought in told:
        groups.setdefault((thought.branch, thought.number), []).append(thought)
    names = dict.fromkeys(["", *(thought.branch for thought in told)])
    lines = []
    for name in names:
        numbers = sorted(number for branch, number in groups if branch == name)
        steps = tuple(Step(number, name, versions(groups[name, number])) for number in numbers)
        if steps:
            said = (one.branched_from for one in told if one.branch == name and one.branched_from)
            lines.append(Line(name, next(said, 0) if name else 0, steps))
    return History(session_id, tuple(lines), told)


def in_order(thoughts: Iterable[Thought]) -> tuple[Thought, ...]:
    """Return thoughts in the order in which they were told, the same in every clone."""
    return tuple(sorted(thoughts, key=_order))


def _order(one: Thought) -> tuple[object, ...]:
    return (
        one.time, one.number, one.branch, one.text, one.needs_more, one.total, one.branched_from,
        one.revises, one.author,
    )  # fmt: skip


def versions(said: Iterable[Thought]) -> tuple[Thought, ...]:
    """Return the revisions of one step, out of what was said of it, in order.

    The same text again is the same thought, told twice; what was said of it last (whether more is
    needed, how many there are) counts. Only who says that he revises comes back to an older text.
    """
    found: list[Thought] = []
    for thought in said:
        same = [n for n, one in enumerate(found) if one.text == thought.text]
        if same and (not is_revision(thought) or same[-1] == len(found) - 1):
            old = found[same[-1]]
            found[same[-1]] = replace(
                old, needs_more=thought.needs_more, total=thought.total or old.total
            )
        else:
            found.append(replace(thought, revision=len(found)))
    return tuple(found)


def is_revision(thought: Thought) -> bool:
    """Return whether somebody said of a thought that it revises what has its number."""
    return thought.revises == thought.number
