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


def codex(kind: str, second: int, payload: Record) -> Record:
    return {"timestamp": at(second), "type": kind, "payload": payload}


def codex_meta(**more: Any) -> Record:
    payload = {
        "id": "c1", "timestamp": at(0), "cwd": TOP, "originator": "codex_cli_rs",
        "cli_version": "0.99.0", "git": {"branch": "main", "commit_hash": "0" * 40}, **more,
    }  # fmt: skip
    return codex("session_meta", 0, payload)


def codex_says(second: int, role: str, text: str) -> Record:
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": text}]
    return codex("response_item", second, {"type": "message", "role": role, "content": content})


def codex_event(second: int, kind: str, **values: Any) -> Record:
    return codex("event_msg", second, {"type": kind, **values})


def codex_calls(second: int, call_id: str, name: str, **given: Any) -> Record:
    arguments = {"type": "function_call", "name": name, "arguments": json.dumps(given)}
    return codex("response_item", second, {**arguments, "call_id": call_id})


def codex_answers(second: int, call_id: str, output: Any) -> Record:
    payload = {"type": "function_call_output", "call_id": call_id, "output": output}
    return codex("response_item", second, payload)


def copilot(kind: str, second: int, **data: Any) -> Record:
    return {"type": kind, "data": data, "id": f"e{second}", "timestamp": at(second), "parentId": ""}


def samples() -> dict[str, list[Record]]:
    """Return one small conversation in each format of JSON lines, with every kind of record."""
    edit = {"filePath": f"{TOP}/a.py", "oldString": "x", "newString": "y", "originalFile": "x\n"}
    patch = "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** End Patch"
    args = {"file_path": f"{TOP}/a.py", "old_string": "x", "new_string": "y"}
    return {
        "claude-code": [
            claude("user", "p1", 1, "do it"),
            claude_uses("a1", 2, "t1", "Edit", file_path=f"{TOP}/a.py", old_string="x"),
            claude_result("u1", 3, "t1", [{"type": "text", "text": "ok"}], edit),
            claude_uses("a2", 4, "t2", "Task", prompt="look"),
            claude("user", "x1", 5, "look", isSidechain=True, agentId="ab"),
            claude_result("u2", 6, "t2", "done", {"agentId": "ab"}),
            {"type": "queue-operation", "operation": "enqueue", "sessionId": "s1",
             "timestamp": at(7), "content": "and red"},
            {"type": "queue-operation", "operation": "remove", "sessionId": "s1",
             "timestamp": at(8)},
            {"type": "summary", "summary": "A lamp", "leafUuid": "p1"},
            {**claude("progress", "o", 9, ""), "parentToolUseID": "t2", "data": {
                "type": "agent_progress", "agentId": "ab",
                "message": claude_says("y1", 9, "seen")}},
            claude_says("a3", 10, "done"),
        ],
        "codex": [
            codex_meta(source={"subagent": {"thread_spawn": {"parent_thread_id": "c0"}}}),
            codex("turn_context", 1, {"cwd": TOP, "model": "gpt-5-codex"}),
            codex_says(1, "user", "do it"),
            codex_event(2, "user_message", message="do it", images=[]),
            codex_calls(3, "k1", "shell", command=["bash", "-lc", "git commit"], workdir=TOP),
            codex_answers(4, "k1", '{"output":"[main 1a2b3c4] x","metadata":{"exit_code":0}}'),
            codex_calls(5, "k2", "apply_patch", patch=patch),
            codex_answers(6, "k2", "Success. Updated the following files:\nM a.py"),
            codex_event(6, "patch_apply_end", call_id="k2", success=True),
            codex_says(7, "assistant", "done"),
        ],
        "gemini": [
            {"sessionId": "g1", "projectHash": "h", "startTime": at(0), "lastUpdated": at(9)},
            {"id": "m1", "timestamp": at(1), "type": "user", "content": "do it"},
            {"id": "m2", "timestamp": at(2), "type": "gemini", "content": "done", "model": "g-2",
             "toolCalls": [{"id": "replace-1", "name": "replace", "args": args,
                            "status": "success", "timestamp": at(2), "result": [
                 {"functionResponse": {"response": {"output": "ok"}}}]}]},
            {"$set": {"lastUpdated": at(3), "summary": "A lamp"}},
        ],
        "cursor": [
            {"role": "user", "message": {"content": [
                {"type": "text", "text": "<user_query>\ndo it\n</user_query>"}]}},
            {"role": "assistant", "message": {"content": [
                {"type": "text", "text": "done"},
                {"type": "tool_use", "name": "StrReplace",
                 "input": {"path": f"{TOP}/a.py", "old_string": "x", "new_string": "y"}}]}},
        ],
        "copilot": [
            copilot("session.start", 0, sessionId="o1", startTime=at(0), context={
                "cwd": TOP, "gitRoot": TOP, "branch": "main"}),
            copilot("session.model_change", 1, newModel="gpt-4.1"),
            copilot("user.message", 2, content="do it"),
            copilot("assistant.message", 3, content="done", toolRequests=[
                {"toolCallId": "k1", "name": "create",
                 "arguments": '{"path":"a.py","file_text":"y"}'}]),
            copilot("tool.execution_start", 4, toolCallId="k1", toolName="create", arguments={}),
            copilot("tool.execution_complete", 5, toolCallId="k1", success=True, result={
                "result_type": "success", "text_result_for_llm": "ok"}),
        ],
    }  # fmt: skip
