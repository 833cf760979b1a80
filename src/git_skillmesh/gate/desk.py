"""Where learnings are proposed: drafted from their source, judged, and put into the working tree.

In: candidates and learnings. Out: an `Outcome`, and the file of a learning. Nothing that a learning
already says is changed here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..config import Config
from ..display import plural
from ..errors import ReadOnly, UsageError
from ..git.people import author_of
from ..git.repository import Repository
from ..learnings.analysis import Analysis, analyze, find
from ..learnings.candidates import Candidate, Decision
from ..learnings.drafting import from_commit, from_exchange, from_patch, with_matcher
from ..learnings.files import learnings_on_disk
from ..learnings.model import Learning
from ..learnings.naming import free_id
from ..learnings.promotion import draft, new_place, now, promote, read_draft, secret_in
from ..learnings.reading import Problem, ReadFile
from ..learnings.writing import write_learning
from ..sessions.events import Event
from ..sessions.finding import find_exchange
from ..sessions.model import Exchange
from ..sessions.redaction import Redactor
from ..sessions.redaction_policy import policy_of
from ..sessions.store import MemoryStore
from .conflicts import Conflict, Neighbours
from .examples import examples_of
from .matchers.model import RuleError
from .proposing import passes
from .trial import hits, try_learning

Progress = Callable[[int, int], None] | None
# Path and lines → the id of the chunk of HEAD that has them, "" if none does.
ChunkWith = Callable[[str, Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A learning as it would be written: what is wrong with it, and what others it is like.

    `wrong` is why it cannot be written at all, whatever its state: it would not read, no gate could
    use it, or it has a secret in it.
    """

    learning: Learning
    text: str
    problems: tuple[Problem, ...]
    conflicts: tuple[Conflict, ...]
    wrong: str = ""


