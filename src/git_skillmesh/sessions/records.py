"""An exchange as the lines that are stored, and what a grown exchange adds to them.

In: exchanges. Out: records, and exchanges again. A record is the text of the exchange or one tool
call. Records are never changed: a grown exchange gets further ones, and of several for the same
thing the richest counts. That makes the order in which they arrive, and who wrote them, immaterial:
two clones unite theirs by keeping all.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from .model import Exchange, exchange_from_json, exchange_to_json

Record = dict[str, Any]
# Key of a record within its exchange → the record; "" is the text.
State = dict[str, Record]

_TEXT = ""


class Incomplete(ValueError):
    """Records that no exchange can be made of."""


def records_of(exchange: Exchange) -> list[Record]:
    """Return the text and the tool calls, each with its `position` and, if need be, a `key`."""
    text = exchange_to_json(exchange)
    calls = text.pop("tools", [])
    found, keys = [text], {_TEXT}
    for position, call in enumerate(calls):
        record = {"position": position, **call}
        key = call["call_id"]
        if key in keys:  # no id, or one that the agent used twice
            key = record["key"] = f"{key}~{position}"
        keys.add(key)
        found.append(record)
    return found


def exchange_of(state: State) -> Exchange:
    """Return the exchange that the records tell of. Raises `Incomplete`."""
    calls = sorted(
        (record.get("position", 0), key, record) for key, record in state.items() if key != _TEXT
    )
    try:
        return exchange_from_json({**state[_TEXT], "tools": [call for _, _, call in calls]})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Incomplete(f"{type(error).__name__}: {error}") from None


def encode(records: Iterable[Record]) -> bytes:
    """Return records as JSON lines."""
    return b"".join(_line(record) + b"\n" for record in records)


def decode(data: bytes) -> list[Record]:
    """Return the records of JSON lines. Raises `Incomplete`."""
    try:
        found = [json.loads(line) for line in data.split(b"\n") if line]
    except ValueError as error:
        raise Incomplete(str(error)) from None
    if not all(isinstance(record, dict) for record in found):
        raise Incomplete("a line is no JSON object")
    return found


def unite(records: Iterable[Record]) -> State:
    """Return the richest record for each key, whatever their order. Raises `Incomplete`."""
    state: State = {}
    known: dict[str, Record] = {}
    waiting: dict[str, list[Record]] = {}
    for record in records:
        base = record.get("base")
        if base is not None and base not in known:
            waiting.setdefault(base, []).append(record)
            continue
        ready = [record if base is None else _grown(known[base], record)]
        while ready:
            whole = ready.pop()
            key, name = _key(whole), digest(whole)
            known[name] = whole
            if key not in state or _rank(whole) > _rank(state[key]):
                state[key] = whole
            ready += [_grown(whole, growth) for growth in waiting.pop(name, ())]
    if waiting:
        raise Incomplete(f"the record {min(waiting)} is missing")
    return state


def additions(state: State, exchange: Exchange) -> list[Record]:
    """Return what has to be stored beside `state` so that it tells of `exchange` too."""
    found = []
    for record in records_of(exchange):
        stored = state.get(_key(record))
        if stored is None:
            found.append(record)
        elif _rank(record) > _rank(stored):
            found.append(_growth(stored, record))
    return found


def digest(record: Record) -> str:
    """Return what a growing record calls the one it builds on."""
    return hashlib.sha256(canonical(record)).hexdigest()[:16]


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the one way to write a JSON document as bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _key(record: Record) -> str:
    """Return what a record is about. Raises `Incomplete`."""
    key = record.get("key", record.get("call_id", _TEXT))
    if not isinstance(key, str) or not (key or "exchange_id" in record):
        raise Incomplete("a record is neither a text nor a tool call")
    return key


def _rank(record: Record) -> tuple[int, bytes]:
    """Return what makes one record richer than another: a total order, the same everywhere."""
    data = canonical(record)
    return len(data), data


def _growth(old: Record, new: Record) -> Record:
    """Return `new` as what it adds to `old`; `new` itself where that would be no shorter."""
    append = {
        name: value[len(old[name]) :]
        for name, value in new.items()
        if isinstance(value, str) and _begins(old.get(name), value)
    }
    change = {
        name: value for name, value in new.items() if name not in append and value != old.get(name)
    }
    grown = {"base": digest(old), "append": append, "set": change}
    if set(old) - set(new) or len(canonical(grown)) >= len(canonical(new)):
        return new
    return grown


def _begins(old: Any, value: str) -> bool:
    return isinstance(old, str) and bool(old) and value != old and value.startswith(old)


def _grown(old: Record, growth: Record) -> Record:
    try:
        appended = {name: old[name] + value for name, value in growth["append"].items()}
        return {**old, **growth["set"], **appended}
    except (KeyError, TypeError, AttributeError) as error:
        raise Incomplete(f"what builds on {growth['base']} does not fit it: {error}") from None


def _line(record: Record) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 cannot hold and JSON can
        return json.dumps(record, separators=(",", ":")).encode()
