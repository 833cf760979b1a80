"""`chroma_log_chat`: an exchange as rules for Chroma servers tell it, stored as every other.

In: a `Host`, what an agent says of its last answer. Out: the exchange in the memory, by the way of
`git skillmesh log-chat`: redacted, each once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

from ...errors import UsageError
from ...sessions.handing_over import Words, changes_in, session_of, store
from ...sessions.importers.tools import act_of
from ...sessions.logged import file_call
from ...sessions.model import Edit, ToolCall
from ..host import Host
from ..tooling import add_tool
from . import answers
from .fixed import CHATS

AGENT = "mcp"
_MOST_TOOLS, _MOST_FILES = 500, 200
Tools = Annotated[str, Field(description='JSON: [{"name", "args"}]')]
Files = Annotated[
    str, Field(description='JSON: [{"file_path", "before_content", "after_content"}]')
]


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tool."""
    add_tool(
        server, _LogChat(host).chroma_log_chat,
        "Keep what was asked and answered, after each answer; secrets are redacted.", writes=True,
        aliases={"prompt": "raw_prompt", "response": "raw_response"},
    )  # fmt: skip


class _LogChat:
    """The tool, bound to a host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def chroma_log_chat(
        self, prompt_summary: str, response_summary: str, raw_prompt: str = "",
        raw_response: str = "", tool_usage: Tools = "", file_changes: Files = "",
        involved_entities: str = "", session_id: str = "", agent: str = "", model: str = "",
    ) -> str:  # fmt: skip
        """Store an exchange."""
        edits, files = _changes(self._host, file_changes)
        words = Words(
            raw_prompt or prompt_summary,
            _whole(raw_response, response_summary, _names(involved_entities)),
            session_id, agent or AGENT, model, prompt_summary if raw_prompt else "", files=files,
        )  # fmt: skip
        return log(self._host, words, _tools(tool_usage), edits)


def from_document(host: Host, document: str, metadata: Mapping[str, Any]) -> str:
    """Store what older rules add to the collection as a document: summaries in its metadata."""

    def said(key: str) -> str:
        value = metadata.get(key, "")
        return value if isinstance(value, str) else json.dumps(value)

    prompt, response = said("prompt_summary"), said("response_summary")
    if not prompt and not response:
        if not document.strip():
            raise UsageError("nothing was said", "chroma_log_chat")
        prompt, mark, response = document.partition("\nResponse:")
        if not mark:
            prompt, response = "", document
        prompt = prompt.removeprefix("Prompt:")
    words = Words(
        prompt.strip(), _whole("", response.strip(), _names(said("involved_entities"))),
        said("session_id"), said("agent") or AGENT, said("model_version"),
    )  # fmt: skip
    return log(host, words)


def log(
    host: Host, words: Words, calls: Sequence[ToolCall] = (), edits: Sequence[Edit] = ()
) -> str:
    """Store an exchange; handed over again, it is the same one."""
    repository, config = host.repository, host.config
    session = session_of(
        repository, words, changes_in(repository, repository.top or repository.git_dir), once=True
    )
    (exchange,) = session.exchanges
    made = [replace(call, call_id=f"{exchange.exchange_id}-{n}") for n, call in enumerate(calls)]
    if edits:
        made.append(file_call(f"{exchange.exchange_id}-edits", tuple(edits)))
    made += [call for call in exchange.tools if call.edits]
    session = replace(session, exchanges=(replace(exchange, tools=tuple(made)),))
    report = store(repository, config, [session])
    host.go_on()
    from ...index.identity import chat_id, repo_id

    told: dict[str, Any] = {
        "collection_name": CHATS,
        "id": chat_id(repo_id(repository, config), session.session_id, exchange.exchange_id),
        "session_id": session.session_id,
        "exchange_id": exchange.exchange_id,
        "redacted": dict(sorted(report.redactions.items())),
    }
    if not report.new and not report.grown:
        told["unchanged"] = True
    return answers.answer(told)


def _whole(raw: str, summary: str, names: Sequence[str]) -> str:
    """Return an answer, after it what its summary says beyond it, and what it is about."""
    parts = [raw or summary]
    if raw and summary.strip() and summary.strip() not in raw:
        parts.append(f"Summary: {summary.strip()}")
    unsaid = [name for name in names if name not in parts[0]]
    if unsaid:
        parts.append(f"About: {', '.join(unsaid)}")
    return "\n\n".join(part for part in parts if part)


def _listed(text: str, name: str) -> list[Any]:
    """Return what a JSON list in a text holds; plain words are names. Raises `UsageError`."""
    if not text.strip():
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        if text.lstrip().startswith(("[", "{")):
            raise UsageError(f"{name} is no JSON") from None
        return [one.strip() for one in text.replace("→", ",").split(",") if one.strip()]
    return found if isinstance(found, list) else [found]


def _tools(text: str) -> list[ToolCall]:
    calls = []
    for one in _listed(text, "tool_usage")[:_MOST_TOOLS]:
        name: Any = one
        given: Any = ""
        if isinstance(one, dict):
            name = one.get("name") or one.get("tool") or one.get("tool_name")
            given = one.get("args", one.get("params", one.get("arguments", "")))
        if not isinstance(name, str) or not name.strip():
            raise UsageError("tool_usage names no tool", '[{"name": "edit_file", "args": {}}]')
        shown = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        calls.append(ToolCall("", name.strip(), act_of(name.strip()), shown))
    return calls


def _changes(host: Host, text: str) -> tuple[list[Edit], list[str]]:
    """Return the edits that are told, and the files that are only named, where they are there."""
    edits, files = [], []
    for one in _listed(text, "file_changes")[:_MOST_FILES]:
        path: Any = one
        before = after = None
        if isinstance(one, dict):
            path = one.get("file_path") or one.get("path") or one.get("file")
            before = one.get("before_content", one.get("before"))
            after = one.get("after_content", one.get("after"))
        texts = [part for part in (before, after) if part is not None]
        if not isinstance(path, str) or not path or not all(isinstance(t, str) for t in texts):
            raise UsageError(
                "file_changes names no file",
                '[{"file_path": "a.py", "before_content": "", "after_content": ""}]',
            )
        inside = host.tree_path(path)
        top = host.repository.top
        if texts:
            edits.append(Edit(inside, before, after))
        elif top is not None and (top / inside).is_file():
            files.append(inside)
    told = {edit.path for edit in edits}
    return edits, [file for file in files if file not in told]


def _names(text: str) -> list[str]:
    return [str(one).strip() for one in _listed(text, "involved_entities") if str(one).strip()]
