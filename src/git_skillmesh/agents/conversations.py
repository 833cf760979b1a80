"""A small conversation as each agent has it: its transcript, and what it tells its hooks.

In: the name that hooks give, a scratch repository, a folder for transcripts. Out: a `Conversation`
whose steps are played one by one: a prompt, an edit of a file, an answer. Formats are those that
docs/formats.md lists.
"""

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROMPT = "Write down that this arrives: {token}"
ANSWER = "It is written down."
FILE = "arrived.txt"

_TIME = "2026-01-02T03:04:{:02}.000Z"
# Where each agent looks for its folder, so that nothing is written into the real one.
MOVED = {
    "claude-code": "CLAUDE_CONFIG_DIR",
    "codex": "CODEX_HOME",
    "gemini": "GEMINI_CLI_HOME",
    "copilot": "COPILOT_HOME",
}


@dataclass
class Step:
    """A moment of a conversation: the events that hooks of that agent may wait for."""

    payloads: dict[str, dict[str, Any]]


@dataclass
class Conversation:
    """`steps` in their order; `transcript` is "" for an agent whose hooks tell everything."""

    agent: str
    session: str
    token: str
    steps: list[Step]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """What is asked."""
        return PROMPT.format(token=self.token)


def conversation(agent: str, top: Path, folder: Path) -> Conversation:
    """Write the transcript of a conversation and return what its hooks are told."""
    session, token = str(uuid.uuid4()), uuid.uuid4().hex[:12]
    file = top / FILE
    file.write_text(f"{token}\n", encoding="utf-8")
    talk = Conversation(agent, session, token, [])
    if agent in MOVED:
        talk.environ[MOVED[agent]] = str(folder)
    path = ""
    if agent != "cursor":
        path = str(_write(talk, top, folder))
    talk.steps = _steps(talk, top, path)
    return talk


def _steps(talk: Conversation, top: Path, path: str) -> list[Step]:
    about: dict[str, Any] = {"session_id": talk.session, "cwd": str(top)}
    if path:
        about["transcript_path"] = path
    told = {"file_path": str(top / FILE), "content": f"{talk.token}\n"}
    match talk.agent:
        case "cursor":
            about = {
                "conversation_id": talk.session, "generation_id": "g1", "cursor_version": "2.5",
                "workspace_roots": [str(top)], "model": "m",
            }  # fmt: skip
            change = {"old_string": "", "new_string": f"{talk.token}\n"}
            edited = {"file_path": str(top / FILE), "edits": [change]}
            order: list[dict[str, dict[str, Any]]] = [
                {"sessionStart": {}}, {"beforeSubmitPrompt": {"prompt": talk.prompt}},
                {"afterFileEdit": edited}, {"afterAgentResponse": {"text": ANSWER}},
                {"stop": {"status": "completed"}},
            ]  # fmt: skip
        case "gemini":
            order = [
                {"SessionStart": {"source": "startup"}}, {"BeforeAgent": {"prompt": talk.prompt}},
                {"AfterTool": {"tool_name": "write_file", "tool_input": told}},
                {"AfterAgent": {"prompt": talk.prompt, "prompt_response": ANSWER}},
            ]  # fmt: skip
        case _:
            order = [
                {"SessionStart": {"source": "startup"}},
                {"UserPromptSubmit": {"prompt": talk.prompt}},
                {"PostToolUse": {"tool_name": "Write", "tool_input": told}},
                {"Stop": {"stop_hook_active": False}},
            ]
    return [
        Step({event: {**about, "hook_event_name": event, **more} for event, more in one.items()})
        for one in order
    ]


def _write(talk: Conversation, top: Path, folder: Path) -> Path:
    writers = {
        "claude-code": _claude, "codex": _codex, "gemini": _gemini, "copilot": _copilot
    }  # fmt: skip
    path, records = writers[talk.agent](talk, top, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(record) + "\n" for record in records)
    path.write_text(lines, encoding="utf-8")
    return path


Written = tuple[Path, Iterable[dict[str, Any]]]


