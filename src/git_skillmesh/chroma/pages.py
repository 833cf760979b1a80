"""How many records a request asks a store for: as many as whoever answers it allows.

In: a `Target`, a request that takes a number. Out: its answer. Chroma Cloud allows 300 unless more
was agreed upon, by whatever way it is reached; what another server allows, it says when it refuses.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from .target import Target

T = TypeVar("T")

MOST = 2000
# Some room below the 300 of https://docs.trychroma.com/cloud/quotas-limits.
CLOUD_MOST = 250
_REFUSED = re.compile(r"exceeded quota limit .*exceeds limit of ([0-9]{1,9})\b", re.DOTALL)


class Pages:
    """Requests to one store. `most` shrinks where it turns out to be too much."""

    def __init__(self, target: Target) -> None:
        self.most = CLOUD_MOST if target.is_hosted else MOST

    def ask(self, call: Callable[[int], T]) -> T:
        """Call with the largest number of records to ask for. Raises what the call raises."""
        while True:
            try:
                return call(self.most)
            except Exception as error:
                allowed = quota_of(error)
                if not 0 < allowed < self.most:
                    raise
                self.most = allowed


def quota_of(error: BaseException) -> int:
    """Return how many records a server allows, where that is why it has refused; 0 otherwise."""
    found = _REFUSED.search(str(error))
    return int(found[1]) if found and _is_of_records(str(error)) else 0


def is_quota(error: BaseException) -> bool:
    """Whether a server refuses because there is too much of something."""
    return "exceeded quota limit" in str(error)


def _is_of_records(said: str) -> bool:
    return "'Limit value'" in said or "'Number of re" in said  # records, results
