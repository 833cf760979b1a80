"""What people said of candidates, kept where it is shared: in the memory, or in notes of commits.

In: a candidate and a decision. Out: an event of kind "candidate" of the session that speaks for it;
for one that rests on commits alone, a line of the note of its first commit. Both are only ever
added to, so two clones that decide agree when they meet. Of two decisions the later one counts.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import UsageError
from ..git.notes import add_lines, all_notes
from ..git.repository import Repository
from ..sessions.events import Event, Status, in_order
from ..sessions.store import MemoryStore
from .candidates import Candidate, Decision

KIND = "candidate"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, when it was taken, and the reason or the learning that came of it."""

    decision: Decision
    time: str
    reason: str = ""
    learning_id: str = ""


def decide(
    store: MemoryStore, candidate: Candidate, decided: Decided, *, status: bool = True
) -> None:
    """Keep a decision; a promotion also sets the status of the exchanges that speak for it.

    `reason` has to be redacted: events are stored as they are. Raises as
    `MemoryStore.append_events`, and `UsageError` for a candidate that rests on nothing.
    """
    value = {"candidate": candidate.id, "decision": str(decided.decision)}
    value |= {"reason": decided.reason[:_LONGEST]} if decided.reason else {}
    value |= {"learning": decided.learning_id} if decided.learning_id else {}
    spoken = [one for one in candidate.evidence if one.session]
    if not spoken:
        if not candidate.commits:
            raise UsageError(f"{candidate.id} rests on no conversation and no commit")
        line = json.dumps({"v": 1, "kind": KIND, "time": decided.time, **value}, sort_keys=True)
        add_lines(store.repository, {candidate.commits[0]: [line]})
        return
    first = spoken[0]
    events = {first.session: [Event(KIND, value, first.exchange, decided.time)]}
    if status and decided.decision is Decision.PROMOTED:
        for one in spoken:
            event = Event("status", str(Status.PROMOTED), one.exchange, decided.time)
            events.setdefault(one.session, []).append(event)
    store.append_to_many(events)


def decisions(store: MemoryStore, events: Iterable[Event] | None = None) -> dict[str, Decided]:
    """Return id of the candidate → the latest decision. Raises `Damaged`."""
    if events is None:
        events = (event for each in store.all_events().values() for event in each)
    found = [event for event in events if event.kind == KIND]
    found += _noted(store.repository)
    latest: dict[str, Decided] = {}
    for event in in_order(found):
        value = event.value
        if isinstance(value, dict) and isinstance(value.get("candidate"), str):
            try:
                decision = Decision(str(value.get("decision")))
            except ValueError:
                continue
            texts = (str(value.get(name, ""))[:_LONGEST] for name in ("reason", "learning"))
            latest[value["candidate"]] = Decided(decision, event.time, *texts)
    return latest


def _noted(repository: Repository) -> list[Event]:
    found = []
    for lines in all_notes(repository).values():
        for line in lines:
            if f'"{KIND}"' not in line:
                continue
            try:
                document: dict[str, Any] = json.loads(line)
                if document.pop("kind") == KIND and document.pop("v") == 1:
                    found.append(Event(KIND, document, time=str(document.pop("time"))))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue
    return found


def with_decision(candidate: Candidate, known: Mapping[str, Decided]) -> Candidate:
    """Return a candidate with the latest decision about any of its evidence."""
    found = [known[name] for name in candidate.aliases if name in known]
    if not found:
        return candidate
    last = max(found, key=lambda one: (one.time, str(one.decision)))
    return replace(
        candidate, decision=last.decision, reason=last.reason, learning_id=last.learning_id
    )
