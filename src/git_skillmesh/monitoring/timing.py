"""Record how long a part of the work takes, and how it ends.

In: a block of code. Out: one event for it; what the block raises goes on as it is.
"""

import os
import time
from types import TracebackType

from ..errors import SkillmeshError
from .record import record


class Timed:
    """A block whose duration is recorded; without a `kind` it is not."""

    def __init__(self, state: str | os.PathLike[str], kind: str, label: str) -> None:
        self._state, self._kind, self._label = state, kind, label
        self.outcome = "ok"
        self._began = 0.0

    def __enter__(self) -> "Timed":
        self._began = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._kind:
            taken = time.perf_counter() - self._began
            outcome = self.outcome if error is None else outcome_of(error)
            record(self._state, self._kind, self._label, outcome, taken)


def outcome_of(error: BaseException) -> str:
    """Return in a word how something ended that has raised."""
    if isinstance(error, SkillmeshError):
        return error.exit_code.name.lower()
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
