"""What `promote` and `review` do alike: draft, judge, write, and say what to do next.

In: candidates and learnings. Out: an `Outcome`, the file, and lines for people or JSON.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..errors import ExitCode, ReadOnly, UsageError
from ..gate.conflicts import Conflict, Neighbours
from ..gate.examples import examples_of
from ..gate.matchers.model import RuleError
from ..gate.trial import hits, try_learning
from ..git.people import author_of
from ..index.references import chunk_with
from ..learnings.analysis import Analysis, analyze, find
from ..learnings.candidates import Candidate, Decision, is_placeholder
from ..learnings.files import learnings_on_disk
from ..learnings.model import Learning, State
from ..learnings.naming import free_id
from ..learnings.promotion import draft, new_place, now, promote, read_draft, secret_in
from ..learnings.reading import Problem, ReadFile
from ..learnings.writing import write_learning
from ..sessions.events import Event
from ..sessions.model import Exchange
from ..sessions.redaction import Redactor
from ..sessions.redaction_policy import policy_of
from ..sessions.store import MemoryStore
from .columns import plural
from .context import Context
from .proposing import passes
from .terminal import progress_bar, safe, safe_line

SCHEMA = 1


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
    """One run of `promote` or `review`: what is read once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.repository = context.repository
        self.today = now()[:10]

    @cached_property
    def _redactor(self) -> Redactor:
        return Redactor(policy_of(self.context.config))

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
        with progress_bar("looking for candidates", self.context.json) as progress:
            try:
                return analyze(self.store, self.clean, fits=passes, progress=progress)
            except ReadOnly:  # looking is free: only a decision has to be written
                store = _Reading(self.repository, self._redacted)
                return analyze(store, self.clean, fits=passes, progress=progress)

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
        found = (
            chunk_with(self.repository, self.context.config, path, lines)
            for path, lines in dict.fromkeys(places)
        )
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

    def promote(
        self, outcome: Outcome, candidate: Candidate | None, *, anyway: bool, dry_run: bool = False
    ) -> int:
        """Write the file and print what became of it; refuse what does not pass.

        Raises `UsageError`, `ReadOnly`, and as `MemoryStore.append_events`.
        """
        context, learning = self.context, outcome.learning
        refused = _refusal(outcome, candidate, anyway=anyway)
        if not refused:
            new_place(self.repository, learning)
        if not (refused or dry_run):
            decides = candidate if candidate is not None and _is_source(candidate) else None
            promote(self.store, learning, outcome.text, decides)
            for name in ("existing", "_neighbours"):  # there is one more now
                self.__dict__.pop(name, None)
            context.go_on()
        if context.json:
            document = outcome_document(outcome)
            document["written"] = not (refused or dry_run)
            document["source"] = source_document(candidate)
            context.out_json({"schema": SCHEMA, **document})
        else:
            for line in conflict_lines(context, outcome.conflicts):
                context.note(line)
            for problem in outcome.problems:
                context.note(safe_line(str(problem)))
            if not refused and dry_run:
                context.out(safe(outcome.text).removesuffix("\n"))
            elif not refused:
                for line in promoted_lines(context, outcome, candidate):
                    context.out(line)
        if refused:
            raise refused
        return ExitCode.OK


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


def conflict_lines(context: Context, found: Sequence[Conflict]) -> Iterator[str]:
    """Yield one line for each learning that a new one is like, or against."""
    for one in found:
        state = f" ({one.state})" if one.state is not State.PROPOSED else ""
        name = context.style.bold(safe_line(one.learning_id))
        yield f"{name}{state}: {one.relation}: {safe_line(one.why)}"


def promoted_lines(
    context: Context, outcome: Outcome, candidate: Candidate | None
) -> Iterator[str]:
    """Yield what was written and what to do next."""
    learning, style = outcome.learning, context.style
    path = context.shown_path(learning.path)
    yield f"{style.path(path)}  {learning.state}: {safe_line(learning.title)}"
    for session, exchange in _exchanges(candidate):
        yield f"  {safe_line(f'{session}/{exchange}')} is promoted_to_learning now"
    if is_placeholder(learning.matcher):
        yield f"  {style.bad('no matcher yet')}: no change says it for certain"
        yield f"  next: git skillmesh learnings edit {learning.learning_id}"
        return
    counts = f"{len(learning.bad)} bad, {len(learning.good)} good"
    told = plural(len(outcome.problems), "problem") if outcome.problems else "both ways as they say"
    yield f"  examples: {counts}; {told}"
    yield f"  next: git skillmesh backtest {learning.learning_id}"
    yield f"        git add {path} && git commit"


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """Return a learning and what is to be said of it, as JSON has it."""
    learning = outcome.learning
    return {
        "learning": {
            "id": learning.learning_id,
            "title": learning.title,
            "state": str(learning.state),
            "severity": str(learning.severity),
            "path": learning.path,
            "matcher": not is_placeholder(learning.matcher),
            "source_chat_id": learning.source_chat_id,
            "source_commits": list(learning.source_commits),
            "example_code_reference": learning.example_code_reference,
            "yaml": outcome.text,
        },
        "problems": [
            {"path": one.path, "line": one.line, "what": one.what} for one in outcome.problems
        ],
        "conflicts": [conflict_document(one) for one in outcome.conflicts],
    }


def conflict_document(one: Conflict) -> dict[str, Any]:
    """Return a learning that another is like, or against, as JSON has it."""
    return {
        "id": one.learning_id,
        "title": one.title,
        "state": str(one.state),
        "relation": str(one.relation),
        "why": one.why,
    }


def source_document(candidate: Candidate | None) -> dict[str, Any] | None:
    """Return what a learning comes from, as JSON has it."""
    if candidate is None:
        return None
    return {
        "candidate": candidate.id if candidate.scores.total > 0 else "",
        "exchanges": [
            {"session": session, "exchange": exchange}
            for session, exchange in _exchanges(candidate)
        ],
        "commits": list(candidate.commits),
    }


def _exchanges(candidate: Candidate | None) -> Iterable[tuple[str, str]]:
    found = candidate.evidence if candidate else ()
    return dict.fromkeys((one.session, one.exchange) for one in found if one.session)
