"""Candidates at the terminal, one at a time: show, ask, do, go on.

In: candidates and a user. Out: decisions, each kept at once, so that leaving loses nothing.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from ..errors import UsageError
from ..gate.desk import NoLearning
from ..learnings.candidates import Candidate, Decision
from ..learnings.promotion import reject
from .columns import plural
from .context import Context
from .editing import edited
from .pager import paged
from .review_screen import screen
from .reviewing import Shown, Table
from .terminal import safe_line

_KEYS = {
    "a": "accept: put the file of the learning into the working tree",
    "e": "edit the file in your editor first",
    "s": "skip: not now, on this machine",
    "r": "reject, with a reason that others will see",
    "m": "show more: whole exchanges, the file, all that would be flagged",
    "b": "back to the one before",
    "q": "quit",
    "?": "explain the keys",
}


_QUESTION = "[a]ccept [e]dit [s]kip [r]eject [m]ore [b]ack [q]uit [?]"


class _Left(Exception):
    """The user has gone, or the input has ended."""


@dataclass
class _Counts:
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0


class Review:
    """The loop."""

    def __init__(self, context: Context, table: Table, candidates: Sequence[Candidate]) -> None:
        self._context = context
        self._table = table
        self._candidates = list(candidates)
        self._texts: dict[str, str] = {}  # what the user has edited
        self._counts = _Counts()

    def run(self) -> None:
        """Ask until there is nothing left to ask about, or nobody left to ask."""
        place = 0
        try:
            while place < len(self._candidates):
                place = max(place + self._one(place), 0)
        except _Left:
            pass
        except KeyboardInterrupt:
            self._context.out()
            raise
        self._tell(len(self._candidates) - min(place, len(self._candidates)))

    def _one(self, place: int) -> int:
        """Show a candidate and do what the user says; return by how many to move on."""
        candidate = self._candidates[place]
        shown = self._show(candidate, place)
        while True:
            try:
                key = self._ask(_QUESTION)
                match key[:1].lower():
                    case "a":
                        if self._accept(place, shown):
                            return 1
                    case "e":
                        if self._edit(candidate, shown):
                            shown = self._show(candidate, place)
                    case "s":
                        self._table.skips.add(candidate)
                        self._counts.skipped += 1
                        return 1
                    case "r":
                        if self._reject(place):
                            return 1
                    case "m":
                        self._print(shown, place, full=True)
                    case "b":
                        if place:
                            return -1
                        self._say("this is the first one")
                    case "q":
                        raise _Left
                    case _:
                        for name, what in _KEYS.items():
                            self._say(f"  {name}  {what}")
            except UsageError as error:
                self._say(self._context.style.bad(safe_line(str(error))))

    def _show(self, candidate: Candidate, place: int) -> Shown:
        shown = self._table.shown(candidate, self._texts.get(candidate.id, ""))
        self._print(shown, place, full=False)
        return shown

    def _print(self, shown: Shown, place: int, *, full: bool) -> None:
        position = f"{place + 1} of {len(self._candidates)}"
        with paged(self._context):
            for line in screen(self._context, shown, position, full=full):
                self._context.out(line)

    def _accept(self, place: int, shown: Shown) -> bool:
        candidate = self._candidates[place]
        anyway = False
        if shown.outcome.conflicts or candidate.decision is not Decision.OPEN:
            if not self._is_yes("write it all the same?"):
                return False
            anyway = True
        self._table.desk.promote(shown.outcome, candidate, anyway=anyway)
        name = shown.outcome.learning.learning_id
        self._candidates[place] = replace(
            candidate, decision=Decision.PROMOTED, learning_id=name, reason=""
        )
        self._counts.accepted += 1
        return True

    def _reject(self, place: int) -> bool:
        reason = self._ask("reason").strip()
        if not reason:
            self._say("not rejected: others want to know why")
            return False
        desk = self._table.desk
        candidate = self._candidates[place]
        reason = reject(desk.store, candidate, reason, desk.clean)
        self._candidates[place] = replace(candidate, decision=Decision.REJECTED, reason=reason)
        self._counts.rejected += 1
        return True

    def _edit(self, candidate: Candidate, shown: Shown) -> bool:
        """Let the user edit the file until it can be read, or they have had enough."""
        text, remarks = shown.outcome.text, [str(one) for one in shown.outcome.problems]
        while True:
            name = f"{shown.outcome.learning.learning_id}.yaml"
            text = edited(self._context, name, text, remarks)
            try:
                self._table.desk.judge_text(text)
            except NoLearning as error:
                above = len(error.problems)  # the remarks themselves, in the editor
                remarks = [f"line {one.line + above}: {one.what}" for one in error.problems]
            else:
                self._texts[candidate.id] = text
                return True
            for remark in remarks:
                self._say(self._context.style.bad(safe_line(remark)))
            if not self._is_yes("edit it again?"):
                return False

    def _is_yes(self, question: str) -> bool:
        return self._ask(f"{question} y/n").strip().lower() in ("y", "yes")

    def _ask(self, question: str) -> str:
        """Return the line that the user types. Raises `_Left`."""
        print(f"{self._context.style.bold(question)}: ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            self._context.out()
            raise _Left
        return line.strip()

    def _say(self, text: str) -> None:
        self._context.out(text)

    def _tell(self, left: int) -> None:
        counts = self._counts
        told = [f"{count} {what}" for what, count in asdict(counts).items() if count]
        told.append(f"{plural(left, 'candidate')} left" if left else "none left")
        self._say(", ".join(told))
