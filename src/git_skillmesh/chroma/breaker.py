"""Leave a server alone that does not answer, for all processes of a repository.

In: how asking it went. Out: whether to ask it now. What is known stands in `server.json` beside the
other caches: from when it was away, why, and until when nobody asks again. After that one process
asks, and the others wait for how that goes. Only background work heeds it: what a user asks for is
always tried.
"""

import json
import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import Busy, ReadOnly, SkillmeshError, Unavailable, Unreachable
from ..files import replace_file
from .locking import held
from .target import Target

FIRST_S = 30.0
LONGEST_S = 900.0
# For so long the others let one process find out.
PROBE_S = 120.0
_LOCK_S = 5.0
_FILE = "server.json"


class LeftAlone(Unavailable):
    """Nobody asks the server at the moment."""


@dataclass(frozen=True, slots=True)
class Away:
    """A server that does not answer: `since` and `until` in seconds since 1970."""

    since: float
    until: float
    failures: int
    what: str

    def say(self) -> str:
        """Return it in a line."""
        return f"away since {_clock(self.since)}, asked again after {_clock(self.until)}"


class Breaker:
    """What is known of one server.

    Whoever cannot note it (a disk that is full or read-only) asks anew each time.
    """

    def __init__(self, target: Target, state_dir: Path) -> None:
        self._target = target
        self._path = state_dir / _FILE

    def away(self) -> Away | None:
        """Return since when the server is away; None if it is not known to be."""
        found = self._read().get(self._target.fingerprint)
        try:
            return Away(
                float(found["since"]), float(found["until"]), int(found["failures"]),
                str(found["what"]),
            ) if found else None  # fmt: skip
        except (KeyError, TypeError, ValueError):
            return None

    def ask(self) -> None:
        """Return if the server may be asked, by this process then. Raises `LeftAlone`."""
        if self._target.kind == "persistent" or self.away() is None:
            return
        with suppress(Busy, ReadOnly), self._writing():
            away, now = self.away(), time.time()
            if away is None:
                return
            # A clock that was set back must not keep the server away for ever.
            if now < away.until <= now + LONGEST_S:
                raise LeftAlone(
                    f"{self._target.describe()} is {away.say()}",
                    "git skillmesh index --chroma wait asks it now",
                )
            self._keep(Away(away.since, now + PROBE_S, away.failures, away.what))

    def worked(self) -> None:
        """Note that the server has answered."""
        if self._target.kind != "persistent" and self.away() is not None:
            with suppress(Busy, ReadOnly), self._writing():
                self._keep(None)

    def failed(self, error: SkillmeshError, at_least: float = 0.0) -> None:
        """Note that it has not; the pause doubles each time."""
        if self._target.kind == "persistent" or isinstance(error, LeftAlone):
            return
        with suppress(Busy, ReadOnly), self._writing():
            away, now = self.away(), time.time()
            failures = away.failures + 1 if away else 1
            pause = min(FIRST_S * 2 ** min(failures - 1, 10), LONGEST_S / 1.2)
            pause = min(max(pause * random.uniform(0.8, 1.2), at_least), LONGEST_S)  # noqa: S311
            since = away.since if away else now
            self._keep(Away(since, now + pause, failures, str(error.what)[:300]))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note how the block went: an `Unreachable` is a server that is away."""
        try:
            yield
        except Unreachable as error:
            self.failed(error)
            raise
        self.worked()

    def _writing(self) -> AbstractContextManager[None]:
        return held(self._path.with_name(f"{_FILE}.lock"), False, _LOCK_S, Busy("busy"))

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _keep(self, away: Away | None) -> None:
        known = self._read()
        if away is None:
            known.pop(self._target.fingerprint, None)
        else:
            known[self._target.fingerprint] = asdict(away)
        with suppress(OSError):
            replace_file(self._path, json.dumps(known).encode(), durable=False)


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%SZ", time.gmtime(seconds))
