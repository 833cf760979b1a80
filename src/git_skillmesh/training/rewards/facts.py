"""What exchanges did, as far as judging them needs it: lines left and taken away, and tests.

In: the memory. Out: `Facts` of each exchange with edits. A session is read when it has grown.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ...errors import Damaged
from ...sessions.edits_as_diff import changes_of
from ...sessions.model import Exchange
from ...sessions.outcomes import Outcome, outcome_of
from ...sessions.reading import MemoryReader
from ..model import Pair
from .cache import Cache

Progress = Callable[[str, int, int], None] | None
# Letters of a line that says something.
TELLING = 6
_MOST_LINES = 600  # of an exchange; more is generated
_BATCH = 20


def digest(line: bytes) -> str:
    """Return a short name of what a line says, whatever its spaces; "" for one that says little."""
    squeezed = b"".join(line.split())
    if len(squeezed) < TELLING:
        return ""
    return hashlib.blake2b(squeezed, digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class Facts:
    """One exchange: when, path → digests of lines it left and took away, what tests said."""

    number: int
    started: str = ""
    ended: str = ""
    tests: float | None = None
    written: dict[str, list[str]] = field(default_factory=dict)
    removed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        """How many telling lines it left."""
        return sum(map(len, self.written.values()))


def read_facts(
    reader: MemoryReader, cache: Cache, progress: Progress = None
) -> tuple[dict[Pair, Facts], tuple[str, ...]]:
    """Return the facts of all exchanges with edits, and the sessions that cannot be read."""
    listed = {one.head.session_id: one.listed for one in reader.sessions()}
    known = dict(cache.all("facts"))
    cache.drop("facts", known.keys() - listed.keys())
    changed = [name for name, tree in listed.items() if known.get(name, [""])[0] != tree]
    unreadable, batch = [], {}
    for done, name in enumerate(changed, 1):
        try:
            rows = _session(reader.exchanges(name))
        except Damaged:
            unreadable.append(name)
            known.pop(name, None)
            continue
        known[name] = batch[name] = [listed[name], rows]
        if len(batch) >= _BATCH or done == len(changed):
            cache.put("facts", batch)
            batch = {}
        if progress:
            progress("reading", done, len(changed))
    cache.put("facts", batch)
    found = {
        (name, exchange): Facts(*values)
        for name in listed
        if name in known
        for exchange, values in known[name][1].items()
    }
    return found, tuple(unreadable)


def _session(exchanges: Iterable[Exchange]) -> dict[str, list[Any]]:
    failing, rows = False, {}
    for number, exchange in enumerate(exchanges, 1):
        tests, failing = tests_of(exchange, failing)
        written: dict[str, list[str]] = {}
        removed: dict[str, list[str]] = {}
        budget = _MOST_LINES
        changes = [one for one in changes_of(exchange) if not one.path.startswith("/")]
        for change in changes:
            for place in change.places:
                gone, left = _digests(place.removed), _digests(place.added)
                removed.setdefault(change.path, []).extend(gone[:budget])
                written.setdefault(change.path, []).extend(left[:budget])
                budget = max(budget - len(gone) - len(left), 0)
        if changes:
            ended = exchange.ended or exchange.started
            row = [number, exchange.started, ended, tests, written, removed]
            rows[exchange.exchange_id] = row
    return rows


def _digests(lines: Iterable[str]) -> list[str]:
    return [name for line in lines if (name := digest(line.encode("utf-8", "surrogatepass")))]


def tests_of(exchange: Exchange, failing: bool) -> tuple[float | None, bool]:
    """Return what tests say of the edits of an exchange, and whether they fail after it.

    1: they failed before (`failing`: when it began) and passed after; 0.5: they passed after; -1:
    they failed after. None without a run after an edit.
    """
    edited, said = False, None
    for call in exchange.tools:
        if call.edits and not call.failed:
            edited, said = True, None
        outcome = outcome_of(call)
        if outcome is Outcome.TESTS_FAILED:
            said = -1.0 if edited else None
            failing = True
        elif outcome is Outcome.TESTS_PASSED:
            if edited:
                # A repeated run says no less than the first.
                said = 1.0 if failing or said == 1.0 else 0.5
            failing = False
    return said, failing
