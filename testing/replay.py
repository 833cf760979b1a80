"""A recorded session of Claude Code, lived once more: its prompts, its edits, its commit.

In: a repository as it was before the session, with `git skillmesh agents install claude-code` done,
and the records of a transcript. Out: `Step`s: what was said to the hooks and to the MCP server, by
the very command lines that stand in the agent's files, and what they answered.

The transcript grows in the order in which Claude Code writes it: a prompt after its hook, the
result of a tool after that of PostToolUse. Of the commands of a session only `git add` and
`git commit` are run, and their real output takes the place of the recorded one; all others have
the result that they had then.
"""

import asyncio
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult, TextContent

from git_skillmesh.sessions.importers.records import Record

from .agents import slug
from .environment import wait_for_hooks
from .repos import Repo, run
from .transcripts import jsonl

SESSIONS = Path(__file__).parent / "sessions"
EXPLAIN = SESSIONS / "explain.jsonl"
_OURS = "git-skillmesh"
_RUN = frozenset((("git", "add"), ("git", "commit")))
# What an agent would not get from us: signatures and counts of its provider, names of a machine.
_DROPPED = ("slug", "thinkingMetadata", "todos", "permissionMode", "requestId", "imagePasteIds")
_TOP = "/src/cli"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; `answer` is what came back, as text."""

    kind: str
    sent: str
    answer: str = ""


def read_records(transcript: bytes) -> list[Record]:
    """Return the records of a transcript."""
    return [json.loads(line) for line in transcript.splitlines() if line.strip()]


def cleaned(records: Sequence[Record]) -> list[Record]:
    """Return prompts, answers, calls and results alone, without names of people and machines."""
    top = next(str(record["cwd"]) for record in records if record.get("cwd"))
    branches = {str(record["gitBranch"]) for record in records if record.get("gitBranch")}
    kept = []
    for record in records:
        if record.get("type") in ("user", "assistant"):
            one = {key: value for key, value in record.items() if key not in _DROPPED}
            message = dict(one["message"])
            message.pop("usage", None)
            if isinstance(message["content"], list):
                message["content"] = [
                    {key: value for key, value in block.items() if key != "signature"}
                    for block in message["content"]
                ]
            kept.append(one | {"message": message})
    text = moved(json.dumps(kept), top, _TOP)
    for branch in branches:
        text = text.replace(branch, "main")
    found: list[Record] = json.loads(text)
    return found


def moved(text: str, top: str, to: str) -> str:
    """Return JSON in which what lay in the folder `top` lies in the folder `to`."""
    return text.replace(json.dumps(top)[1:-1], json.dumps(to)[1:-1])


def files_before(records: Sequence[Record]) -> dict[str, str | bytes | None]:
    """Return path → text of the files that a session edited, as it found them."""
    found: dict[str, str | bytes | None] = {}
    for record in records:
        told = record.get("toolUseResult")
        if isinstance(told, dict) and isinstance(told.get("originalFile"), str):
            path = os.path.relpath(told["filePath"], record["cwd"])
            found.setdefault(path, told["originalFile"])
    return found


def in_repository(records: Sequence[Record], repo: Repo) -> list[Record]:
    """Return cleaned records as if the session ran in this repository."""
    found: list[Record] = json.loads(moved(json.dumps(list(records)), _TOP, os.fspath(repo.path)))
    return found


def transcript_path(repo: Repo, home: Path, session: str) -> Path:
    """Return where Claude Code keeps a session."""
    return home / ".claude" / "projects" / slug(repo.path) / f"{session}.jsonl"


def append_records(repo: Repo, home: Path, records: Sequence[Record]) -> None:
    """Let cleaned records stand in the transcript of their session, without any hook."""
    path = transcript_path(repo, home, str(records[0]["sessionId"]))
    _append(path, in_repository(records, repo))


def _append(path: Path, records: Sequence[Record]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        stream.write(jsonl(records))


class Replay:
    """One session in a repository; `steps` grows as it goes on."""

    def __init__(self, repo: Repo, home: Path, records: Sequence[Record], token: str) -> None:
        self.records = in_repository(records, repo)
        self.repo = repo
        self.session = str(self.records[0]["sessionId"])
        self.transcript = transcript_path(repo, home, self.session)
        self.steps: list[Step] = []
        self.edited: list[str] = []
        self._token = token
        settings = json.loads(repo.read(".claude/settings.json"))
        self._hooks = list(_hooks_of(settings))
        server = json.loads(repo.read(".mcp.json"))["mcpServers"]["skillmesh"]
        self._server = StdioServerParameters(
            command=server["command"], args=server["args"], env=dict(os.environ), cwd=repo.path
        )
        self._calls: dict[str, Record] = {}
        self._thought = ""

    def play(self) -> list[Step]:
        """Play all of it."""
        asyncio.run(self._play("resume" if self.transcript.exists() else "startup"))
        return self.steps

    async def _play(self, source: str) -> None:
        async with Client(self._server) as client:
            self._hook("SessionStart", source=source)
            asked = False
            for record in self.records:
                content = record["message"]["content"]
                if record["type"] == "assistant":
                    self._write(record)
                    for block in content:
                        await self._says(client, block)
                    continue
                prompt = _prompt_of(content)
                if prompt is None:
                    for block in content:
                        self._finish(record, block)
                    continue
                if asked:
                    self._hook("Stop", stop_hook_active=False)
                asked = True
                self.steps.append(Step("prompt", prompt))
                self._hook("UserPromptSubmit", prompt=prompt)
                self._write(record)
            self._hook("Stop", stop_hook_active=False)
            self._hook("SessionEnd", reason="prompt_input_exit")
            wait_for_hooks(self._token)
            await self._ask_why(client)

    async def _says(self, client: Client, block: Record) -> None:
        """The agent says something or calls a tool; where it reads, it also asks the memory."""
        if block["type"] == "thinking":
            self._thought = block["thinking"].partition(". ")[0]
        if block["type"] == "text":
            self.steps.append(Step("answer", block["text"]))
        if block["type"] != "tool_use":
            return
        given = block["input"]
        self._calls[block["id"]] = block
        if block["name"] == "Read":
            first = int(given.get("offset", 1))
            lines = f"{first}-{first + int(given['limit']) - 1}" if "limit" in given else ""
            await self._ask(client, "search", query=self._thought, limit=3, budget=1_000)
            await self._ask(client, "skill", task=self._thought, budget=1_000)
            await self._ask(client, "why", file=self._relative(given["file_path"]), lines=lines)
        elif block["name"] == "Bash" and "git commit" in given["command"]:
            await self._ask(client, "check")

    def _finish(self, record: Record, block: Record) -> None:
        """A tool comes back: what it did is done here too, then its hook and its record."""
        call = self._calls[block["tool_use_id"]]
        name, given = call["name"], call["input"]
        told = record.get("toolUseResult")
        if name in ("Edit", "Write") and isinstance(told, dict):
            self._edit(given)
        command = given.get("command", "")
        if name == "Bash" and may_run(command):
            when = record["timestamp"]
            done = run("bash", "-c", command, cwd=self.repo.path, env=_dated(when))
            assert done.returncode == 0, done
            said = (done.stdout + done.stderr).rstrip("\n")
            record = json.loads(json.dumps(record))
            record["message"]["content"][0]["content"] = said
            record["toolUseResult"] = told = {**(told or {}), "stdout": said}
            self.steps.append(Step("runs", command, said))
        elif name == "Bash":
            self.steps.append(Step("runs", command, str(block["content"])))
        else:
            self.steps.append(Step(name.lower(), self._relative(given["file_path"])))
        self._hook(
            "PostToolUse", tool_name=name, tool_input=given, tool_use_id=call["id"],
            tool_response=told,
        )  # fmt: skip
        self._write(record)

    def _edit(self, given: Mapping[str, Any]) -> None:
        path = self._relative(given["file_path"])
        if "content" in given:
            text = given["content"]
        else:
            before, old = self.repo.read(path), given["old_string"]
            assert old in before, f"{path} is not what the session found"
            text = before.replace(old, given["new_string"], -1 if given.get("replace_all") else 1)
        self.repo.write(path, text)
        self.edited.append(path)

    async def _ask_why(self, client: Client) -> None:
        """Ask for the reason of the first line that the session changed, in both ways."""
        path = self.edited[0]
        diff = self.repo.git("diff", "--unified=0", "HEAD^", "HEAD", "--", path)
        line = next(n for n in re.findall(r"^@@ -\S+ \+(\d+)(?:,[1-9]\d*)? @@", diff, re.M))
        words = ("why", f"{path}:{line}")
        done = self.repo.run("skillmesh", *words)
        self.steps.append(Step("shell", f"git skillmesh {' '.join(words)}", done.stdout))
        await self._ask(client, "why", file=path, lines=line)

    async def _ask(self, client: Client, tool: str, **arguments: Any) -> None:
        done = await client.call_tool(tool, arguments)
        assert isinstance(done, CallToolResult)
        (content,) = done.content
        assert isinstance(content, TextContent)
        assert not done.is_error, content.text
        self.steps.append(Step("mcp", f"{tool} {json.dumps(arguments)}", content.text))

    def _hook(self, event: str, **more: Any) -> None:
        """Call what the agent's settings name for an event, as its shell does."""
        payload = {
            "session_id": self.session, "transcript_path": str(self.transcript),
            "cwd": str(self.repo.path), "permission_mode": "default", "hook_event_name": event,
            **more,
        }  # fmt: skip
        for wanted, matcher, command in self._hooks:
            if wanted == event and re.fullmatch(matcher or ".*", more.get("tool_name", "")):
                done = run(
                    "/bin/sh", "-c", command, cwd=self.repo.path, stdin=json.dumps(payload),
                    env={"CLAUDE_PROJECT_DIR": str(self.repo.path)},
                )  # fmt: skip
                assert (done.returncode, done.stderr) == (0, ""), (command, done)
                self.steps.append(Step("hook", f"{event} → {command}", _context_of(done.stdout)))

    def _write(self, *records: Record) -> None:
        _append(self.transcript, records)

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.repo.path)


