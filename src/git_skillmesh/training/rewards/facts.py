"""What exchanges did, as far as judging them needs it: lines left and taken away, and tests.

In: the memory. Out: `Facts` of each exchange with edits. A session is read when it has grown.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
    """One exchange: when, path → digests of lines it left and took away, what tests said.

    `amended` are digests of lines that it proposed in edits which a person changed before they were
    made.
    """

    number: int
    started: str = ""
    ended: str = ""
    tests: float | None = None
    written: dict[str, list[str]] = field(default_factory=dict)
    removed: dict[str, list[str]] = field(default_factory=dict)
    amended: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many telling lines it left."""
        return sum(map(len, self.written.values()))


def read_facts(
    reader: MemoryReader, cache: Cache, listed: Mapping[str, str], progress: Progress = None
) -> tuple[str, ...]:
    """Keep the facts of all sessions (`listed`: session → tree of its exchanges).

    Returns the sessions that cannot be read. A session is read when it has grown.
    """
    stamps = cache.stamps("facts")
    cache.drop("facts", stamps.keys() - listed.keys())
    changed = [name for name, tree in listed.items() if _tree(stamps.get(name, "")) != tree]
    unreadable: list[str] = []
    batch: dict[str, Any] = {}
    for done, name in enumerate(changed, 1):
        try:
            batch[name] = _session(reader.exchanges(name))
        except Damaged:
            unreadable.append(name)
            cache.drop("facts", [name])
        if len(batch) >= _BATCH or done == len(changed):
            stamped = {one: f"{listed[one]} {_first(rows)}" for one, rows in batch.items()}
            cache.put("facts", batch, stamped)
            batch = {}
        if progress:
            progress("reading", done, len(changed))
    return tuple(unreadable)


def facts_of(cache: Cache, sessions: Iterable[str] | None = None) -> dict[Pair, Facts]:
    """Return the facts of the exchanges with edits of sessions, of all without."""
    rows = cache.all("facts") if sessions is None else cache.some("facts", sessions).items()
    return {
        (name, exchange): Facts(*values)
        for name, session in rows
        for exchange, values in session.items()
    }


def began(cache: Cache) -> float:
    """Return when the first exchange began, in seconds of the epoch; 0 if nobody knows."""
    firsts = (stamp.partition(" ")[2] for stamp in cache.stamps("facts").values())
    return min((float(first) for first in firsts if first), default=0.0)


def seconds_of(iso: str) -> float:
    """Return a time in seconds of the epoch, 0 for none."""
    try:
        return datetime.fromisoformat(iso).timestamp()
    except ValueError:
        return 0.0


def _tree(stamp: str) -> str:
    return stamp.partition(" ")[0]


def _first(rows: Mapping[str, list[Any]]) -> str:
    times = [seconds_of(row[1]) for row in rows.values()]
    return str(min(times)) if times else ""


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
            row = [number, exchange.started, ended, tests, written, removed, _amended(exchange)]
            rows[exchange.exchange_id] = row
    return rows


def _amended(exchange: Exchange) -> list[str]:
    """Return digests of the lines that the agent added in edits which a person changed."""
    found: list[str] = []
    for call in exchange.tools:
        for edit in call.edits:
            if edit.amended and not call.failed:
                before = set((edit.before or "").split("\n"))
                found += _digests(
                    line for line in (edit.after or "").split("\n") if line not in before
                )
    return found[:_MOST_LINES]


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
