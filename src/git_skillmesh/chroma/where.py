"""Conditions on metadata, as Chroma writes them, for records that no Chroma has.

In: JSON text. Out: `parse` checks it and returns it; `matches` says whether metadata fulfils it.
A record without the key fulfils none but `$ne` and `$nin`, as in Chroma.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import UsageError

_EQUAL: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda held, wanted: _same(held, wanted),
    "$in": lambda held, wanted: any(_same(held, one) for one in wanted),
}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda held, wanted: held > wanted,
    "$gte": lambda held, wanted: held >= wanted,
    "$lt": lambda held, wanted: held < wanted,
    "$lte": lambda held, wanted: held <= wanted,
}
_OPPOSITE = {"$ne": "$eq", "$nin": "$in"}
_JOINS = {"$and": all, "$or": any}
_DEEPEST = 20
_SHOWN = '{"language": "python"} or {"$and": [{"a": 1}, {"b": {"$gt": 2}}]}'


def parse(text: str) -> dict[str, Any]:
    """Return the condition that a text writes, {} for none. Raises `UsageError`."""
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _wrong("it is no JSON") from None
    if found is None or found == {}:
        return {}
    _check(found, 0)
    checked: dict[str, Any] = found
    return checked if len(checked) == 1 else {"$and": [{k: v} for k, v in checked.items()]}


def _check(condition: Any, depth: int) -> None:
    if depth > _DEEPEST or not isinstance(condition, dict) or not condition:
        raise _wrong("it is no object with a key")
    for key, wanted in condition.items():
        if key in _JOINS:
            if not isinstance(wanted, list) or not wanted:
                raise _wrong(f"{key} wants a list of conditions")
            for one in wanted:
                _check(one, depth + 1)
        elif key.startswith("$"):
            raise _wrong(f"{key!r:.40} is not known")
        else:
            _check_value(key, wanted)


def _check_value(key: str, wanted: Any) -> None:
    operations = wanted if isinstance(wanted, dict) else {"$eq": wanted}
    if len(operations) != 1:
        raise _wrong(f"{key!r:.40} wants one operator")
    ((operator, value),) = operations.items()
    if operator in ("$in", "$nin"):
        values = value if isinstance(value, list) else []
        if not values or not all(_plain(one) for one in values):
            raise _wrong(f"{operator} wants a list of values")
    elif operator in _ORDER:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong(f"{operator} wants a number")
    elif operator not in ("$eq", "$ne") or not _plain(value):
        raise _wrong(f"{key!r:.40} has {operator!r:.40} and {value!r:.40}")


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _wrong(why: str) -> UsageError:
    return UsageError(f"where cannot be used: {why}", f"write it as {_SHOWN}")


def matches(condition: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether metadata fulfils a condition that `parse` has returned."""
    return all(_fulfils(key, wanted, metadata) for key, wanted in condition.items())


def _fulfils(key: str, wanted: Any, metadata: Mapping[str, Any]) -> bool:
    if key in _JOINS:
        return _JOINS[key](matches(one, metadata) for one in wanted)
    operations = wanted if isinstance(wanted, dict) else {"$eq": wanted}
    ((operator, value),) = operations.items()
    if operator in _OPPOSITE:
        return not _holds(_OPPOSITE[operator], metadata.get(key), value)
    return _holds(operator, metadata.get(key), value)


def _holds(operator: str, held: Any, value: Any) -> bool:
    if held is None:
        return False
    if operator in _EQUAL:
        return _EQUAL[operator](held, value)
    if isinstance(held, bool) or not isinstance(held, int | float):
        return False
    return _ORDER[operator](held, value)


def _same(held: Any, wanted: Any) -> bool:
    return held == wanted and isinstance(held, bool) == isinstance(wanted, bool)
