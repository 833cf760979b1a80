"""Ask a server again after failures that pass, as long as a copy of hours deserves.

In: a call and whom it asks. Out: its answer, or the failure in the user's words. A local store is
asked once. What a server says in `Retry-After` is kept, within bounds.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from .. import client as clients
from ..target import Target

PATIENCE_S = 120.0
LONGEST_PAUSE_S = 30.0
_FIRST_PAUSE_S = 0.5
TOO_LARGE = 413


def patiently(call: Callable[[], Any], target: Target, patience_s: float = PATIENCE_S) -> Any:
    """Return what the call returns. Raises a `SkillmeshError` without secrets."""
    started, pause = time.monotonic(), _FIRST_PAUSE_S
    while True:
        try:
            return call()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            left = patience_s - (time.monotonic() - started)
            spread = random.uniform(0.5, 1.5)  # noqa: S311 - it only spreads requests
            wait = max(pause * spread, _asked_pause(error))
            if target.kind == "persistent" or not _passes(error) or wait > left:
                raise clients.explain(error, target) from error
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE_S)


def status_of(error: BaseException | None) -> int:
    """Return the HTTP status behind a failure, 0 where there is none.

    Chroma's client raises a bare exception for what is not its own server's answer, a proxy's for
    example; the one that knows the status is behind it.
    """
    response = _response_of(error)
    return int(response.status_code) if response is not None else 0


def _response_of(error: BaseException | None) -> Any:
    for _ in range(8):
        if error is None:
            return None
        response = getattr(error, "response", None)
        if response is not None:
            return response
        error = error.__cause__ or error.__context__
    return None


def _passes(error: BaseException) -> bool:
    status = status_of(error)
    if status:
        return status in (408, 425, 429) or status in (500, 502, 503, 504)
    return clients.is_passing(error)


def _asked_pause(error: BaseException) -> float:
    response = _response_of(error)
    if response is None:
        return 0.0
    said = str(response.headers.get("retry-after", "")).strip()
    return min(float(said), LONGEST_PAUSE_S) if said.isdecimal() else 0.0