def _claude(talk: Conversation, top: Path, folder: Path) -> Written:
    def record(kind: str, second: int, content: Any, **more: Any) -> dict[str, Any]:
        return {
            "parentUuid": None, "isSidechain": False, "cwd": str(top), "sessionId": talk.session,
            "type": kind, "message": {"role": kind, "content": content},
            "uuid": f"{talk.token}-{second}", "timestamp": _TIME.format(second), **more,
        }  # fmt: skip

    path, text = str(top / FILE), f"{talk.token}\n"
    use = {"type": "tool_use", "id": "t1", "name": "Write",
           "input": {"file_path": path, "content": text}}  # fmt: skip
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}
    told = {"type": "create", "filePath": path, "content": text, "structuredPatch": []}
    slug = re.sub(r"[^A-Za-z0-9]", "-", str(top))
    return folder / "projects" / slug / f"{talk.session}.jsonl", [
        record("user", 1, talk.prompt),
        record("assistant", 2, [use]),
        record("user", 3, [result], toolUseResult=told),
        record("assistant", 4, [{"type": "text", "text": ANSWER}]),
    ]


def _codex(talk: Conversation, top: Path, folder: Path) -> Written:
    def record(kind: str, second: int, **payload: Any) -> dict[str, Any]:
        return {"timestamp": _TIME.format(second), "type": kind, "payload": payload}

    patch = f"*** Begin Patch\n*** Add File: {FILE}\n+{talk.token}\n*** End Patch"
    said = [{"type": "output_text", "text": ANSWER}]
    name = f"rollout-2026-01-02T03-04-05-{talk.session}.jsonl"
    return folder / "sessions" / "2026" / "01" / "02" / name, [
        record("session_meta", 0, id=talk.session, timestamp=_TIME.format(0), cwd=str(top)),
        record("event_msg", 1, type="user_message", message=talk.prompt, images=[]),
        record("response_item", 2, type="function_call", name="apply_patch", call_id="k1",
               arguments=json.dumps({"patch": patch})),
        record("response_item", 3, type="function_call_output", call_id="k1",
               output=f"Success. Updated the following files:\nA {FILE}"),
        record("response_item", 4, type="message", role="assistant", content=said),
    ]  # fmt: skip


def _gemini(talk: Conversation, top: Path, folder: Path) -> Written:
    call = {
        "id": "write-1", "name": "write_file", "status": "success", "timestamp": _TIME.format(2),
        "args": {"file_path": str(top / FILE), "content": f"{talk.token}\n"},
        "result": [{"functionResponse": {"response": {"output": "ok"}}}],
    }  # fmt: skip
    project = folder / ".gemini" / "tmp" / "scratch"
    project.mkdir(parents=True, exist_ok=True)
    (project / ".project_root").write_text(f"{top}\n", encoding="utf-8")
    return project / "chats" / f"session-2026-01-02T03-04-{talk.session[:8]}.jsonl", [
        {"sessionId": talk.session, "projectHash": "scratch", "startTime": _TIME.format(0)},
        {"id": "m1", "timestamp": _TIME.format(1), "type": "user", "content": talk.prompt},
        {"id": "m2", "timestamp": _TIME.format(3), "type": "gemini", "content": ANSWER,
         "toolCalls": [call]},
    ]  # fmt: skip


def _copilot(talk: Conversation, top: Path, folder: Path) -> Written:
    def record(kind: str, second: int, **data: Any) -> dict[str, Any]:
        return {"type": kind, "data": data, "id": f"{talk.token}-{second}",
                "timestamp": _TIME.format(second), "parentId": None}  # fmt: skip

    given = {"path": str(top / FILE), "file_text": f"{talk.token}\n"}
    result = {"result_type": "success", "text_result_for_llm": "ok"}
    context = {"cwd": str(top), "gitRoot": str(top)}
    return folder / "session-state" / talk.session / "events.jsonl", [
        record("session.start", 0, sessionId=talk.session, startTime=_TIME.format(0),
               context=context),
        record("user.message", 1, content=talk.prompt),
        record("assistant.message", 2, content="", toolRequests=[
            {"toolCallId": "k1", "name": "create", "arguments": given}]),
        record("tool.execution_start", 3, toolCallId="k1", toolName="create", arguments=given),
        record("tool.execution_complete", 4, toolCallId="k1", success=True, result=result),
        record("assistant.message", 5, content=ANSWER, toolRequests=[]),
    ]  # fmt: skip
