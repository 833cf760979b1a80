"""Judge, and append what is new as events.

In: the memory of a repository, a revision. Out: `Outcome`: every exchange judged, and those for
which events were added. An event is added where the verdict, who replaced it or the formula is
another one, or the score has moved; its time is that of the commit judged at, so that clones which
judge the same commit add the same event. What was judged at a later commit is left alone.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ...git.notes import REF as NOTES
from ...git.refs import read_ref
from ...sessions.events import Event, Status, in_order, statuses
from ...sessions.store import MemoryStore
from ..model import Pair, Reward, Verdict
from .cache import Cache
from .facts import Progress
from .judging import USUAL, Age, Judged, judge
from .score import FORMULA, Evidence
from .stored import KIND, reward_in, value_of

# A score that has moved by less says nothing new.
_MOVED = 0.02
_STATUSES = {
    Verdict.IMPLEMENTED: Status.IMPLEMENTED,
    Verdict.IGNORED: Status.IGNORED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was judged, which of it is new, whether it had to be judged at all."""

    judged: Mapping[Pair, Judged]
    changed: tuple[Pair, ...] = ()
    unreadable: tuple[str, ...] = ()
    fresh: bool = True


def reward(
    store: MemoryStore, at: str, age: Age = USUAL, *, session: str = "", write: bool = True,
    progress: Progress = None,
) -> Outcome:  # fmt: skip
    """Judge all exchanges as of a commit, and append events unless `write` is False.

    With `session` only events of that one are added. Raises as `MemoryStore.append_to_many`.
    """
    with Cache(store.repository) as cache:
        state = _state(store, at, age)
        before = cache.get("state", "judged") or {}
        if before.get("state") == state and {"", session} & set(before["sessions"]):
            judged = {pair: one for name, row in cache.all("rewards") for pair, one in [_read(row)]}
            return Outcome(_of(judged, session), fresh=False)
        judged, unreadable = judge(store, cache, at, age, progress)
        events, changed = _events(store, judged, at, session)
        if write:
            store.append_to_many(events)
            cache.drop("rewards", cache.names("rewards"))
            rows = {json.dumps(pair): _row(one) for pair, one in judged.items()}
            cache.put("rewards", rows)
            known = before["sessions"] if before.get("state") == state else []
            done = {"state": _state(store, at, age), "sessions": sorted({*known, session})}
            cache.put("state", {"judged": done if not unreadable else {}})
    return Outcome(_of(judged, session), changed, unreadable)


def _state(store: MemoryStore, at: str, age: Age) -> list[object]:
    notes = read_ref(store.repository, NOTES)
    return [FORMULA, at, notes, read_ref(store.repository, store.ref), age.commits, age.days]


def _of(judged: Mapping[Pair, Judged], session: str) -> dict[Pair, Judged]:
    return {pair: one for pair, one in judged.items() if not session or pair[0] == session}


def _events(
    store: MemoryStore, judged: Mapping[Pair, Judged], at: str, only: str
) -> tuple[dict[str, list[Event]], tuple[Pair, ...]]:
    """Return session → events to add, and the exchanges that they are about."""
    stored = store.all_events()
    keys = {one.head.session_id: one.head.key for one in store.sessions()}
    by_session: dict[str, list[Judged]] = {}
    for (session, _), one in judged.items():
        if not only or session == only:
            by_session.setdefault(session, []).append(one)
    events: dict[str, list[Event]] = {}
    changed: list[Pair] = []
    for session, listed in by_session.items():
        there = stored.get(keys.get(session, ""), ())
        last = {event.exchange_id: event for event in in_order(there) if event.kind == KIND}
        reached = statuses(there)
        for one in listed:
            new = list(_new_events(one.reward, last.get(one.reward.exchange), reached, at))
            if new:
                events.setdefault(session, []).extend(new)
                changed.append((session, one.reward.exchange))
    return events, tuple(changed)


def _new_events(
    reward: Reward, last: Event | None, reached: Mapping[str, Status], at: str
) -> Iterable[Event]:
    before = reward_in(reward.session, reward.exchange, last.value) if last else None
    if before and not _differs(before, reward):
        return
    time = reward.time
    if last and last.time >= time:
        if before and before.commit != at:
            return  # judged at a later commit
        time = _after(last.time)
    status = _STATUSES.get(reward.verdict)
    if status and reached.get(reward.exchange) is not status:
        yield Event("status", status.value, reward.exchange, time)
    yield Event(KIND, value_of(reward), reward.exchange, time)


def _differs(before: Reward, now: Reward) -> bool:
    return (
        before.verdict is not now.verdict
        or before.replaced_by != now.replaced_by
        or before.formula != now.formula
        or abs(before.score - now.score) >= _MOVED
    )


def _after(time: str) -> str:
    then = datetime.fromisoformat(time) + timedelta(seconds=1)
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(one: Judged) -> list[object]:
    return [
        one.reward.session, one.reward.exchange, value_of(one.reward), asdict(one.evidence),
        one.number, dict(one.commits),
    ]  # fmt: skip


def _read(row: Any) -> tuple[Pair, Judged]:
    session, exchange, value, evidence, number, commits = row
    reward = reward_in(session, exchange, value)
    if reward is None:
        raise ValueError("a reward of another form")
    return (session, exchange), Judged(reward, Evidence(**evidence), number, commits)
