"""Rewards as `git skillmesh rewards` would have stored them.

In: a repository, an exchange that is stored. Out: the events of its verdict and score.
"""

from typing import Any

from git_skillmesh.sessions.events import Event
from git_skillmesh.training.model import Pair, Verdict
from testing.memory import open_memory
from testing.repos import Repo

JUDGED = "2026-04-01T00:00:00Z"


def reward_event(
    exchange: str, verdict: Verdict, score: float, replaced_by: tuple[Pair, ...] = (),
    time: str = JUDGED,
) -> Event:  # fmt: skip
    """Return the event of a reward."""
    value: dict[str, Any] = {
        "verdict": str(verdict), "score": score, "parts": {"alive": 2 * score - 1}, "formula": 1,
        "commit": "", "linked": 10, "alive": round(10 * score), "in_substance": 0,
        "replaced_by": [list(pair) for pair in replaced_by],
    }  # fmt: skip
    return Event("reward", value, exchange, time)


def events_of(
    exchange: str, score: float, verdict: Verdict | None = None, replaced_by: tuple[Pair, ...] = ()
) -> list[Event]:
    """Return the events of an exchange: kept from a score of a half on, ignored below."""
    kind = verdict or (Verdict.IMPLEMENTED if score >= 0.5 else Verdict.IGNORED)
    events = [reward_event(exchange, kind, score, replaced_by)]
    if kind in (Verdict.IMPLEMENTED, Verdict.IGNORED):
        events.append(Event("status", str(kind), exchange, JUDGED))
    return events


def reward(
    repo: Repo, session: str, exchange: str, score: float = 0.9,
    verdict: Verdict | None = None, replaced_by: tuple[Pair, ...] = (),
) -> None:  # fmt: skip
    """Reward one exchange."""
    events = events_of(exchange, score, verdict, replaced_by)
    open_memory(repo).append_events(session, events)
