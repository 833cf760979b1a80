"""Counts and durations in a form that adds up: how many, how long in all, how they are spread.

In: durations in microseconds. Out: `Tally`. Durations fall into buckets of a quarter octave: the
upper bound of bucket n is 2^(n/4) milliseconds, so a percentile is told to within 10 %, however
many there are. Pure.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_PER_OCTAVE = 4
# Of a bucket: about 1 µs to 12 days.
_LEAST, _MOST = -10 * _PER_OCTAVE, 30 * _PER_OCTAVE


def bucket_of(microseconds: int) -> int:
    """Return the number of the bucket of a duration."""
    if microseconds < 1:
        return _LEAST
    found = math.ceil(_PER_OCTAVE * math.log2(microseconds / 1000) - 1e-9)
    return min(max(found, _LEAST), _MOST)


def bound_of(bucket: int) -> float:
    """Return the upper bound of a bucket in seconds."""
    return float(2 ** (bucket / _PER_OCTAVE)) / 1000


@dataclass(slots=True)
class Tally:
    """`count` events, of which `timed` have a duration: `total` and `most` are microseconds."""

    count: int = 0
    timed: int = 0
    total: int = 0
    most: int = 0
    buckets: "Counter[int]" = field(default_factory=Counter)

    def add(self, microseconds: int | None) -> None:
        """Count one event."""
        self.count += 1
        if microseconds is not None:
            self.timed += 1
            self.total += microseconds
            self.most = max(self.most, microseconds)
            self.buckets[bucket_of(microseconds)] += 1

    def join(self, other: "Tally") -> None:
        """Count in what another has counted."""
        self.count += other.count
        self.timed += other.timed
        self.total += other.total
        self.most = max(self.most, other.most)
        self.buckets.update(other.buckets)

    def quantile(self, share: float) -> float | None:
        """Return the duration in seconds that `share` of the events do not exceed.

        None where no duration is known.
        """
        if not self.timed:
            return None
        rank, below = share * self.timed, 0
        for bucket in sorted(self.buckets):
            count = self.buckets[bucket]
            if below + count >= rank:
                inside = max(rank - below, 0) / count
                found = bound_of(bucket - 1) * 2 ** (inside / _PER_OCTAVE)
                return min(found, self.most / 1e6)
            below += count
        return self.most / 1e6

    def up_to(self, seconds: float) -> int:
        """Return how many took at most so long; exact for the bounds of buckets."""
        return sum(n for bucket, n in self.buckets.items() if bound_of(bucket) <= seconds * 1.0001)

    def document(self) -> list[Any]:
        """Return it as JSON."""
        return [self.count, self.timed, self.total, self.most, sorted(self.buckets.items())]

    @classmethod
    def read(cls, document: list[Any]) -> "Tally":
        """Return what `document` gave. Raises TypeError, ValueError."""
        count, timed, total, most, buckets = document
        return cls(int(count), int(timed), int(total), int(most),
                   Counter({int(bucket): int(n) for bucket, n in buckets}))  # fmt: skip


def joined(tallies: Iterable[Tally]) -> Tally:
    """Return all of them as one."""
    found = Tally()
    for one in tallies:
        found.join(one)
    return found
