"""Claude Code: one JSON record a line, `~/.claude/projects/<slug>/<session id>.jsonl`.

In: the lines of a transcript. Out: its session, and one for each subagent that worked in it.

A record says by `sessionId` and `agentId` whose it is, whatever file it stands in: resumed and
forked files repeat records of others.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..model import Act, Edit, ToolCall
from .drafts import Conversation
from .places import Place, Roots
from .prompts import spoken
from .records import Imported, Record, Report, get, json_lines, made_id, need, objects, utc
from .tools import act_of, commits_in, described, edits_of_input, replacements, text_of

AGENT = "claude-code"

# Records that hold nothing said or done. Anything else that is not known is a problem.
_SILENT = frozenset(
    (
        "system", "file-history-snapshot", "file-history-delta", "pr-link", "last-prompt", "mode",
        "permission-mode", "agent-name", "agent-color", "agent-setting", "tag", "worktree-state",
        "content-replacement", "attribution-snapshot",
    )
)  # fmt: skip

# The type of a record, where only plain values stand before it.
_TYPE = re.compile(rb'\{(?:"\w+":(?:"[^"\\]*"|null|true|false|-?\d+),)*?"type":"([\w-]+)"')


def read(lines: Iterable[bytes], source: str, roots: Roots) -> Imported:
    """Read one transcript."""
    report = Report(source)
    reader = _Reader(roots)
    for number, record in json_lines(_worth_reading(lines), report):
        with report.guard(number):
            reader.take(number, record)
    for kind, (number, count) in reader.unknown.items():
        report.add(number, f"records of type {kind!r} are not known ({count} in this file)")
    sessions = (talk.session(source) for talk in reader.talks.values())
    return Imported(tuple(filter(None, sessions)), report.problems)


def _worth_reading(lines: Iterable[bytes]) -> Iterable[bytes]:
    """Blank the records of progress, half of a transcript, unless a subagent speaks in them."""
    for line in lines:
        match = _TYPE.match(line)
        skipped = match and (match[1] == b"progress" or match[1] == b"file-history-snapshot")
        if skipped and b'"agent_progress"' not in line and line.endswith(b"}\n"):
            yield b"\n"
        else:
            yield line


class _Reader:
    """The state of one transcript."""

    def __init__(self, roots: Roots) -> None:
        self.roots = roots
        self.talks: dict[str, Conversation] = {}
        self.unknown: dict[str, tuple[int, int]] = {}
        self._seen: set[str] = set()
        self._chains: dict[str, str] = {}  # sidechain record without agent id → its session
        self._proposed: dict[str, list[Edit]] = {}
        self._tasks: dict[str, str] = {}  # prompt of a task → its tool call
        self._queued: deque[str] = deque()
        self._steered: set[str] = set()  # exchanges whose prompt was taken from the queue

    def take(self, number: int, record: Record) -> None:
        """Read one record. Raises `Misfit`."""
        kind = need(record, "type", str)
        match kind:
            case "user" | "assistant":
                self._message(record, kind)
            case "progress":
                self._progress(record)
            case "queue-operation":
                self._queue(record)
            case "attachment":
                self._attachment(record)
            case "summary" | "custom-title" | "ai-title":
                self._title(record, kind)
            case _ if kind not in _SILENT:
                first, count = self.unknown.get(kind, (number, 0))
                self.unknown[kind] = first, count + 1

    def _message(self, record: Record, kind: str) -> None:
        uuid = get(record, "uuid", str, "")
        if uuid and uuid in self._seen:
            return
        message = need(record, "message", dict)
        content = message.get("content")
        blocks: list[Record]
        if isinstance(content, str):
            blocks = [{"type": "text", "text": content}]
        else:
            blocks = objects(get(message, "content", list, []), '"content"')
        time = utc(record.get("timestamp"))
        talk = self._talk(record, uuid)
        if kind == "user":
            self._user(talk, record, blocks, uuid, time)
        else:
            self._assistant(talk, record, message, blocks, time)
        self._seen.add(uuid)

    def _talk(self, record: Record, uuid: str) -> Conversation:
        """Return the session that a record belongs to."""
        main = need(record, "sessionId", str)
        directory, branch = get(record, "cwd", str, ""), get(record, "gitBranch", str, "")
        key = main
        if get(record, "isSidechain", bool, False):
            agent = get(record, "agentId", str, "")
            parent = get(record, "parentUuid", str, "")
            key = (
                f"{main}-{agent}"
                if agent
                else self._chains.get(parent) or f"{main}-{uuid}".rstrip("-")
            )
            self._chains[uuid] = key
        if key not in self.talks:
            above = main if key != main else ""
            self.talks[key] = Conversation(key, AGENT, directory, branch, parent=above)
        return self.talks[key]

    def _user(
        self, talk: Conversation, record: Record, blocks: list[Record], uuid: str, time: str
    ) -> None:
        results = [block for block in blocks if block.get("type") == "tool_result"]
        told = record.get("toolUseResult") if len(results) == 1 else None
        for block in results:
            self._result(talk, record, block, told, time)
        if get(record, "isMeta", bool, False) or get(record, "isCompactSummary", bool, False):
            return
        texts = [get(block, "text", str, "") for block in blocks if block.get("type") == "text"]
        images = sum(block.get("type") == "image" for block in blocks)
        prompt, command = spoken(texts, images)
        if prompt and not self._is_echo(talk, prompt, steered=False):
            talk.prompt(uuid, prompt, time, vain=command)
            self._adopt(talk, prompt)

    def _assistant(
        self, talk: Conversation, record: Record, message: Record, blocks: list[Record], time: str
    ) -> None:
        model = get(message, "model", str, "")
        if model == "<synthetic>" or get(record, "isApiErrorMessage", bool, False):
            return
        texts = [get(block, "text", str, "") for block in blocks if block.get("type") == "text"]
        uses = [block for block in blocks if block.get("type") == "tool_use"]
        calls = [self._use(talk, record, block, time) for block in uses]
        talk.say("\n\n".join(texts), time, model)
        for call in calls:
            talk.call(call)

    def _use(self, talk: Conversation, record: Record, block: Record, time: str) -> ToolCall:
        call_id, name = need(block, "id", str), need(block, "name", str)
        given = get(block, "input", dict, {})
        act = act_of(name)
        at = self._place(talk, record)
        paths, text = described(act, given, at)
        if act == Act.EDIT:
            self._proposed[call_id] = edits_of_input(given, at)
        if act == Act.TASK:
            self._tasks[get(given, "prompt", str, "")] = call_id
        return ToolCall(call_id, name, act, text, time=time, paths=paths)

    def _result(
        self, talk: Conversation, record: Record, block: Record, told: Any, time: str
    ) -> None:
        """Fill in what a tool answered: output, edits with their bytes, commits, subagent."""
        call_id = need(block, "tool_use_id", str)
        output = text_of(block.get("content"))
        failed = get(block, "is_error", bool, False)
        call = talk.called(call_id)
        if call is None:  # the call stands in a file that is gone
            return
        values: dict[str, Any] = {"output": output, "failed": failed}
        if call.act == Act.EDIT and not failed:
            at = self._place(talk, record)
            values["edits"] = tuple(_edits_done(told, self._proposed.get(call_id, []), at))
        if call.act == Act.BASH:
            values["commits"] = commits_in(call.input, output)
        if call.act == Act.TASK and isinstance(told, dict) and get(told, "agentId", str, ""):
            values["session"] = f"{talk.parent or talk.session_id}-{told['agentId']}"
        talk.change(call_id, time, **values)

    def _adopt(self, talk: Conversation, prompt: str) -> None:
        """Join a subagent to the task that it was started with, by the words of its prompt."""
        main = self.talks.get(talk.parent)
        call_id = self._tasks.get(prompt, "")
        if main and len(talk.drafts) == 1 and main.called(call_id):
            main.change(call_id, session=talk.session_id)

    def _progress(self, record: Record) -> None:
        """Read what a subagent said or did; other progress is repeated by its result."""
        data = get(record, "data", dict, {})
        if data.get("type") != "agent_progress":
            return
        message = need(data, "message", dict)
        kind = need(message, "type", str)
        inner = {**record, **message, "isSidechain": True, "agentId": need(data, "agentId", str)}
        if kind in ("user", "assistant"):
            self._message(inner, kind)
        main = self.talks.get(need(record, "sessionId", str))
        if main:
            agent = f"{main.session_id}-{data['agentId']}"
            main.change(get(record, "parentToolUseID", str, ""), session=agent)

    def _queue(self, record: Record) -> None:
        """Follow what a person types while the agent works.

        What leaves the queue by "remove" was handed to the agent in the middle of its turn, and
        no other record tells it; what leaves by "dequeue" comes again as a prompt.
        """
        operation = need(record, "operation", str)
        if operation == "enqueue":
            self._queued.append(get(record, "content", str, ""))
        elif operation == "popAll":
            self._queued.clear()
        elif self._queued:
            oldest = self._queued.popleft()
            text = get(record, "content", str, "") or oldest
            if operation == "remove":
                self._steer(record, text, "")

    def _attachment(self, record: Record) -> None:
        attachment = need(record, "attachment", dict)
        if attachment.get("type") == "queued_command":
            self._steer(record, text_of(attachment.get("prompt")), get(record, "uuid", str, ""))

    def _steer(self, record: Record, text: str, uuid: str) -> None:
        prompt, command = spoken([text])
        time = utc(record.get("timestamp"))
        if not prompt or (uuid and uuid in self._seen):
            return
        talk = self._talk(record, uuid)
        if not self._is_echo(talk, prompt, steered=True):
            made = uuid or made_id(talk.session_id, time, prompt)
            talk.prompt(made, prompt, time, vain=command)
            self._steered.add(made)
        self._seen.add(uuid)

    def _is_echo(self, talk: Conversation, prompt: str, *, steered: bool) -> bool:
        """Whether a prompt from the queue is told a second time by another kind of record."""
        if not talk.drafts:
            return False
        last = talk.drafts[-1]
        unanswered = not (last.texts or last.tools)
        return (
            last.prompt == prompt and unanswered and (steered or last.exchange_id in self._steered)
        )

    def _title(self, record: Record, kind: str) -> None:
        if kind != "summary":
            talk = self.talks.get(get(record, "sessionId", str, ""))
            named = get(record, "customTitle", str, "") or get(record, "aiTitle", str, "")
        elif get(record, "leafUuid", str, "") in self._seen and len(self.talks) == 1:
            talk = next(iter(self.talks.values()))
            named = get(record, "summary", str, "")
        else:  # a summary of another file
            return
        if talk:
            talk.title = named or talk.title

    def _place(self, talk: Conversation, record: Record) -> Place:
        return Place(self.roots, get(record, "cwd", str, "") or talk.directory, talk.directory)


def _edits_done(told: Any, proposed: list[Edit], place: Place) -> list[Edit]:
    """Return what a successful edit did: by its recorded bytes, else as it was asked for."""
    if not isinstance(told, dict) or "filePath" not in told:
        return proposed
    if get(told, "userModified", bool, False):
        # A person changed the edit before it was made. What the agent proposed is the agent's,
        # the rest is not: without a place and a whole file, only lines that stayed will match.
        return [replace(edit, whole=False, line=0, amended=True) for edit in proposed]
    path = place.relative(need(told, "filePath", str))
    text = get(told, "originalFile", str, "") if told.get("originalFile") is not None else None
    if "newString" in told:
        before, after = get(told, "oldString", str, ""), need(told, "newString", str)
        every = get(told, "replaceAll", bool, False)
        edits = replacements(path, before, after, text, every=every)
        if len(edits) == 1 and not edits[0].line:
            return [replace(edits[0], line=_line_in_patch(told, after))]
        return edits
    if "content" in told:
        return [Edit(path, text, need(told, "content", str), whole=True, line=1)]
    return proposed


def _line_in_patch(told: Record, after: str) -> int:
    """Return the line of new text by the patch, where the file itself is not recorded.

    The patch has spaces for tabs: good for the place, never for the bytes.
    """
    first = after.partition("\n")[0].split()
    for hunk in objects(get(told, "structuredPatch", list, []), '"structuredPatch"'):
        line = get(hunk, "newStart", int, 0)
        for text in get(hunk, "lines", list, []):
            if not isinstance(text, str) or text.startswith(("-", "\\")):
                continue
            if text[1:].split() == first:
                return line
            line += 1
    return 0
