"""A card as a function tool, the way the providers' APIs take tools.

In: what a card says. Out: {"type": "function", "function": {name, description, parameters}}.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .model import InputContract

NAME = r"[A-Za-z0-9_-]{1,64}"
DESCRIPTION_LENGTH = 1024
_KEY_LENGTH = 48
_DEEPEST = 24
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_WORD = re.compile(r"[a-z0-9]+")
# Words that tell one phrase from another in no way.
_FILLERS = frozenset(("a", "an", "the", "of", "to", "and", "or", "for", "in", "on", "with", "by"))
_TASK = "What is to be done, in the words of whoever asks for it."


def derived(card_id: str, description: str, contract: InputContract) -> dict[str, Any]:
    """Return the function that hands a task to an expert, with what the expert has to be told."""
    properties = {"task": {"type": "string", "description": _TASK}}
    required = ["task"]
    for phrases, must in ((contract.required, True), (contract.optional, False)):
        for phrase in phrases:
            key = _key(phrase, properties)
            properties[key] = {"type": "string", "description": phrase}
            if must:
                required.append(key)
    return {
        "type": "function",
        "function": {
            "name": tool_name(card_id),
            "description": _shortened(description),
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            },
        },
    }


def tool_name(card_id: str) -> str:
    """Return an id as the name of a function; what would be too long ends in a hash of it."""
    name = _ODD.sub("_", card_id)
    if name == card_id.replace(".", "_") and 0 < len(name) <= 64:
        return name
    return f"{name[:55]}_{hashlib.sha256(card_id.encode()).hexdigest()[:8]}"


def usable(invocation: object) -> bool:
    """Whether this is a function tool; anything else that a foreign card has is replaced."""
    if not isinstance(invocation, Mapping) or invocation.get("type") != "function":
        return False
    function = invocation.get("function")
    if not isinstance(function, Mapping):
        return False
    name, parameters = function.get("name"), function.get("parameters")
    return (
        isinstance(name, str)
        and re.fullmatch(NAME, name) is not None
        and isinstance(function.get("description"), str)
        and isinstance(parameters, Mapping)
        and parameters.get("type") == "object"
        and not _deeper_than(_DEEPEST, invocation)
    )


def _deeper_than(levels: int, value: object) -> bool:
    inside = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, str) or not isinstance(inside, Iterable):
        return False
    return not levels or any(_deeper_than(levels - 1, one) for one in inside)


def _key(phrase: str, taken: Mapping[str, Any]) -> str:
    """Return a name for a property: the first words of the phrase that say something."""
    found = _WORD.findall(phrase.lower())
    words = [word for word in found if word not in _FILLERS][:5] or ["input"]
    key: str = words[0][:_KEY_LENGTH]
    for word in words[1:]:
        if len(key) + 1 + len(word) <= _KEY_LENGTH:
            key += f"_{word}"
    if key[0].isdigit():
        key = f"n_{key}"
    number, name = 1, key
    while name in taken:
        number += 1
        name = f"{key}_{number}"
    return name


def _shortened(text: str) -> str:
    """Return a description that every provider takes, cut behind a sentence or a word."""
    if len(text) <= DESCRIPTION_LENGTH:
        return text
    start = text[: DESCRIPTION_LENGTH - 1]
    sentence = start.rfind(". ")
    return start[: sentence + 1] if sentence > 0 else start.rsplit(" ", 1)[0] + "…"
