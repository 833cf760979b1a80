"""An agent at work: a transcript that grows step by step, and the hooks that it calls.

In: a repository, a home folder. Out: files as Claude Code writes them, and payloads on the standard
input of `git-skillmesh-hook agent`, run as a process of its own.
"""

import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from git_skillmesh.sessions.importers.records import Record
from git_skillmesh.sessions.model import Exchange
from git_skillmesh.sessions.reading import MemoryReader

from .repos import Repo, Result, run
from .transcripts import claude, claude_result, claude_says, claude_uses, jsonl

HOOK = (sys.executable, "-m", "git_skillmesh.hooks", "agent")  # starts as for a user, see warm


def call_hook(payload: Any, *arguments: str, cwd: Path, **env: str) -> Result:
    """Give a payload to the hook as its agent does; text is given as it is."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    program = (sys.executable, "-m", "git_skillmesh.hooks", "agent")
    return run(*program, *arguments, cwd=cwd, stdin=text, env=env)


def slug(path: Path) -> str:
    """Return the name of the folder in which Claude Code keeps the sessions of a folder."""
    return re.sub(r"[^A-Za-z0-9]", "-", os.fspath(path))


@dataclass
class ClaudeCode:
    """One session of Claude Code; every method writes records and calls hooks as it does."""

    repo: Repo
    home: Path
    session: str
    clock: int = 0
    records: list[Record] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The transcript."""
        return self.home / ".claude" / "projects" / slug(self.repo.path) / f"{self.session}.jsonl"

    def subagent_path(self, agent: str) -> Path:
        """The transcript of a subagent."""
        return self.path.with_suffix("") / "subagents" / f"agent-{agent}.jsonl"

    def write(self, *records: Record, path: Path | None = None) -> None:
        """Append records to the transcript."""
        target = path or self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as stream:
            stream.write(jsonl(records))
        if path is None:
            self.records += records

    def payload(self, event: str, **more: Any) -> Record:
        """Return what the hook of an event is given."""
        return {
            "session_id": self.session, "transcript_path": str(self.path),
            "cwd": str(self.repo.path), "permission_mode": "default", "hook_event_name": event,
            **more,
        }  # fmt: skip

    def hook(self, event: str, **more: Any) -> None:
        """Call the hook, which never says anything."""
        said = call_hook(self.payload(event, **more), cwd=self.repo.path)
        assert said == Result(0, "", ""), said

    def tick(self) -> int:
        """Return the next second."""
        self.clock += 1
        return self.clock

    def about(self, **more: Any) -> Record:
        """Return what every record of this session holds."""
        return {"sessionId": self.session, "cwd": str(self.repo.path), **more}

    def asked(self, name: str, prompt: str) -> None:
        """A person asks."""
        self.write(claude("user", name, self.tick(), prompt, **self.about()))
        self.hook("UserPromptSubmit", prompt=prompt)

    def edits(self, name: str, path: str, text: str) -> None:
        """The agent writes a file."""
        file = self.repo.write(path, text)
        call = f"call-{name}"
        self.write(
            claude_uses(f"{name}-a", self.tick(), call, "Write", file_path=str(file), content=text)
            | self.about()
        )
        told = {"type": "create", "filePath": str(file), "content": text, "structuredPatch": []}
        self.write(claude_result(f"{name}-r", self.tick(), call, "ok", told, **self.about()))
        self.hook("PostToolUse", tool_name="Write", tool_use_id=call, tool_response=told)

    def runs(self, name: str, command: str, output: str) -> None:
        """The agent runs a command."""
        call = f"call-{name}"
        self.write(
            claude_uses(f"{name}-a", self.tick(), call, "Bash", command=command) | self.about()
        )
        self.write(claude_result(f"{name}-r", self.tick(), call, output, **self.about()))
        self.hook("PostToolUse", tool_name="Bash", tool_use_id=call)

    def says(self, name: str, text: str) -> None:
        """The agent answers and stops."""
        self.write(claude_says(name, self.tick(), text) | self.about())
        self.hook("Stop", stop_hook_active=False)

    def delegates(self, name: str, agent: str, prompt: str, answer: str) -> None:
        """A subagent works on a prompt."""
        call, path = f"call-{name}", self.subagent_path(agent)
        self.write(
            claude_uses(f"{name}-a", self.tick(), call, "Task", prompt=prompt) | self.about()
        )
        inner = self.about(isSidechain=True, agentId=agent)
        self.write(claude("user", f"{name}-p", self.tick(), prompt, **inner), path=path)
        self.write(claude_says(f"{name}-s", self.tick(), answer) | inner, path=path)
        self.hook("SubagentStop", agent_id=agent)
        told = {"status": "completed", "agentId": agent, "content": answer}
        self.write(claude_result(f"{name}-r", self.tick(), call, answer, told, **self.about()))
        self.hook("PostToolUse", tool_name="Task", tool_use_id=call)

    def resumed_as(self, session: str) -> "ClaudeCode":
        """Return a session that begins with a copy of this one."""
        other = ClaudeCode(self.repo, self.home, session, self.clock)
        other.write(*({**record, "sessionId": session} for record in self.records))
        other.hook("SessionStart", source="resume")
        return other


def remembered(repo: Repo) -> dict[str, tuple[Exchange, ...]]:
    """Return session → exchanges of the memory."""
    reader = MemoryReader(repo.opened())
    ids = [summary.head.session_id for summary in reader.sessions()]
    return {name: tuple(reader.exchanges(name)) for name in ids}
