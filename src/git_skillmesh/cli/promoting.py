"""What `promote` and `review` print alike: what was written, what it is like, what to do next.

In: candidates and learnings. Out: lines for people or JSON.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from ..errors import ExitCode
from ..gate import desk as gate
from ..gate.conflicts import Conflict
from ..gate.desk import Outcome
from ..index.references import chunk_with
from ..learnings.analysis import Analysis
from ..learnings.candidates import Candidate, is_placeholder
from ..learnings.model import State
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe, safe_line

SCHEMA = 1


class Desk(gate.Desk):
    """One run of `promote` or `review`: what is read once, and printed."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.repository, lambda: context.config, self._shown_by)
        self.context = context

    def _shown_by(self, path: str, lines: Sequence[str]) -> str:
        return chunk_with(self.repository, self.context.config, path, lines)

    @cached_property
    def analysis(self) -> Analysis:
        """The same, while a bar shows how far it is."""
        with progress_bar("looking for candidates", self.context.json) as self._progress:
            return super().analysis

    def promote(
        self, outcome: Outcome, candidate: Candidate | None, *, anyway: bool, dry_run: bool = False
    ) -> int:
        """Write the file and print what became of it; refuse what does not pass.

        Raises `UsageError`, `ReadOnly`, and as `MemoryStore.append_events`.
        """
        context = self.context
        refused = self.write(outcome, candidate, anyway=anyway, dry_run=dry_run)
        if not (refused or dry_run):
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
