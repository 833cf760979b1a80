"""A thought as the file that is stored, and as the JSON that people and programs exchange.

In: thoughts. Out: bytes and JSON, and thoughts again. A file says everything itself, its session
too, and its name is made of what it says: the union of two folders is right without further ado.
"""

import json
import re
from typing import Any

from ..errors import UsageError
from ..sessions.documents import documents
from ..sessions.layout import thought_name
from .model import HIGHEST_NUMBER, Thought, checked, is_id

SCHEMA = 1
# Field → key in a file, in the order of the file; what is as by default is left out.
_STORED = {
    "session_id": "session_id",
    "number": "number",
    "branch": "branch",
    "branched_from": "branched_from",
    "revises": "revises",
    "total": "total",
    "needs_more": "needs_more",
    "time": "time",
    "author": "author",
    "text": "text",
}
# Field → key where thoughts are exchanged, as agents name it.
_SAID = {
    "session_id": "session_id",
    "number": "thought_number",
    "total": "total_thoughts",
    "needs_more": "next_thought_needed",
    "branch": "branch_id",
    "branched_from": "branch_from_thought",
    "revises": "revises_thought",
    "time": "timestamp",
    "author": "author",
    "text": "thought",
}
# What other programs say as well, and what follows from the rest.
_IMPLIED = frozenset({"is_revision", "needs_more_thoughts", "revision"})
_DEFAULTS: dict[str, Any] = {
    "number": 0, "branch": "", "branched_from": 0, "revises": 0, "total": 0, "needs_more": True,
    "time": "", "author": "",
}  # fmt: skip
_TIME = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{6}Z", re.ASCII)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def to_bytes(thought: Thought) -> bytes:
    """Return the file of a thought."""
    document: dict[str, Any] = {"schema": SCHEMA}
    for field, key in _STORED.items():
        value = getattr(thought, field)
        if field not in _DEFAULTS or value != _DEFAULTS[field]:
            document[key] = value
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def name_of(thought: Thought, content: bytes) -> str:
    """Return the name of the file of a thought."""
    return thought_name(thought.number, thought.branch, content)


def from_bytes(data: bytes | None) -> Thought | None:
    """Return what a file says, None if it is none of ours: anybody may have written it."""
    try:
        document = json.loads(data or b"")
        values = {field: document[key] for field, key in _STORED.items() if key in document}
        values = {**_DEFAULTS, **values}
        numbers = [values[name] for name in ("number", "branched_from", "revises", "total")]
        texts = [values[name] for name in ("session_id", "branch", "author")]
        whole = all(type(one) is int and 0 <= one <= HIGHEST_NUMBER for one in numbers)
        if not (
            whole
            and values["number"]
            and values["session_id"]
            and all(map(is_id, texts))
            and isinstance(values["needs_more"], bool)
            and isinstance(values["text"], str)
        ):
            return None
        if not (isinstance(values["time"], str) and _TIME.fullmatch(values["time"])):
            values["time"] = ""
        return Thought(**values)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def document_of(thought: Thought) -> dict[str, Any]:
    """Return a thought as it is exchanged; reading it again gives the same thought."""
    found = {key: getattr(thought, field) for field, key in _SAID.items()}
    return {**found, "revision": thought.revision}


def line_of(thought: Thought) -> str:
    """Return a thought as a line of JSON."""
    kept = {
        key: value
        for field, key in _SAID.items()
        if (value := getattr(thought, field)) != _DEFAULTS.get(field)
    }
    return json.dumps(kept, ensure_ascii=False)


def thoughts_from_json(data: bytes, source: str) -> list[Thought]:
    """Return the thoughts of JSON lines, of a list, or of an export. Raises `UsageError`."""
    found: list[Thought] = []
    for line, document in documents(data, source):
        try:
            found += map(_thought, _listed(document))
        except UsageError as error:
            raise UsageError(f"{source}:{line}: {error.what}", error.mend) from None
    if not found:
        raise UsageError(f"{source} holds no thought", "docs/thinking.md shows how to write it")
    return found


def _listed(document: Any) -> list[Any]:
    """Return the thoughts of an export, or the document as the one that it is."""
    listed = document.get("thoughts") if isinstance(document, dict) else None
    return listed if isinstance(listed, list) else [document]


def _thought(document: Any) -> Thought:
    """Return the thought of a JSON object. Raises `UsageError`."""
    if not isinstance(document, dict):
        raise UsageError("not a JSON object")
    fields = {key: field for field, key in _SAID.items()}
    values: dict[str, Any] = dict(_DEFAULTS, session_id="")
    for name, value in document.items():
        key = _CAMEL.sub("_", name).lower() if "_" not in name else name
        if key in _IMPLIED or value is None:
            continue
        if key not in fields:
            raise UsageError(f"{name[:40]!a} is no key that is known here", "docs/thinking.md")
        values[fields[key]] = _fitting(fields[key], value, name)
    if "text" not in values:
        raise UsageError("thought is missing")
    return checked(Thought(**values))


def _fitting(field: str, value: Any, name: str) -> Any:
    default = _DEFAULTS.get(field, "")
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise UsageError(f"{name} is neither true nor false")
    if isinstance(default, int):
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value[:20])
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise UsageError(f"{name} is no whole number")
    if isinstance(value, str):
        return value
    raise UsageError(f"{name} is not text")
