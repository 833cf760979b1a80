"""Divide what is written to a server into requests that a proxy in front of it takes.

In: a batch. Out: parts of it. nginx refuses a body of more than 1 MB unless told otherwise, and a
batch of 500 chunks with their text and vectors has about twice as much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .pages import quota_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# As JSON, with room for what is not counted: nginx's default is 1,048,576.
REQUEST_BYTES = 800_000
# An id, quotes and commas.
_FRAME = 60


@dataclass(frozen=True, slots=True)
class Part:
    """What one call of `store.write` gets."""

    upsert: Sequence[Any]
    vectors: "NDArray[np.float32]"
    update: Sequence[Any]
    delete: Sequence[str]

    @property
    def fields(self) -> tuple[Any, ...]:
        """The arguments of `store.write` after the collection."""
        return self.upsert, self.vectors, self.update, self.delete

    def __len__(self) -> int:
        return len(self.upsert) + len(self.update) + len(self.delete)


def divided(
    upsert: Sequence[Any],
    vectors: "NDArray[np.float32]",
    update: Sequence[Any],
    delete: Sequence[str],
    most: int,
) -> Iterator[Part]:
    """Yield parts of at most `most` bytes each, a single record excepted."""
    none = vectors[:0]
    if delete:
        yield Part((), none, (), delete)
    vector = vectors.shape[1] * 6 if len(upsert) else 0  # in base64
    for first, last in _spans([_size(row) + vector for row in upsert], most):
        yield Part(upsert[first:last], vectors[first:last], (), ())
    for first, last in _spans([_size(row) for row in update], most):
        yield Part((), none, update[first:last], ())


def _spans(sizes: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    start = total = 0
    for place, size in enumerate(sizes):
        if place > start and total + size > most:
            yield start, place
            start, total = place, 0
        total += size
    if start < len(sizes):
        yield start, len(sizes)


def _size(row: Sequence[Any]) -> int:
    """Return about how many bytes a record takes: [id, metadata, document] or [id, metadata]."""
    texts = [row[2] or ""] if len(row) > 2 else []
    for name, value in row[1].items():
        texts += [name, value if isinstance(value, str) else "123456789"]
    # A quote or a line feed takes two bytes in JSON.
    escapes = sum(text.count("\n") + text.count('"') for text in texts)
    return _FRAME + escapes + sum(len(text.encode()) + 6 for text in texts)


def halves(part: Part) -> tuple[Part, ...]:
    """Return both halves of a part, nothing of a single record."""
    if len(part) < 2:
        return ()
    kept = []
    for low in (True, False):
        fields: list[Any] = []
        for rows in part.fields:
            middle = len(rows) // 2 if len(rows) > 1 else len(rows)
            fields.append(rows[:middle] if low else rows[middle:])
        kept.append(Part(*fields))
    return tuple(one for one in kept if len(one))


def is_too_large(error: BaseException) -> bool:
    """Whether a server, or a proxy in front of it, takes no request of that size."""
    response = getattr(error, "response", None)
    return getattr(response, "status_code", None) == 413 or quota_of(error) > 0