def transcript_of(steps: Sequence[Step], lines: int = 11, width: int = 110) -> str:
    """Return steps as text: what was sent on lines of their own, answers set in and shortened."""
    shown: list[str] = []
    for step in steps:
        head = _one_line(f"{step.kind}: {step.sent}", width)
        quiet = step.kind == "hook" and not step.answer
        shown.append(f"{head} (says nothing)" if quiet else head)
        answer = step.answer.rstrip().splitlines()
        shown += [_one_line(f"    {line}", width).rstrip() for line in answer[:lines]]
        if len(answer) > lines:
            shown.append("    …")
    return "\n".join(shown) + "\n"


def heads(text: str) -> list[str]:
    """Return the lines of a transcript that say what happened, without the answers."""
    return [line for line in text.splitlines() if line and not line.startswith(" ")]


def _one_line(text: str, width: int) -> str:
    text = text.replace("\n", " ⏎ ").expandtabs(4)
    return text if len(text) <= width else text[: width - 1] + "…"


def _prompt_of(content: Any) -> str | None:
    """Return what a person has typed; None for a result of a tool."""
    if isinstance(content, str):
        return content
    texts = [block["text"] for block in content if block["type"] == "text"]
    return "\n".join(texts) if texts else None


def _hooks_of(settings: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (event, matcher, command line) of our hooks; those of others are theirs."""
    for event, groups in settings["hooks"].items():
        for group in groups:
            for hook in group["hooks"]:
                if _OURS in hook["command"]:
                    yield event, group.get("matcher", ""), hook["command"]


def _context_of(output: str) -> str:
    if not output.strip():
        return ""
    return str(json.loads(output)["hookSpecificOutput"]["additionalContext"])


def may_run(command: str) -> bool:
    """Whether a command line of a session is nothing but `git add` and `git commit`."""
    bare = re.sub(r'"[^"`$\\]*"', "TEXT", command)
    if re.search(r"[^\w ./=&-]", bare):
        return False
    parts = [part.split() for part in bare.split("&&")]
    return all("&" not in word for part in parts for word in part) and all(
        (*part[:2],) in _RUN for part in parts
    )


def _dated(when: str) -> dict[str, str]:
    return {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
