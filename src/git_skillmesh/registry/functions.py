"""Cards as a list of function tools that every provider takes.

In: cards. Out: tools with different names and sound schemas. A stranger's card may say anything
about its parameters; what is not a schema is replaced by what the other fields of the card give.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .invocation import DESCRIPTION_LENGTH, derived, tool_name, usable
from .model import Card
from .parts import harmless

THIRD_PARTY = "[third party] "
_TYPES = frozenset(("object", "array", "string", "number", "integer", "boolean", "null"))
_DEEPEST = 12
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # what every provider takes
_TEXTS = frozenset(("description", "title", "format"))
_NUMBERS = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"))
_COUNTS = frozenset(("minLength", "maxLength", "minItems", "maxItems"))


def function_tools(cards: "Iterable[tuple[Card, bool]]") -> list[dict[str, Any]]:
    """Return a function tool for each card; the second says whether it is third-party data."""
    tools: list[dict[str, Any]] = []
    taken: set[str] = set()
    for card, third_party in cards:
        tool = _tool(card)
        function = tool["function"]
        if function["name"] in taken:
            function["name"] = _other_name(card.id, taken)
        taken.add(function["name"])
        about = harmless(function["description"])
        if third_party:
            about = f"{THIRD_PARTY}{about}"
        if len(about) > DESCRIPTION_LENGTH:
            about = about[: DESCRIPTION_LENGTH - 1].rsplit(" ", 1)[0] + "…"
        function["description"] = about
        tools.append(tool)
    return tools


def _tool(card: Card) -> dict[str, Any]:
    """Return the tool of a card with nothing in it but what a tool has."""
    function = card.invocation["function"] if usable(card.invocation) else {}
    if not sound(function.get("parameters"), top=True):
        return derived(card.id, card.description, card.input_contract)
    return {
        "type": "function",
        "function": {
            "name": function["name"],
            "description": function["description"],
            "parameters": _clean(function["parameters"]),
        },
    }


def _clean(value: Any) -> Any:
    """Return a copy without characters that reorder text or that no JSON may have."""
    if isinstance(value, Mapping):
        return {key: _clean(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in value]
    return harmless(value) if isinstance(value, str) else value


def _other_name(card_id: str, taken: "set[str]") -> str:
    """Return a name that is not taken: one that ends in a number."""
    number = 2
    while (name := f"{tool_name(card_id)[:58]}_{number}") in taken:
        number += 1
    return name


def sound(schema: object, *, top: bool = False, depth: int = 0) -> bool:
    """Whether this is a JSON schema of plain types, as tools have; references are not let in."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return False
    if top and schema.get("type") != "object":
        return False
    return all(_sound_keyword(key, value, schema, depth) for key, value in schema.items())


def _sound_keyword(key: object, value: Any, schema: Mapping[str, Any], depth: int) -> bool:
    if key == "type":
        kinds = value if isinstance(value, (list, tuple)) else [value]
        known = all(isinstance(kind, str) and kind in _TYPES for kind in kinds)
        return known and 0 < len(set(kinds)) == len(kinds)
    if key in _TEXTS:
        return isinstance(value, str)
    if key == "properties":
        return isinstance(value, Mapping) and all(
            bool(_PROPERTY.fullmatch(str(name))) and sound(one, depth=depth + 1)
            for name, one in value.items()
        )
    if key == "required":
        names = value if isinstance(value, (list, tuple)) else [None]
        properties = schema.get("properties")
        return (
            all(isinstance(name, str) for name in names)
            and len(set(names)) == len(names)
            and isinstance(properties, Mapping)
            and set(names) <= set(properties)
        )
    if key == "additionalProperties":
        return isinstance(value, bool) or sound(value, depth=depth + 1)
    if key == "items":
        return sound(value, depth=depth + 1)
    if key == "enum":
        return _plain_list(value)
    if key == "default":
        return _plain(value)
    if key in _NUMBERS:
        return not isinstance(value, (bool, str)) and value is not None and _plain(value)
    if key in _COUNTS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key in ("anyOf", "oneOf"):
        return (
            isinstance(value, (list, tuple))
            and len(value) > 0
            and all(sound(one, depth=depth + 1) for one in value)
        )
    return False


def _plain_list(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or not value or not all(map(_plain, value)):
        return False
    return len({(isinstance(one, bool), one) for one in value}) == len(value)


def _plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, int))
