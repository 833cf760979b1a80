"""What is kept in memory within a number of bytes: what was not used for longest goes first.

In: keys and values, with what each takes. Out: the values, as long as they are kept.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values of at most `limit` bytes together. For one thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the value of a key, None if it is not kept."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value that takes `size` bytes, unless it would leave no room for any other."""
        if size > self._limit // 2:
            return
        before = self._values.pop(key, None)
        self._taken += size - (before[1] if before else 0)
        self._values[key] = value, size
        while self._taken > self._limit:
            _, (_, freed) = self._values.popitem(last=False)
            self._taken -= freed
