"""One ranking of a collection's records and of the learnings that answer the same question.

In: records, best first, and learnings with how alike they are to the query. Out: both in one list.
What people have reviewed counts for more than what was merely written down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# A learning of the same likeness comes before a document; so does one that is a little less alike.
WEIGHT = 1.15
MOST_LEARNINGS = 3


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a collection: `alike` is how alike it and the query are in meaning, 0 to 1."""

    collection: str
    id: str
    document: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    alike: float = 0.0


def together(found: Sequence[Record], learned: Sequence[Record]) -> list[Record]:
    """Return records and learnings by weighted likeness; the order within each stays."""
    left, right = list(found), list(learned[:MOST_LEARNINGS])
    merged = []
    while left and right:
        first = right if right[0].alike * WEIGHT >= left[0].alike else left
        merged.append(first.pop(0))
    return [*merged, *left, *right]
