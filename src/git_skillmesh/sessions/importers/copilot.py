"""GitHub Copilot: events of its CLI and of VS Code as JSON lines, and the chats of VS Code.

In: the lines of `~/.copilot/session-state/<id>/events.jsonl`, of a transcript of VS Code, or of
`chatSessions/<id>.json`. Out: its session.
"""

from collections.abc import Iterable
from itertools import chain
from pathlib import PurePath

from ..model import Act, Edit, ToolCall
from .drafts import Conversation
from .places import Place, Roots
from .records import (
    Imported,
    Misfit,
    Record,
    Report,
    get,
    json_lines,
    need,
    objects,
    parse_json,
    utc,
)
from .tools import act_of, commits_in, described, edits_of_input, given_to, text_of

AGENT = "copilot"


def read(lines: Iterable[bytes], source: str, roots: Roots) -> Imported:
    """Read one session."""
    report = Report(source)
    reader = _Reader(PurePath(source).stem, roots)
    rest = iter(lines)
    first = next((line for line in rest if line.strip()), b"")
    if first.startswith(b'{"kind":'):
        report.add(1, "a chat that VS Code keeps as a log of changes: not read")
    elif first in (b"{\n", b"{\r\n") or b'"requests"' in first[:100_000]:
        with report.guard(0):
            _read_chat(reader, parse_json(b"".join([first, *rest])), report)
    else:
        for number, record in json_lines(chain([first], rest), report):
            with report.guard(number):
                reader.take(record)
    session = reader.talk.session(source)
    return Imported((session,) if session else (), report.problems)


class _Reader:
    """The state of one session."""

    def __init__(self, session_id: str, roots: Roots) -> None:
        self.talk = Conversation(session_id, AGENT)
        self._roots = roots
        self._directory = ""
        self._model = ""
        self._proposed: dict[str, list[Edit]] = {}

    def take(self, record: Record) -> None:
        """Read one event. Raises `Misfit`."""
        kind, data = need(record, "type", str), get(record, "data", dict, {})
        time = utc(record.get("timestamp"))
        match kind:
            case "session.start" | "session.resume":
                self._start(data, time)
            case "session.model_change":
                self._model = get(data, "newModel", str, "")
            case "user.message":
                text = get(data, "content", str, "").strip()
                if text:
                    self.talk.prompt(get(record, "id", str, ""), text, time)
            case "assistant.message":
                self._answer(data, time)
            case "tool.execution_start":
                name = need(data, "toolName", str)
                self.call(need(data, "toolCallId", str), name, data.get("arguments"), time)
            case "tool.execution_complete":
                self._complete(data, time)
            case _ if "." not in kind and kind != "abort":
                raise Misfit(f"events of type {kind[:40]!r} are not known")

    def _start(self, data: Record, time: str) -> None:
        talk, context = self.talk, get(data, "context", dict, {})
        talk.session_id = get(data, "sessionId", str, "") or talk.session_id
        talk.started = talk.started or utc(data.get("startTime")) or time
        self._directory = get(context, "cwd", str, "") or self._directory
        talk.directory = talk.directory or get(context, "gitRoot", str, "") or self._directory
        talk.branch = talk.branch or get(context, "branch", str, "")
        self._model = get(data, "selectedModel", str, "") or self._model

    def _answer(self, data: Record, time: str) -> None:
        asked = objects(get(data, "toolRequests", list, []), '"toolRequests"')
        model = get(data, "model", str, "") or self._model
        self.talk.say(get(data, "content", str, ""), time, model)
        for call in asked:
            name = need(call, "name", str)
            self.call(need(call, "toolCallId", str), name, call.get("arguments"), time)

    def call(self, call_id: str, name: str, arguments: object, time: str) -> None:
        """Add a tool call; the request and the start of it both tell it."""
        if self.talk.called(call_id):
            return
        given, act = given_to(arguments), act_of(name)
        place = Place(self._roots, self._directory, self.talk.directory)
        paths, text = described(act, given, place)
        if act == Act.EDIT:
            edits = self._proposed[call_id] = edits_of_input(given, place)
            paths = paths or tuple(dict.fromkeys(edit.path for edit in edits))
        self.talk.call(ToolCall(call_id, name, act, text, time=time, paths=paths))

    def _complete(self, data: Record, time: str) -> None:
        result = data.get("result")
        if isinstance(result, dict):
            said = result.get("text_result_for_llm", result.get("content"))
            failed = result.get("result_type", "success") != "success"
        else:
            said, failed = result, False
        failed = failed or data.get("success") is False
        self.result(need(data, "toolCallId", str), text_of(said), time, failed=failed)

    def result(self, call_id: str, output: str, time: str = "", *, failed: bool = False) -> None:
        """Fill in what became of a call."""
        call = self.talk.called(call_id)
        if call is None:
            return
        edits = () if failed else tuple(self._proposed.get(call_id, ()))
        commits = commits_in(call.input, output) if call.act == Act.BASH else ()
        self.talk.change(call_id, time, output=output, failed=failed, edits=edits, commits=commits)


def _read_chat(reader: _Reader, document: object, report: Report) -> None:
    """Read a chat of VS Code: a list of requests with the rounds of tool calls that answered."""
    chat = objects([document], "the file")[0]
    reader.talk.session_id = get(chat, "sessionId", str, "") or reader.talk.session_id
    reader.talk.title = get(chat, "customTitle", str, "")
    for request in need(chat, "requests", list):
        with report.guard(0):
            _read_request(reader, objects([request], '"requests"')[0])


def _read_request(reader: _Reader, request: Record) -> None:
    time = utc(request.get("timestamp"))
    prompt = get(need(request, "message", dict), "text", str, "").strip()
    if prompt:
        reader.talk.prompt(get(request, "requestId", str, ""), prompt, time)
    model = get(request, "modelId", str, "")
    metadata = get(get(request, "result", dict, {}), "metadata", dict, {})
    rounds = objects(get(metadata, "toolCallRounds", list, []), '"toolCallRounds"')
    results = get(metadata, "toolCallResults", dict, {})
    for one in rounds:
        reader.talk.say(get(one, "response", str, ""), time, model)
        for call in objects(get(one, "toolCalls", list, []), '"toolCalls"'):
            call_id = need(call, "id", str)
            reader.call(call_id, need(call, "name", str), call.get("arguments"), time)
            if call_id in results:
                reader.result(call_id, _chat_output(results[call_id]), time)
    if not rounds:
        parts = get(request, "response", list, [])
        texts = [part.get("value") for part in parts if isinstance(part, dict)]
        said = "".join(text for text in texts if isinstance(text, str))
        reader.talk.say(said, time, model)


def _chat_output(result: object) -> str:
    """Return the text among the parts of a tool's result; other parts are trees of a prompt."""
    parts = result.get("content") if isinstance(result, dict) else None
    values = [part.get("value") for part in parts or () if isinstance(part, dict)]
    return "\n".join(value for value in values if isinstance(value, str))
