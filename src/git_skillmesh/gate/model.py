"""What a check finds, as plain data: every report is made of it.

In: nothing. Out: `Finding`, `Report` and their parts. Lines count from 1; text is as it stands in
the file, of strangers, and made harmless where it is shown.
"""

from dataclasses import dataclass
from enum import StrEnum

from ..errors import ExitCode
from ..learnings.model import Severity, State
from ..learnings.reading import Problem

# Findings about suppressions have no learning; these names are no ids of learnings.
UNUSED = "skillmesh:unused-ignore"
NO_REASON = "skillmesh:ignore-without-reason"


class FailOn(StrEnum):
    """From which findings on a check fails: of `block` learnings, of `warn` too, or never."""

    BLOCK = "block"
    WARN = "warn"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: first and last line, from 1; columns in characters, from 1.

    `line` is 0 where it is the whole file that is meant (a path rule) or no file (a message).
    `end_column` is that of the character after the last one.
    """

    path: str
    line: int = 0
    end_line: int = 0
    column: int = 0
    end_column: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that a learning is about, brought in by the change.

    `learning_id` is UNUSED or NO_REASON for a finding about a suppression. `message` says what is
    wrong in one line, `text` is the matched lines. `commit` is that of a message rule.
    `fingerprint` is the same on every machine and in every run, whatever lines move around it.
    """

    learning_id: str
    title: str
    message: str
    place: Place
    text: str
    severity: Severity
    state: State
    fingerprint: str
    fix: str = ""
    commit: str = ""

    @property
    def blocks(self) -> bool:
        """Whether it is one of a learning that may stop a merge."""
        return self.state is State.BLOCK


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a comment in the code excuses, with the reason that it gives."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A file, or a learning in a file, that was not looked at, and why; never passed in silence."""

    path: str
    why: str
    learning_id: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """A learning or conversation about the changed code: a note, never a failure.

    `kind` is "learning" or "conversation"; `id` that of the learning or exchange; `why` says what
    connects it ("made the lines 12-19 that this change replaces").
    """

    kind: str
    id: str
    title: str
    why: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class ChangedLearning:
    """A learning that the change adds, edits or removes, and what is to be said of it.

    `change` is "added", "edited" or "removed". `problems` come from reading it, from the rules for
    its state and from its examples. `backtest` is one line with the figures, or "".
    """

    learning_id: str
    change: str
    state_before: State | None
    state_after: State | None
    problems: tuple[Problem, ...] = ()
    backtest: str = ""

    @property
    def spoiled(self) -> bool:
        """Whether the gate would look for it and could not, or for something else than it says."""
        return bool(self.problems) and (self.state_after is None or self.state_after.enforced)


@dataclass(frozen=True, slots=True)
class Report:
    """All that a check has to say. `base` and `head` are commits, or "" for what is not committed.

    `broken` are files of learnings at the base that cannot be used and that the change does not
    mend. `learnings` and `files` count what was applied and what was looked at.
    """

    base: str
    head: str
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    broken: tuple[Problem, ...] = ()
    related: tuple[Related, ...] = ()
    changed_learnings: tuple[ChangedLearning, ...] = ()
    learnings: int = 0
    files: int = 0
    # Learning → what reports tell beside the title: description, conversation, path of its file.
    about: "tuple[tuple[str, LearningNote], ...]" = ()

    def failing(self, fail_on: FailOn) -> tuple[Finding, ...]:
        """Return the findings that make the check fail."""
        if fail_on is FailOn.NEVER:
            return ()
        return tuple(f for f in self.findings if f.blocks or fail_on is FailOn.WARN)

    def exit_code(self, fail_on: FailOn) -> ExitCode:
        """Return how the check ends: findings that fail it come before broken rules."""
        if self.failing(fail_on):
            return ExitCode.FINDINGS
        spoiled = self.broken or any(one.spoiled for one in self.changed_learnings)
        return ExitCode.RULES_BROKEN if spoiled else ExitCode.OK


@dataclass(frozen=True, slots=True)
class LearningNote:
    """What a report tells of a learning once, however often it was found."""

    title: str
    description: str
    path: str
    source_chat_id: str = ""
    source_commits: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    category: str = ""
