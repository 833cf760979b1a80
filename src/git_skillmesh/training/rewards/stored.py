"""Rewards as the memory keeps them: the value of events of kind "reward", written and read.

In: rewards, or events. Out: the other. What a later version writes otherwise is left out.
"""

from collections.abc import Iterable
from typing import Any

from ...git.repository import Repository
from ...sessions.events import Event, latest
from ...sessions.reading import MemoryReader
from ..model import Pair, Reward, Verdict

KIND = "reward"


def stored_rewards(repository: Repository) -> dict[Pair, Reward]:
    """Return what the memory says of each exchange, as of its last reward. Raises `Damaged`."""
    reader = MemoryReader(repository)
    events = reader.all_events()
    found = {}
    for summary in reader.sessions():
        said = latest(events.get(summary.head.key, ()), KIND)
        for exchange, value in said.items():
            if one := reward_in(summary.head.session_id, exchange, value):
                found[summary.head.session_id, exchange] = one
    return found


def scores_of(events: Iterable[Event]) -> dict[str, float]:
    """Return exchange id → score, of the events of a session."""
    said = latest(events, KIND)
    rewards = {name: reward_in("", name, value) for name, value in said.items()}
    return {name: one.score for name, one in rewards.items() if one}


def value_of(reward: Reward) -> dict[str, Any]:
    """Return the value of the event for a reward."""
    return {
        "verdict": reward.verdict.value,
        "score": reward.score,
        "parts": dict(reward.parts),
        "linked": reward.linked,
        "alive": reward.alive,
        "in_substance": reward.in_substance,
        "commits": list(reward.commits),
        "replaced_by": [list(pair) for pair in reward.replaced_by],
        "formula": reward.formula,
        "commit": reward.commit,
        "time": reward.time,
    }


def reward_in(session: str, exchange: str, value: Any) -> Reward | None:
    """Return the reward that an event holds, None for one of another form."""
    try:
        score = float(value["score"])
        if not 0 <= score <= 1:  # nor if it is no number
            return None
        return Reward(
            session,
            exchange,
            Verdict(value["verdict"]),
            score,
            {str(name): float(part) for name, part in value["parts"].items()},
            int(value["linked"]),
            int(value["alive"]),
            int(value["in_substance"]),
            tuple(map(str, value.get("commits", ()))),
            tuple((str(one), str(other)) for one, other in value["replaced_by"]),
            int(value["formula"]),
            str(value["commit"]),
            str(value.get("time", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
