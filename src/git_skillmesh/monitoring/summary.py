"""What was done in a period: a row for each kind of work, and what learnings caught.

In: a `Journal` and the days of the period (UTC, both included). Out: `Summary`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from .findings import FIRED, FIXED, KIND, SUPPRESSED
from .journal import Journal, Key
from .tally import Tally

# What counts as well ended; other outcomes are told by name.
WELL = frozenset({"ok", "told", "silent", "nothing", "findings"})


@dataclass(slots=True)
class Work:
    """One kind of work by one doer: outcome → count, all durations, and count a day."""

    kind: str
    by: str
    tally: Tally = field(default_factory=Tally)
    outcomes: "Counter[str]" = field(default_factory=Counter)
    daily: "Counter[str]" = field(default_factory=Counter)


@dataclass(slots=True)
class Caught:
    """What became of findings of one learning in this clone."""

    learning: str
    fired: int = 0
    fixed: int = 0
    suppressed: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A period, its days in order, and what is recorded of it."""

    first: str
    last: str
    days: tuple[str, ...]
    works: tuple[Work, ...]
    caught: tuple[Caught, ...]


def summary_of(journal: Journal, first: str, last: str) -> Summary:
    """Sum up the days of a period."""
    works: dict[tuple[str, str], Work] = {}
    caught: dict[str, Caught] = {}
    for day, tallies in sorted(journal.days.items()):
        if not first <= day <= last:
            continue
        for key, tally in tallies.items():
            if key.kind == KIND:
                _count(caught.setdefault(key.label, Caught(key.label)), key, tally.count)
                continue
            work = works.setdefault((key.kind, key.label), Work(key.kind, key.label))
            work.tally.join(tally)
            work.outcomes[key.outcome] += tally.count
            work.daily[day] += tally.count
    days = tuple(days_between(first, last))
    rows = tuple(works[name] for name in sorted(works))
    return Summary(first, last, days, rows, tuple(caught[name] for name in sorted(caught)))


def days_between(first: str, last: str) -> Sequence[str]:
    """Return all days from one to another, both included."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(begin + timedelta(n)).isoformat() for n in range((end - begin).days + 1)]


def document(summary: Summary) -> Mapping[str, object]:
    """Return it as JSON: durations in seconds."""
    return {
        "first": summary.first,
        "last": summary.last,
        "work": [
            {
                "kind": one.kind,
                "by": one.by,
                "count": one.tally.count,
                "outcomes": dict(sorted(one.outcomes.items())),
                "timed": one.tally.timed,
                "seconds": _seconds(one.tally),
                "daily": dict(sorted(one.daily.items())),
            }
            for one in summary.works
        ],
        "findings": [
            {"learning": one.learning, FIRED: one.fired, FIXED: one.fixed,
             SUPPRESSED: one.suppressed}
            for one in summary.caught
        ],
    }  # fmt: skip


def _seconds(tally: Tally) -> Mapping[str, float | None]:
    return {
        "total": round(tally.total / 1e6, 6),
        "p50": _rounded(tally.quantile(0.5)),
        "p95": _rounded(tally.quantile(0.95)),
        "max": round(tally.most / 1e6, 6) if tally.timed else None,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _count(caught: Caught, key: Key, count: int) -> None:
    if key.outcome in (FIRED, FIXED, SUPPRESSED):
        setattr(caught, key.outcome, getattr(caught, key.outcome) + count)
