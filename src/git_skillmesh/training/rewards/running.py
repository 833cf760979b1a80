"""Judge, and append what is new as events.

In: the memory of a repository, a revision. Out: `Outcome`: every exchange judged, and those for
which events were added. An event is added where the verdict, who replaced it or the formula is
another one, or the score has moved; its time is that of the commit judged at, so that clones which
judge the same commit add the same event. What was judged at a later commit is left alone.

What was judged is kept together with what it was judged from, in one transaction: what is killed
begins again from what was kept before, and adds the same events.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from ...git.database import ObjectDatabase
from ...git.notes import REF as NOTES
from ...git.refs import read_ref
from ...sessions.events import Event, Status, statuses
from ...sessions.reading import Summary, events_in
from ...sessions.store import MemoryStore
from ..model import Pair, Reward, Verdict
from .cache import Cache
from .concerned import Before
from .facts import Progress
from .judging import USUAL, Age, Judged, Judging, iso, judge
from .lines import named
from .score import FORMULA, Evidence
from .stored import KIND, reward_in, value_of

# A score that has moved by less says nothing new.
_MOVED = 0.02
_STATUSES = {
    Verdict.IMPLEMENTED: Status.IMPLEMENTED,
    Verdict.IGNORED: Status.IGNORED,
}
# Where the state names the memory.
_MEMORY = 3
_EVIDENCE = [each.name for each in fields(Evidence)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was judged, which of it is new, whether it had to be judged at all.

    `again` is how many exchanges were judged this time, the others are as they were before.
    """

    judged: Mapping[Pair, Judged]
    changed: tuple[Pair, ...] = ()
    unreadable: tuple[str, ...] = ()
    fresh: bool = True
    again: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the cache says of the last judging.

    `state` is what it was judged from. `compared` are the sessions whose events were compared with
    it ("" for all), `events` session → tree of its events then. `waiting` are exchanges that have
    no event because one of a later commit is there.
    """

    state: list[Any]
    compared: list[str]
    before: Before
    events: Mapping[str, str]
    waiting: tuple[Pair, ...]

    @classmethod
    def read(cls, cache: Cache) -> "_Kept | None":
        """Return it, None if there is none."""
        found = cache.get("state", "judged")
        if not found:
            return None
        waiting = tuple((session, exchange) for session, exchange in found["waiting"])
        return cls(**{**found, "before": Before.read(found["before"]), "waiting": waiting})

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**found, "before": self.before.document()}


def reward(
    store: MemoryStore, at: str, age: Age = USUAL, *, session: str = "", write: bool = True,
    progress: Progress = None,
) -> Outcome:  # fmt: skip
    """Judge all exchanges as of a commit, and append events unless `write` is False.

    With `session` only events of that one are added. Raises as `MemoryStore.append_to_many`.
    """
    with Cache(store.repository) as cache:
        kept = _Kept.read(cache)
        state = _state(store, at, age)
        if kept and kept.state == state and {"", session} & set(kept.compared):
            return Outcome(_of(_stored(cache, kept.before), session), fresh=False)
        summaries = _summaries(store)
        trees = {name: one.listed for name, one in summaries.items()}
        before = kept.before if kept else None
        found = judge(store, cache, at, state[2], trees, age, before, progress)
        judged = _united(cache, found, trees)
        again = _to_compare(kept, found, judged, summaries)
        asked = {pair for pair in again if not session or pair[0] == session}
        events, waiting = _events(store, judged, asked, summaries, at)
        if write:
            store.append_to_many(events)
            if found.unreadable:
                cache.put("state", {"judged": None})
            else:
                known = kept.compared if kept and kept.state == state else []
                if events:
                    state, summaries = _after_writing(store, summaries, state)
                told = {name: one.events for name, one in summaries.items()}
                compared = sorted({*known, session})
                now = _Kept(state, compared, found.after, told, tuple(waiting))
                _keep(cache, found, judged, now)
    changed = tuple(sorted({(name, one.exchange_id) for name in events for one in events[name]}))
    return Outcome(_of(judged, session), changed, found.unreadable, again=len(found.judged))


def _state(store: MemoryStore, at: str, age: Age) -> list[Any]:
    notes = read_ref(store.repository, NOTES)
    return [FORMULA, at, notes, read_ref(store.repository, store.ref), age.commits, age.days]


def _summaries(store: MemoryStore) -> dict[str, Summary]:
    return {one.head.session_id: one for one in store.sessions()}


def _of(judged: Mapping[Pair, Judged], session: str) -> dict[Pair, Judged]:
    return {pair: one for pair, one in judged.items() if not session or pair[0] == session}


def _united(cache: Cache, found: Judging, trees: Mapping[str, str]) -> dict[Pair, Judged]:
    """Return all exchanges: those judged now, and the others as they were judged before."""
    if found.wanted is None:
        return dict(found.judged)
    time = iso(found.after.time)
    rest = {
        pair: one
        for name, rows in cache.all("rewards")
        if name in trees
        for pair, one in _read(name, rows, found.after.at, time)
        if pair not in found.wanted
    }
    return dict(sorted({**rest, **found.judged}.items(), key=lambda one: one[0]))


def _to_compare(
    kept: _Kept | None, found: Judging, judged: Mapping[Pair, Judged],
    summaries: Mapping[str, Summary],
) -> Iterable[Pair]:  # fmt: skip
    """Return the exchanges of which an event may be missing."""
    if found.wanted is None or kept is None or "" not in kept.compared:
        return judged.keys()
    told = {name for name, one in summaries.items() if one.events != kept.events.get(name)}
    others = {pair for pair in judged if pair[0] in told}
    return {*found.judged, *others, *(pair for pair in kept.waiting if pair in judged)}


def _events(
    store: MemoryStore, judged: Mapping[Pair, Judged], asked: Iterable[Pair],
    summaries: Mapping[str, Summary], at: str,
) -> tuple[dict[str, list[Event]], list[Pair]]:  # fmt: skip
    """Return session → events to add, and the exchanges of which a later commit has told."""
    by_session: dict[str, list[Judged]] = {}
    for pair in sorted(asked):
        by_session.setdefault(pair[0], []).append(judged[pair])
    events: dict[str, list[Event]] = {}
    waiting: list[Pair] = []
    with ObjectDatabase(store.repository) as db:
        for session, listed in by_session.items():
            tree = summaries[session].events
            there = events_in(db, tree) if tree else ()
            last = {event.exchange_id: event for event in there if event.kind == KIND}
            reached = statuses(there)
            for one in listed:
                new = _new_events(one.reward, last.get(one.reward.exchange), reached, at)
                if new is None:
                    waiting.append((session, one.reward.exchange))
                elif new:
                    events.setdefault(session, []).extend(new)
    return events, waiting


def _after_writing(
    store: MemoryStore, summaries: dict[str, Summary], state: list[Any]
) -> tuple[list[Any], dict[str, Summary]]:
    """Return the state and the sessions with our events; those of before if others wrote too."""
    tip = read_ref(store.repository, store.ref)
    now = _summaries(store)
    same = {name: one.listed for name, one in now.items()} == {
        name: one.listed for name, one in summaries.items()
    }
    if same and tip == read_ref(store.repository, store.ref):
        return [tip if place == _MEMORY else one for place, one in enumerate(state)], now
    return state, summaries


def _keep(cache: Cache, found: Judging, judged: Mapping[Pair, Judged], kept: _Kept) -> None:
    """Write down what was judged, and from what, at once."""
    sessions = {session for session, _ in (judged if found.wanted is None else found.wanted)}
    rows: dict[str, list[list[object]]] = {}
    for pair, one in judged.items():
        if pair[0] in sessions:
            rows.setdefault(pair[0], []).append(_row(one))
    keys = {named(pair): found.keys.get(pair, frozenset()) for pair in found.wanted or found.keys}
    with cache.at_once():
        if found.wanted is None:
            cache.displace("pairs")
            sessions |= cache.stamps("rewards").keys()
        cache.drop("rewards", sessions - rows.keys())
        cache.put("rewards", rows)
        cache.place("pairs", keys)
        cache.put("state", {"judged": kept.document()})


def _new_events(
    reward: Reward, last: Event | None, reached: Mapping[str, Status], at: str
) -> list[Event] | None:
    """Return the events that say what is new; None if a later commit has told of the exchange."""
    before = reward_in(reward.session, reward.exchange, last.value) if last else None
    if before and not _differs(before, reward):
        return []
    time = reward.time
    if last and last.time >= time:
        if before and before.commit != at:
            return None
        time = _after(last.time)
    status = _STATUSES.get(reward.verdict)
    told = [Event(KIND, value_of(reward), reward.exchange, time)]
    if status and reached.get(reward.exchange) is not status:
        told.insert(0, Event("status", status.value, reward.exchange, time))
    return told


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
    value = {
        name: said for name, said in value_of(one.reward).items() if name not in ("commit", "time")
    }
    evidence = [getattr(one.evidence, name) for name in _EVIDENCE]
    return [one.reward.exchange, value, evidence, one.number, dict(one.commits)]


def _stored(cache: Cache, before: Before) -> dict[Pair, Judged]:
    rows = cache.all("rewards")
    time = iso(before.time)
    return dict(
        sorted(
            (one for name, listed in rows for one in _read(name, listed, before.at, time)),
            key=lambda one: one[0],
        )
    )


def _read(
    session: str, rows: Iterable[list[Any]], at: str, time: str
) -> Iterable[tuple[Pair, Judged]]:
    for exchange, value, evidence, number, commits in rows:
        reward = reward_in(session, exchange, {**value, "commit": at, "time": time})
        if reward is None:
            raise ValueError("a reward of another form")
        said = Evidence(**dict(zip(_EVIDENCE, evidence, strict=True)))
        yield (session, exchange), Judged(reward, said, number, commits)
