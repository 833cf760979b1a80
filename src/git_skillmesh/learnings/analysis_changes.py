"""What happened to the code of a conversation, exchange by exchange.

In: the exchanges of a session, in order. Out: for each, the places that it changed, which earlier
lines it took back, whether checks failed before and passed after, and the lines that it left, as
short digests that a later run compares with HEAD. Pure; only what came before is looked at, so an
exchange has to be looked at once.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..chunking import language_of
from ..sessions.edits_as_diff import FileChange, Place, changes_of
from ..sessions.model import Exchange
from ..sessions.outcomes import Outcome, outcome_of
from .candidates import Change

# How many exchanges back lines are remembered: what is taken back later is new work.
BACK = 12
_TELLING = 8  # characters of a line that says something
_MOST_LINES = 300  # remembered of an exchange
_MOST_PLACES = 6
_LINES_SHOWN = 12
_WIDTH = 300
_LEAST_REDONE = 4
# Plans, notes and data: they are rewritten all the time, and nothing follows from it.
_NO_CODE = frozenset({"text", "markdown", "rst", "json", "csv", "xml", "svg", "html"})


@dataclass(frozen=True, slots=True)
class Work:
    """What an exchange did to code.

    `changes` are the places it changed; those that took back lines of an earlier exchange come
    first, and `redone` counts those lines of code, `undid` the exchanges that had written them.
    `fixed` says that tests failed before its edits and passed after them. `written` is path →
    digests of the lines it left, `removed` the same of those it took away.
    """

    edited: bool = False
    changes: tuple[Change, ...] = ()
    redone: int = 0
    undid: tuple[str, ...] = ()
    fixed: bool = False
    written: dict[str, tuple[str, ...]] = field(default_factory=dict)
    removed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    paths: tuple[str, ...] = ()


@dataclass
class Thread:
    """A session as far as it has been read: what later exchanges may take back."""

    _lines: list[tuple[str, dict[tuple[str, str], int]]] = field(default_factory=list)
    _failing: bool = False

    def take(self, exchange: Exchange) -> Work:
        """Return what the next exchange did."""
        changes = [one for one in changes_of(exchange) if not one.path.startswith("/")]
        written: dict[tuple[str, str], int] = {}
        undid: dict[str, int] = {}
        redone: list[tuple[FileChange, Place]] = []
        others: list[tuple[FileChange, Place]] = []
        for change in changes:
            for place in change.places:
                hit = is_code(change.path) and self._taken(change.path, place, undid)
                (redone if hit else others).append((change, place))
                for line in place.added:
                    if len(line.strip()) >= _TELLING and len(written) < _MOST_LINES:
                        written[change.path, line.strip()] = 1
        fixed = self._checks(exchange, bool(changes))
        self._lines = [*self._lines, (exchange.exchange_id, written)][-BACK:]
        gone = [
            (change.path, line.strip())
            for change in changes
            for place in change.places
            for line in place.removed
            if len(line.strip()) >= _TELLING
        ]
        places = [*redone, *sorted(others, key=lambda pair: not pair[1].removed)]
        return Work(
            edited=bool(changes),
            changes=tuple(shown(change.path, place) for change, place in places[:_MOST_PLACES]),
            redone=sum(undid.values()),
            undid=tuple(undid),
            fixed=fixed,
            written=_digests(written),
            removed=_digests(gone[:_MOST_LINES]),
            paths=tuple(dict.fromkeys(change.path for change in changes)),
        )

    @property
    def follows_edit(self) -> bool:
        """Whether one of the last three exchanges wrote something."""
        return any(lines for _, lines in self._lines[-3:])

    def _taken(self, path: str, place: Place, undid: dict[str, int]) -> bool:
        """Note which exchanges had written the lines that a place takes away."""
        stays = {line.strip() for line in place.added}
        gone = {line.strip() for line in place.removed} - stays
        hit = False
        for line in gone:
            if len(line) < _TELLING:
                continue
            for exchange_id, lines in reversed(self._lines):
                if lines.pop((path, line), None):
                    undid[exchange_id] = undid.get(exchange_id, 0) + 1
                    hit = True
                    break
        return hit

    def _checks(self, exchange: Exchange, edited: bool) -> bool:
        """Return whether tests that failed before the edits passed after them."""
        fixed, edits_since = False, False
        for call in exchange.tools:
            edits_since |= bool(call.edits) and not call.failed
            outcome = outcome_of(call)
            if outcome is Outcome.TESTS_FAILED:
                self._failing, edits_since = True, False
            elif outcome is Outcome.TESTS_PASSED:
                fixed |= self._failing and edits_since
                self._failing = False
        return fixed and edited


def _digests(lines: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for path, line in lines:
        found.setdefault(path, {})[digest(line)] = None
    return {path: tuple(names) for path, names in found.items()}


def is_code(path: str) -> bool:
    """Return whether a file is a program, not a text about one."""
    return language_of(path) not in _NO_CODE


def redid_enough(work: Work) -> bool:
    """Return whether an exchange took back more than a line by the way."""
    return work.redone >= _LEAST_REDONE


def digest(line: str) -> str:
    """Return a short name of what a line says, whatever its spaces."""
    data = "".join(line.split()).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=6).hexdigest()


def shown(path: str, place: Place) -> Change:
    """Return a place as it is kept for a reader."""
    return Change(path, _cut(place.removed), _cut(place.added), place.line)


def _cut(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line[:_WIDTH] for line in tuple(lines)[:_LINES_SHOWN])
