"""Ask a server again after failures that pass, with growing pauses, for a bounded time.

In: a call. Out: what it returns, or its last failure. A pause is random, so that several that
failed together do not come back together; where the server says how long to wait, that is kept to.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from . import client as clients
from .connection import retry_after

T = TypeVar("T")

RETRY_FOR_S = 3.0
# The longest pause that a server may ask for while somebody waits, and how often.
_OBEYED_S = 10.0
_OBEYED_TIMES = 3


def patiently(call: Callable[[], T], seconds: float = RETRY_FOR_S) -> T:
    """Call until it succeeds, fails for good, or `seconds` are over. Raises what it raises."""
    import tenacity

    growing = tenacity.wait_random_exponential(multiplier=0.2, max=2)

    def pause(state: Any) -> float:
        return max(float(growing(state)), _asked(state))

    def is_over(state: Any) -> bool:
        if _asked(state):
            return bool(state.attempt_number > _OBEYED_TIMES)
        return bool(state.seconds_since_start >= seconds)

    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception(clients.is_passing),
        wait=pause,
        stop=is_over,
        reraise=True,
    )
    return attempts(call)


def _asked(state: Any) -> float:
    error = state.outcome.exception() if state.outcome else None
    return retry_after(error, _OBEYED_S) if error else 0.0
