"""Lines of transcripts as the agents write them, with invented content."""

import json
from collections.abc import Iterable
from typing import Any

from git_skillmesh.sessions.importers.places import Roots
from git_skillmesh.sessions.importers.records import Record

# Where the invented sessions ran. It does not exist: importers do not look at the disk.
TOP = "/src/lamp"
ROOTS = Roots.of(TOP)
TIME = "2026-01-23T15:39:%02d.000Z"


def at(second: int) -> str:
    return TIME % second


def jsonl(records: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def claude(kind: str, uuid: str, second: int, content: Any, **more: Any) -> Record:
    """Return a record of Claude Code; its keys come in the order in which it writes them."""
    message = more.pop("message", {})
    return {
        "parentUuid": None, "isSidechain": False, "userType": "external", "cwd": TOP,
        "sessionId": "s1", "version": "2.1.7", "gitBranch": "main", "type": kind,
        "message": {"role": kind, "content": content, **message},
        "uuid": uuid, "timestamp": at(second), **more,
    }  # fmt: skip


def claude_says(uuid: str, second: int, *blocks: Any, **more: Any) -> Record:
    """Return one record of a message; text stands for a block of text."""
    content = [{"type": "text", "text": b} if isinstance(b, str) else b for b in blocks]
    message = {"id": "msg_1", "model": "claude-opus-4", "usage": {"output_tokens": 2}}
    return claude("assistant", uuid, second, content, message=message, requestId="r", **more)


def claude_uses(uuid: str, second: int, call_id: str, name: str, **given: Any) -> Record:
    block = {"type": "tool_use", "id": call_id, "name": name, "input": given}
    return claude_says(uuid, second, block)


def claude_result(
    uuid: str, second: int, call_id: str, output: Any, told: Any = None, **more: Any
) -> Record:
    failed = {"is_error": True} if more.pop("failed", False) else {}
    block = {"tool_use_id": call_id, "type": "tool_result", "content": output, **failed}
    result = {} if told is None else {"toolUseResult": told}
    return claude("user", uuid, second, [block], **result, **more)
