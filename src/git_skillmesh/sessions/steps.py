"""What a step of an agent was about, in one line.

In: a tool call. Out: the path, command, pattern or name that tells most.
"""

import json

from .model import Act, ToolCall

_LOOKED_AT = 400
# The part of a tool's input that says what it is used on.
_TELLING = ("command", "cmd", "file_path", "path", "notebook_path", "pattern", "query", "url",
            "description", "prompt", "skill", "subject")  # fmt: skip


def used_on(call: ToolCall) -> str:
    """Return what a tool was used on, in one line."""
    if call.act is Act.EDIT and call.paths:
        return ", ".join(call.paths)
    if call.act is Act.READ and call.paths:
        return call.paths[0]
    text = call.input.strip()
    if text.startswith("{"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = {}
        for name in _TELLING:
            if isinstance(document, dict) and isinstance(document.get(name), str):
                text = document[name]
                break
    text = " ".join(text[:_LOOKED_AT].split())
    name = call.name if call.act is Act.OTHER else ""
    return " ".join(filter(None, [name, text])) or call.name
