"""What clients really send, made to fit the plain types of a tool.

In: the arguments of a call, the tool's schema. Out: arguments for it. Clients send null for what is
left out, numbers as text, text as numbers, one text for a list of texts, a list or object where its
JSON is wanted, and old names of arguments.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def fitting(
    given: Mapping[str, Any], schema: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the arguments as the schema has them; `names` are others that they go by.

    What cannot be made to fit is left as it is, for validation to refuse.
    """
    properties: Mapping[str, Any] = schema.get("properties", {})
    fitted: dict[str, Any] = {}
    for name, value in given.items():
        own = name if name in properties else names.get(name, _HUMP.sub(r"_\1", name).lower())
        if value is None or own not in properties or (own != name and own in given):
            continue
        fitted[own] = _fitted(value, str(properties[own].get("type", "")))
    return fitted


def _fitted(value: Any, kind: str) -> Any:
    if kind == "string":
        return _text(value)
    if kind == "array":
        return _list(value)
    if kind == "integer" and isinstance(value, str):
        return _number(value)
    if kind == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    return value


def _text(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0]  # a list of queries with one in it
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def _list(value: Any) -> Any:
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except (ValueError, RecursionError):
            read = None
        value = read if isinstance(read, list) else [value] if value.strip() else []
    if isinstance(value, list):
        return [_text(one) for one in value if one is not None]
    return [_text(value)]


def _number(text: str) -> Any:
    try:
        number = float(text)
        return int(number) if number.is_integer() else text
    except (ValueError, OverflowError):
        return text
