"""What learnings would have said of past commits, and whether they would have been right.

In: learnings and a window of history. Out: a `Tried` each: the commits that it fires on, the
lines, and what became of them. docs/backtest.md tells the method and what it cannot tell.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from ..git.repository import Repository
from ..learnings.model import Backtest, Learning, MatcherKind
from .estimate import Share
from .fates import AddedLine, Fate, Fates
from .past import PastCommit, Window, past_commits
from .replay import Fired, replay

# A line that nobody has had the time or the occasion to change says nothing by being there.
YOUNG_DAYS = 30
YOUNG_COMMITS = 20
_DAY = 86_400

Progress = Callable[[int, int], None]
# Commit → (path, line) → whether an agent made it; commits of which nothing is known are left out.
Makers = Callable[[Iterable[str]], Mapping[str, "frozenset[tuple[str, int]]"]]


class Verdict(StrEnum):
    """What the later history says of one commit that a learning fires on."""

    RIGHT = "right"  # a flagged line was changed later
    MISTAKEN = "mistaken"  # all that was flagged lives on as it was
    UNKNOWN = "unknown"  # too young, gone with its file, or nothing that stands in a line


class Whose(StrEnum):
    """Who made a line, as links tell. Nobody knows where a commit has no links at all."""

    AGENT = "agent"
    PERSON = "person"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """A flagged line, what became of it, and who made it."""

    line: AddedLine
    fate: Fate
    whose: Whose


@dataclass(frozen=True, slots=True)
class Judged:
    """A commit that a learning fires on, with the verdict of history."""

    fired: Fired
    lines: tuple[JudgedLine, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Tried:
    """All that a replay of one learning says.

    `commits` were looked at, newest first. `others` counts the fates of lines beside flagged ones.
    """

    learning: Learning
    commits: tuple[PastCommit, ...]
    judged: tuple[Judged, ...]
    others: "Mapping[Fate, int]"

    @property
    def lined(self) -> bool:
        """Whether what is found stands in lines, so that they have a fate."""
        return self.learning.matcher.kind not in (MatcherKind.PATHS, MatcherKind.MESSAGE)

    def count(self, verdict: Verdict) -> int:
        """Return how many commits got a verdict."""
        return sum(each.verdict is verdict for each in self.judged)

    @property
    def false_positives(self) -> Share:
        """The share of all judged commits that the learning would have stopped for nothing."""
        known = len(self.commits) - self.count(Verdict.UNKNOWN)
        return Share(self.count(Verdict.MISTAKEN), known)

    @property
    def precision(self) -> Share:
        """How often it is right when it fires."""
        right = self.count(Verdict.RIGHT)
        return Share(right, right + self.count(Verdict.MISTAKEN))

    @property
    def changed(self) -> Share:
        """The share of flagged lines that were changed later, of those that had the time."""
        fates = self.fates
        return Share(fates[Fate.CHANGED], fates[Fate.CHANGED] + fates[Fate.KEPT])

    @property
    def base(self) -> Share:
        """The same of other lines of the same commits and files: lines die anyway."""
        changed, kept = self.others.get(Fate.CHANGED, 0), self.others.get(Fate.KEPT, 0)
        return Share(changed, changed + kept)

    @property
    def corrected(self) -> "tuple[float, float] | None":
        """The rate of false positives, and at most, where errors are hidden by later changes.

        A line that was flagged in error may be changed as any other, and then looks rightly
        flagged. If that happens to it as often as to the lines beside it, what survives of the
        errors is `mistaken`. None where there is nothing to compare with.
        """
        if not self.base.total or not self.precision.total:
            return None
        survival = (self.base.total - self.base.hits + 1) / (self.base.total + 2)
        seen, known = self.false_positives, self.false_positives.total
        # There are no more errors than commits that it fires on.
        most = Share(self.precision.total, known)
        return min(seen.value / survival, most.value), min(seen.high / survival, most.high)

    @property
    def fates(self) -> "Counter[Fate]":
        """Fate → flagged lines."""
        return Counter(line.fate for each in self.judged for line in each.lines)

    @property
    def whose(self) -> "Counter[Whose]":
        """Maker → flagged lines."""
        return Counter(line.whose for each in self.judged for line in each.lines)

    def record(self, day: str) -> Backtest:
        """Return what is kept in the file of the learning."""
        until = self.commits[0].oid if self.commits else ""
        return Backtest(
            commits=len(self.commits),
            fired=len(self.judged),
            mistaken=self.count(Verdict.MISTAKEN),
            unknown=self.count(Verdict.UNKNOWN),
            until=until,
            date=day,
        )


def backtest(
    repository: Repository,
    learnings: Sequence[Learning],
    window: Window,
    makers: "Makers | None" = None,
    progress: "Progress | None" = None,
) -> "list[Tried]":
    """Return what each learning says of a window, in their order.

    Raises `UsageError` for a window that git does not understand, `RuleError` for a matcher that
    cannot be used.
    """
    commits = past_commits(repository, window)
    fired: list[list[Fired]] = [[] for _ in learnings]
    past = replay(repository, learnings, commits, first_parent=window.first_parent)
    with closing(past):  # whatever ends this, git ends with it
        for done, (_, found) in enumerate(past, 1):
            for place, each in found.items():
                fired[place].append(each)
            if progress and done % 16 == 0:
                progress(done, len(commits))
    if not commits:
        return [Tried(learning, (), (), {}) for learning in learnings]
    everything = [each for many in fired for each in many]
    fates = _fates(repository, everything, commits, window)
    whose = _whose(everything, makers)
    return [
        _judged(learning, tuple(commits), many, fates, whose)
        for learning, many in zip(learnings, fired, strict=True)
    ]


def flagged(
    repository: Repository, learning: Learning, commits: int, until: str = "HEAD"
) -> Iterator[Fired]:
    """Yield what a learning would have said of the last commits, newest first, and no more."""
    window = Window(until, count=commits)
    past = past_commits(repository, window)
    for _, found in replay(repository, [learning], past):
        yield from found.values()


def summary(
    repository: Repository, learning: Learning, until: str = "HEAD", commits: int = 1_000
) -> str:
    """Return in one line what the last commits say of a learning. Raises what `backtest` does."""
    (tried,) = backtest(repository, [learning], Window(until, count=commits))
    return one_line(tried)


def one_line(tested: Tried) -> str:
    """Return the figures as a report tells them."""
    of = f"{len(tested.commits):,} commit{'s' * (len(tested.commits) != 1)}"
    if not tested.judged:
        return f"never fired in {of}{_at_most(tested)}"
    said = f"fired in {len(tested.judged):,} of {of}"
    if not tested.lined:
        return f"{said}; whether rightly, lines cannot tell"
    counts = [(tested.count(verdict), verdict) for verdict in Verdict]
    told = ", ".join(f"{count:,} {verdict}" for count, verdict in counts if count)
    return f"{said}: {told}{_at_most(tested)}"


def _at_most(tested: Tried) -> str:
    share = tested.false_positives
    return f"; false positives {percent(share)}" if share.total else ""


def percent(share: Share) -> str:
    """Return a share with its interval, as people read it."""
    if not share.total:
        return "unknown"
    low, high = short(share.low), short(share.high)
    return f"{short(share.value)} % ({low} to {high} %)"


def short(value: float) -> str:
    """Return a share in per cent, without the sign."""
    return f"{100 * value:.2f}" if value < 0.1 else f"{100 * value:.0f}"


def _fates(
    repository: Repository, fired: Sequence[Fired], commits: Sequence[PastCommit], window: Window
) -> "Mapping[AddedLine, Fate]":
    newest = max(commit.time for commit in commits)
    old = [
        each for each in fired
        if each.commit.age >= YOUNG_COMMITS and newest - each.commit.time >= YOUNG_DAYS * _DAY
    ]  # fmt: skip
    lines = {line for each in old for line in (*each.lines, *each.others)}
    found = dict.fromkeys((line for each in fired for line in each.lines), Fate.YOUNG)
    if lines:
        oldest = max((each.commit for each in old), key=lambda commit: commit.age)
        tip = Fates(repository, commits[0].oid, first_parent=window.first_parent)
        found.update(tip.of(lines, oldest.oid))
    return found


def _whose(fired: Sequence[Fired], makers: "Makers | None") -> "Callable[[AddedLine], Whose]":
    known = makers({each.commit.oid for each in fired}) if makers else {}

    def whose(line: AddedLine) -> Whose:
        if line.commit not in known:
            return Whose.UNKNOWN
        linked = known[line.commit]
        return Whose.AGENT if (line.path, line.number) in linked else Whose.PERSON

    return whose


def _judged(
    learning: Learning,
    commits: "tuple[PastCommit, ...]",
    fired: Sequence[Fired],
    fates: "Mapping[AddedLine, Fate]",
    whose: "Callable[[AddedLine], Whose]",
) -> Tried:
    judged = []
    others: Counter[Fate] = Counter()
    for each in fired:
        lines = tuple(JudgedLine(line, fates[line], whose(line)) for line in each.lines)
        judged.append(Judged(each, lines, _verdict({line.fate for line in lines})))
        others.update(fates[line] for line in each.others if line in fates)
    return Tried(learning, commits, tuple(judged), others)


def _verdict(fates: "set[Fate]") -> Verdict:
    if Fate.CHANGED in fates:
        return Verdict.RIGHT
    if Fate.KEPT in fates:
        return Verdict.MISTAKEN
    return Verdict.UNKNOWN


def today() -> str:
    """Return the day, as it is recorded."""
    return datetime.now(UTC).date().isoformat()
