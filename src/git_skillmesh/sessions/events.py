"""What became known of a session later: statuses, links, confidence. Events are only added.

In: events. Out: their JSON lines, and what they amount to. Two clones that add events keep both
lists, so everything here is a function of the set of events, never of their order.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from .records import canonical


class Status(StrEnum):
    """How far an exchange has come; the last two answer whether its learning was followed."""

    CAPTURED = "captured"
    ANALYZED = "analyzed"
    PROMOTED = "promoted_to_learning"
    EXPORTED = "exported_for_reward"
    IMPLEMENTED = "rewarded_implemented"
    IGNORED = "ignored_not_implemented"


_STEPS = {status: min(step, 4) for step, status in enumerate(Status)}


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about a session, or about one of its exchanges.

    `kind` is "status", "confidence", "link", "candidate" or whatever a later version adds, `value`
    its JSON. An event holds ids and numbers and never text of the conversation: it is not redacted.
    What a person gives as a reason is redacted before it becomes one.
    `time` is ISO 8601 in UTC.
    """

    kind: str
    value: Any
    exchange_id: str = ""
    time: str = ""


def _plain(event: Event) -> dict[str, Any]:
    # `asdict` would copy each value, however deep: most of the time that reading events takes.
    return {name: getattr(event, name) for name in ("kind", "value", "exchange_id", "time")}


def encode_events(events: Iterable[Event]) -> bytes:
    """Return events as sorted JSON lines, each once."""
    return b"".join(line + b"\n" for line in sorted({canonical(_plain(e)) for e in events}))


def decode_events(data: bytes) -> list[Event]:
    """Return the events of JSON lines; a line that is none is left out."""
    known = {field.name for field in fields(Event)}
    found = []
    for line in data.split(b"\n"):
        try:
            document = json.loads(line)
            found.append(Event(**{key: document[key] for key in known & set(document)}))
        except (ValueError, TypeError):
            continue
    return found


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return each event once, the oldest first."""
    unique = {canonical(_plain(event)): event for event in events}
    return tuple(unique[key] for key in sorted(unique, key=lambda key: (unique[key].time, key)))


def latest(events: Iterable[Event], kind: str) -> dict[str, Any]:
    """Return exchange id → value of the latest event of a kind."""
    return {event.exchange_id: event.value for event in in_order(events) if event.kind == kind}


def statuses(events: Iterable[Event]) -> dict[str, Status]:
    """Return exchange id → status for those that are no longer just captured.

    The furthest step counts, not the latest clock; between the two last steps the later event.
    """
    found: dict[str, Status] = {}
    for event in in_order(events):
        if event.kind == "status" and event.value in _STEPS:
            status = Status(event.value)
            before = found.get(event.exchange_id, Status.CAPTURED)
            if _STEPS[status] >= _STEPS[before]:
                found[event.exchange_id] = status
    return found
