"""Codex CLI: `{timestamp, type, payload}` a line, `~/.codex/sessions/**/rollout-<time>-<id>.jsonl`.

In: the lines of a rollout. Out: its session. A prompt is told by an event; the message of the same
turn that goes to the model comes with preambles, and counts only where no event tells it.
"""

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from ..model import Act, Edit, ToolCall
from .drafts import Conversation, Draft
from .patch import edits_of_patch
from .places import Place, Roots
from .records import (
    Imported,
    Misfit,
    Record,
    Report,
    get,
    json_lines,
    made_id,
    need,
    parse_json,
    utc,
)
from .tools import act_of, commits_in, described, edits_of_input, given_to, text_of

AGENT = "codex"

_HEAD = re.compile(rb'\{"timestamp":"[^"\\]*","type":"(\w+)","payload":\{"type":"(\w+)"')
# Told again by other records, or by the agent to itself.
_SILENT = frozenset(
    (b"token_count", b"agent_message", b"agent_reasoning", b"reasoning", b"agent_message_delta",
     b"agent_reasoning_delta", b"exec_command_output_delta", b"agent_reasoning_raw_content")
)  # fmt: skip
_PREAMBLES = (
    "<environment_context>", "<user_instructions>", "# AGENTS.md instructions", "<permissions",
    "<turn_aborted>", "<skill>", "<INSTRUCTIONS>", "<subagent_notification>",
    "<user_shell_command>",    "<collaboration_mode>", "<app-context>", "<personality_spec>",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_EXIT = re.compile(r"(?:Exit code:|Process exited with code) (-?\d{1,5})")


def read(lines: Iterable[bytes], source: str, roots: Roots) -> Imported:
    """Read one rollout."""
    report = Report(source)
    stem = PurePath(source).stem
    named = _UUID.search(stem)
    reader = _Reader(named[0] if named else stem, roots)
    for number, record in json_lines(_worth_reading(lines), report):
        with report.guard(number):
            reader.take(record)
    session = reader.talk.session(source)
    return Imported((session,) if session else (), report.problems)


def _worth_reading(lines: Iterable[bytes]) -> Iterable[bytes]:
    for line in lines:
        head = _HEAD.match(line)
        silent = head is not None and head[2] in _SILENT and line.endswith(b"}\n")
        yield b"\n" if silent else line


class _Reader:
    """The state of one rollout."""

    def __init__(self, session_id: str, roots: Roots) -> None:
        self.talk = Conversation(session_id, AGENT)
        self.roots = roots
        self._begun = False
        self._directory = ""
        self._model = ""
        self._seed = session_id
        self._told: Draft | None = None  # the last prompt that an event has told
        self._proposed: dict[str, list[Edit]] = {}

    def take(self, record: Record) -> None:
        """Read one record. Raises `Misfit`."""
        kind = get(record, "type", str, "")
        time = utc(record.get("timestamp"))
        if "payload" not in record:  # as it was before 2025-09
            payload, kind = record, "response_item" if kind else "session_meta"
        else:
            payload = need(record, "payload", dict)
        match kind:
            case "session_meta":
                self._meta(payload)
            case "turn_context":
                self._directory = get(payload, "cwd", str, "") or self._directory
                self._model = get(payload, "model", str, "") or self._model
            case "event_msg":
                self._event(payload, time)
            case "response_item":
                self._item(payload, time)
            case "":
                raise Misfit('"type" is missing')

    def _meta(self, payload: Record) -> None:
        """Read who this is; a second one is the history of the session that this was forked of."""
        if self._begun or not get(payload, "id", str, ""):
            return
        self._begun = True
        talk = self.talk
        forked = get(payload, "forked_from_id", str, "")
        talk.session_id = self._seed = need(payload, "id", str)
        talk.directory = self._directory = get(payload, "cwd", str, "")
        talk.started = utc(payload.get("timestamp"))
        git = payload.get("git")
        talk.branch = get(git, "branch", str, "") if isinstance(git, dict) else ""
        if payload.get("thread_source") == "subagent" or _spawned(payload.get("source")):
            talk.parent = _spawned(payload.get("source")) or forked
        else:
            self._seed = forked or self._seed

    def _event(self, payload: Record, time: str) -> None:
        kind = need(payload, "type", str)
        if kind == "user_message":
            text = get(payload, "message", str, "").strip()
            images = get(payload, "images", list, [])
            prompt = "\n\n".join([text] * bool(text) + ["[image]"] * len(images))
            if prompt:
                self._prompt(prompt, time, told=True)
        elif kind == "patch_apply_end" and payload.get("success") is False:
            self.talk.change(get(payload, "call_id", str, ""), failed=True, edits=())

    def _prompt(self, prompt: str, time: str, *, told: bool) -> None:
        last = self.talk.drafts[-1] if self.talk.drafts else None
        if last and not (last.texts or last.tools):
            if not told and (last is self._told or last.prompt == prompt):
                return
            if told and last is not self._told:  # the event tells what the message told
                self.talk.drafts.pop()
        ordinal = len(self.talk.drafts)
        draft = self.talk.prompt(made_id(self._seed, ordinal, prompt), prompt, time)
        self._told = draft if told else self._told

    def _item(self, payload: Record, time: str) -> None:
        kind = need(payload, "type", str)
        match kind:
            case "message":
                self._message(payload, time)
            case "function_call" | "custom_tool_call" | "local_shell_call" | "web_search_call":
                self._call(payload, kind, time)
            case "function_call_output" | "custom_tool_call_output":
                self._output(payload, time)

    def _message(self, payload: Record, time: str) -> None:
        role = need(payload, "role", str)
        text = text_of(payload.get("content")).strip()
        if role == "assistant":
            self.talk.say(text, time, self._model)
        elif role == "user" and text and not text.startswith(_PREAMBLES):
            self._prompt(text, time, told=False)

    def _call(self, payload: Record, kind: str, time: str) -> None:
        name = get(payload, "name", str, "") or kind.removesuffix("_call")
        call_id = get(payload, "call_id", str, "") or get(payload, "id", str, "")
        given = _given(payload)
        act = act_of(name)
        place = Place(
            self.roots, get(given, "workdir", str, "") or self._directory, self.talk.directory
        )
        paths, text = described(act, given, place)
        edits = _edits(name, act, given, text, place)
        if edits:
            act, paths = Act.EDIT, tuple(dict.fromkeys(edit.path for edit in edits))
            self._proposed[call_id] = edits
        self.talk.say("", time, self._model)
        self.talk.call(ToolCall(call_id, name, act, text, time=time, paths=paths))

    def _output(self, payload: Record, time: str) -> None:
        call_id = need(payload, "call_id", str)
        output, failed = _result(payload.get("output"))
        call = self.talk.called(call_id)
        if call is None:
            return
        values: dict[str, Any] = {"output": output, "failed": failed}
        if not failed:
            values["edits"] = tuple(self._proposed.get(call_id, ()))
            values["commits"] = commits_in(call.input, output)
        self.talk.change(call_id, time, **values)


def _spawned(source: object) -> str:
    """Return the session that started this one, by `{"subagent": {"thread_spawn": …}}`."""
    for key in ("subagent", "thread_spawn", "parent_thread_id"):
        source = source.get(key) if isinstance(source, dict) else None
    return source if isinstance(source, str) else ""


def _given(payload: Record) -> Record:
    """Return what a tool was given: JSON in a string, or the bare text of a custom tool."""
    if "input" in payload:
        return {"input": need(payload, "input", str)}
    if "action" in payload:
        return need(payload, "action", dict)
    return given_to(payload.get("arguments"))


def _edits(name: str, act: Act, given: Record, command: str, place: Place) -> list[Edit]:
    if act == Act.EDIT:
        patch = given.get("input", given.get("patch"))
        return (
            edits_of_patch(patch, place) if isinstance(patch, str) else edits_of_input(given, place)
        )
    if act == Act.BASH and re.search(r"\bapply_?patch\b", command):
        return edits_of_patch(command, place)
    return []


def _result(output: object) -> tuple[str, bool]:
    """Return (output, whether the tool failed). Raises `Misfit`."""
    if isinstance(output, str) and output.startswith('{"'):
        try:
            output = parse_json(output.encode())
        except Misfit:
            return str(output), False
    if isinstance(output, dict):
        metadata = get(output, "metadata", dict, {})
        content = output.get("output", output.get("content"))
        failed = get(metadata, "exit_code", int, 0) != 0 or output.get("success") is False
        return text_of(content), failed
    text = text_of(output)
    code = _EXIT.search(text[:500])
    refused = text.startswith(
        ("apply_patch verification failed", "failed to ", "exec_command failed")
    )
    return text, refused or (code is not None and int(code[1]) != 0)