class NoLearning(UsageError):
    """A text that is no learning's; `problems` says why, line by line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"this makes no learning: {problems[0].what}")
        self.problems = problems


class _Reading(MemoryStore):
    """A memory to which nothing is said."""

    def append_to_many(self, events: Mapping[str, Iterable[Event]]) -> None:
        """Say nothing."""


class Desk:
    """What is read once for one or more learnings.

    `config` is asked when it is needed; `chunk_with` finds the code that shows how it is done.
    """

    def __init__(
        self, repository: Repository, config: Callable[[], Config], chunk_with: ChunkWith
    ) -> None:
        self.repository = repository
        self.today = now()[:10]
        self._config = config
        self._chunk_with = chunk_with
        self._progress: Progress = None

    @cached_property
    def _redactor(self) -> Redactor:
        return Redactor(policy_of(self._config()))

    @cached_property
    def store(self) -> MemoryStore:
        """The memory. What is written to it here are events, which hold no text of others."""
        return MemoryStore(self.repository, self._redacted)

    def _redacted(self, exchange: Exchange) -> Exchange:
        return self._redactor.redact_exchange(exchange)[0]

    def clean(self, text: str) -> str:
        """Return a text without secrets."""
        return self._redactor.redact(text).text

    @cached_property
    def author(self) -> str:
        """Who promotes."""
        return author_of(self.repository)

    @cached_property
    def existing(self) -> dict[str, ReadFile]:
        """The learnings of the working tree."""
        return learnings_on_disk(self.repository)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(one.learning for one in self.existing.values() if one.learning)

    @cached_property
    def analysis(self) -> Analysis:
        """What conversations and commits say for learnings."""
        try:
            return analyze(self.store, self.clean, fits=passes, progress=self._progress)
        except ReadOnly:  # looking is free: only a decision has to be written
            store = _Reading(self.repository, self._redacted)
            return analyze(store, self.clean, fits=passes, progress=self._progress)

    def candidate(self, name: str) -> Candidate:
        """Return the candidate that a name means, or the beginning of one. Raises `UsageError`."""
        found = find(self.analysis.candidates, name) if name else []
        if not found:
            raise UsageError(f"no such candidate: {name}", "git skillmesh review --json")
        if len(found) > 1:
            names = ", ".join(one.id for one in found[:4])
            raise UsageError(f"{name} is the beginning of several candidates", names)
        return found[0]

    def free_id(self, title: str) -> str:
        """Return a name for a learning that no other has."""
        return free_id(title, self.existing)

    def draft(self, candidate: Candidate, name: str = "") -> Learning:
        """Return the learning that a candidate proposes."""
        made = draft(candidate, self.existing, self.author, name)
        return replace(made, example_code_reference=self._reference(made, candidate))

    def _reference(self, learning: Learning, candidate: Candidate) -> str:
        """Return the chunk of HEAD that shows how it is done, "" if none does."""
        places = [(one.path, tuple(one.code.split("\n"))) for one in learning.good if one.path]
        places += [
            (change.path, change.after)
            for evidence in candidate.evidence
            for change in evidence.changes
        ]
        found = (self._chunk_with(path, lines) for path, lines in dict.fromkeys(places))
        return next(filter(None, found), "")

    def with_examples(self, learning: Learning, candidate: Candidate) -> Learning:
        """Return a learning with the lines of its source that its matcher tells apart."""
        changes = [change for one in candidate.evidence for change in one.changes]
        bad, good = examples_of(learning, changes)
        return replace(learning, bad=bad, good=good)

    def judge(self, learning: Learning) -> Outcome:
        """Return what is to be said of a learning before it is written."""
        try:
            return self.judge_text(write_learning(learning))
        except NoLearning as error:
            return Outcome(learning, write_learning(learning), error.problems, (), str(error))

    def judge_text(self, text: str) -> Outcome:
        """Return the same of a file that a user has written. Raises `NoLearning`."""
        read = read_draft(text)
        if read.learning is None:
            raise NoLearning(read.problems)
        return Outcome(
            read.learning,
            text,
            tuple(try_learning(read)),
            tuple(self._neighbours.conflicts_of(read.learning)),
            _broken(read.learning) or secret_in(read.learning, self._redactor.policy),
        )

    def from_exchange(self, name: str) -> Candidate:
        """Return what an exchange says for a learning. Raises `UsageError`, `Damaged`."""
        return with_matcher(from_exchange(self.store, *find_exchange(self.store, name)), passes)

    def from_commit(self, name: str) -> Candidate:
        """Return the same of a commit. Raises `UsageError`."""
        commit, tree = self.repository.resolve(name)
        if commit == tree:
            raise UsageError(f"{name} is a tree, not a commit")
        return with_matcher(from_commit(self.repository, commit, self.clean), passes)

    def from_patch(self, data: bytes) -> Candidate:
        """Return the same of a diff. Raises `UsageError`."""
        return with_matcher(from_patch(data, self.clean), passes)

    def write(
        self, outcome: Outcome, candidate: Candidate | None, *, anyway: bool, dry_run: bool
    ) -> UsageError | None:
        """Write the file, unless it is only tried; or return why it cannot be written.

        Raises `UsageError`, `ReadOnly`, and as `MemoryStore.append_events`.
        """
        refused = _refusal(outcome, candidate, anyway=anyway)
        if refused:
            return refused
        new_place(self.repository, outcome.learning)
        if not dry_run:
            decides = candidate if candidate is not None and _is_source(candidate) else None
            promote(self.store, outcome.learning, outcome.text, decides)
            for name in ("existing", "_neighbours"):  # there is one more now
                self.__dict__.pop(name, None)
        return None


def _broken(learning: Learning) -> str:
    """Return why no gate could use a learning, "" if one can."""
    try:
        hits(learning)
    except RuleError as error:
        return f"the {error.field} of {learning.learning_id} cannot be used: {error.what}"
    return ""


def _refusal(outcome: Outcome, candidate: Candidate | None, *, anyway: bool) -> UsageError | None:
    """Return why a learning cannot be written as it is."""
    learning = outcome.learning
    if outcome.wrong:
        return UsageError(outcome.wrong)
    if candidate is not None and candidate.decision is not Decision.OPEN and not anyway:
        what = candidate.learning_id or candidate.reason
        return UsageError(f"{candidate.id} was {candidate.decision}: {what}", "--anyway does it")
    if outcome.problems and learning.state.enforced:
        count = plural(len(outcome.problems), "problem")
        return UsageError(f"{learning.learning_id} cannot be {learning.state}: {count}",
                          "without --state it is proposed")  # fmt: skip
    if outcome.conflicts and not anyway:
        many = len(outcome.conflicts)
        others = "another learning" if many == 1 else f"{many} other learnings"
        return UsageError(
            f"{learning.learning_id} is like {others}, or against",
            "--anyway writes it all the same",
        )
    return None


def _is_source(candidate: Candidate) -> bool:
    """Whether there is something that can be told: an exchange, or what analysis has found."""
    return bool(candidate.sessions) or candidate.scores.total > 0
