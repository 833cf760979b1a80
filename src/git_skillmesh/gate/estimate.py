"""How sure a share is that was counted on a few commits.

In: counts. Out: `Share`s with their Wilson interval (E. B. Wilson, 1927), which keeps its meaning
for few and for no hits, where the usual one shrinks to nothing.
"""

from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054  # 95 %


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `total`; the true share lies between `low` and `high` with 95 % confidence."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        """What was seen; 0 where nothing was counted."""
        return self.hits / self.total if self.total else 0.0

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self._bounds()[0]

    @property
    def high(self) -> float:
        """The upper end of the interval; 1 where nothing was counted."""
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        if not self.total:
            return 0.0, 1.0
        n, p = self.total, self.value
        middle = p + _Z * _Z / (2 * n)
        spread = _Z * sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
        scale = 1 + _Z * _Z / n
        low = 0.0 if not self.hits else (middle - spread) / scale
        high = 1.0 if self.hits == n else (middle + spread) / scale
        return low, high
