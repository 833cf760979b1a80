"""What an agent's hook says: whose it is, and what of it is worth keeping.

In: the payload of a hook as bytes. Out: a record for the live buffer, or None for what is no
payload, or one that another hook has to answer for. A payload is hostile input: every value may be
of any type. Nothing is imported that is slow to load: an agent waits.
"""

from __future__ import annotations

from .lightjson import parse

TYPE_CHECKING = False  # `typing` and `collections.abc` are slow to load
if TYPE_CHECKING:
    from collections.abc import Mapping

    Record = dict[str, object]

AGENTS = ("claude-code", "codex", "cursor", "gemini", "copilot")
# The agent has answered: what it wrote is worth storing now.
ENDS = frozenset(
    ("Stop", "SessionEnd", "AfterAgent", "stop", "sessionEnd", "agent-turn-complete", "agentStop")
)
_GEMINI_EVENTS = frozenset(
    ("BeforeAgent", "AfterAgent", "BeforeTool", "AfterTool", "BeforeModel", "AfterModel",
     "BeforeToolSelection", "PreCompress")
)  # fmt: skip
# Where agents look for their folder, if it is not in the home folder.
_MOVED = ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "COPILOT_HOME")
# What Cursor's own transcripts lack, or have without a time.
_CURSOR_SAID = (
    "generation_id", "model", "prompt", "text", "file_path", "edits", "command", "output",
    "tool_name", "tool_input", "tool_output", "tool_response", "tool_use_id", "cwd", "status",
)  # fmt: skip
_CODEX_SAID = ("turn-id", "input-messages", "last-assistant-message")
_LONGEST_NAME = 4096


def read_payload(data: bytes) -> dict[str, object] | None:
    """Return the payload, None if it is no JSON object."""
    try:
        document = parse(data.decode("utf-8"))
    except (ValueError, RecursionError):  # also bytes that are not UTF-8
        return None
    return document if isinstance(document, dict) else None


def agent_of(payload: Mapping[str, object], asked: str = "") -> str:
    """Return which agent speaks, "" for nobody whose payload counts here.

    Cursor and the Copilot of VS Code also run the hooks that were written for Claude Code. `asked`
    is the agent whose settings name this hook: a payload of another one is told twice.
    """
    event = _event(payload)
    path = _text(payload, "transcript_path")
    lower = path.lower()
    copilot = "github copilot" in lower or "github.copilot" in lower or "/.copilot/" in lower
    if (copilot and ".claude" not in lower) or (not path and "extensionId" in payload):
        return "copilot" if asked == "copilot" else ""
    if "cursor_version" in payload or ("conversation_id" in payload and event[:1].islower()):
        # Hooks of its own have names such as postToolUse, hooks of Claude Code PostToolUse.
        return "cursor" if asked in ("", "cursor") and event[:1].islower() else ""
    if ".cursor" in path or asked == "cursor":
        return ""
    if asked:
        return asked
    if payload.get("type") == "agent-turn-complete":
        return "codex"
    if event in _GEMINI_EVENTS or "/.gemini/" in path:
        return "gemini"
    if "turn_id" in payload or "/rollout-" in path or (event and not path):
        return "codex"
    return "claude-code" if event else ""


def record_of(
    payload: Mapping[str, object], agent: str, top: str, environ: Mapping[str, str], time: str
) -> Record:
    """Return what is kept of a payload, without what the agent's own transcript tells.

    `top` is the working tree that it is about.
    """
    record: Record = {
        "v": 1,
        "time": time,
        "agent": agent,
        "event": _event(payload) or _text(payload, "type"),
        "session": _first(payload, "session_id", "conversation_id", "thread-id", "sessionId"),
        "transcripts": [
            path
            for path in (_text(payload, "transcript_path"), _text(payload, "agent_transcript_path"))
            if path
        ],
        "folder": top,
    }
    moved = {name: environ[name] for name in _MOVED if environ.get(name)}
    if moved:
        record["moved"] = moved
    told = _CURSOR_SAID if agent == "cursor" else _CODEX_SAID if "turn-id" in payload else ()
    said = {name: payload[name] for name in told if payload.get(name) not in (None, "")}
    if said:
        record["said"] = said
    return record


def folders_of(payload: Mapping[str, object], agent: str) -> list[str]:
    """Return the folders that may name the repository, the surest first; one at least."""
    found = [_text(payload, "cwd")]
    if agent == "cursor":
        given = payload.get("tool_input")
        path = _text(payload, "file_path") or (
            _first(given, "file_path", "path") if isinstance(given, dict) else ""
        )
        roots = payload.get("workspace_roots")
        found = [path.rpartition("/")[0] if path.startswith("/") else "", *found]
        found += (
            [root for root in roots if isinstance(root, str)] if isinstance(roots, list) else []
        )
    return [folder for folder in found if folder.startswith("/")][:8] or [""]


def may_start_work(payload: Mapping[str, object]) -> bool:
    """Whether the agent has come to an end, and not because a hook made it go on."""
    event = _event(payload) or _text(payload, "type")
    return event in ENDS and payload.get("stop_hook_active") is not True


def _text(payload: Mapping[str, object], key: str) -> str:
    value = payload.get(key)
    fits = isinstance(value, str) and len(value) <= _LONGEST_NAME and "\0" not in value
    return value if fits and isinstance(value, str) else ""


def _event(payload: Mapping[str, object]) -> str:
    return _first(payload, "hook_event_name", "hookEventName")


def _first(payload: Mapping[str, object], *keys: str) -> str:
    return next(filter(None, (_text(payload, key) for key in keys)), "")
