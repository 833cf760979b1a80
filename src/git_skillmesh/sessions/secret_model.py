"""What a rule by context is.

In: nothing. Out: `Context`, plain data, and `Span`, a piece of bytes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Context:
    """A rule by context. `find` is given the data and the span of the RE2 `anchor`."""

    name: str
    about: str
    anchor: str
    find: Callable[[bytes, int, int], Iterator[Span]]
