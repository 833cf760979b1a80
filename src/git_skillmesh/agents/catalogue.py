"""Which agents there are, which files configure them, and what goes into each file.

In: the name of an agent, a scope, and where the folders lie. Out: `Target`s. This is the one place
that says what is written; docs/capture.md, docs/agents-setup.md and the plugin are tested against
it. Where each fact comes from is in docs/agents-setup.md.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UsageError

SERVER = "skillmesh"
PROGRAM, HOOK = "git-skillmesh", "git-skillmesh-hook"
WORKSPACE = "${workspaceFolder}"  # what Cursor and VS Code put the folder for
CAPTURE_SECONDS, CONTEXT_SECONDS = 10, 5
SCOPES = ("project", "user")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value in a JSON file: `key` of the object at `path`, or an element of the array there.

    `part` is mcp, capture, context or form (what the file needs to be read at all).
    """

    part: str
    path: tuple[str, ...]
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Target:
    """A file of an agent. `form` is json, toml, section (of Markdown) or rule (a file of ours)."""

    path: Path
    form: str
    entries: tuple[Entry, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """What the file is for."""
        if self.form in ("section", "rule"):
            return ("rules",)
        if self.form == "toml":
            return ("mcp",)
        return tuple(dict.fromkeys(e.part for e in self.entries if e.part != "form"))


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent: the name it is installed by, the name its hooks give, and what it cannot do."""

    name: str
    title: str
    hook: str
    limits: tuple[str, ...] = ()
    user_limits: tuple[str, ...] = ()


_ON_START = "context at the start of a session only: no hook can add to a prompt there"
_ON_DISK = "conversations are read from what Copilot keeps on disk, after each answer"
AGENTS = {
    agent.name: agent
    for agent in (
        Agent("claude-code", "Claude Code", "claude-code"),
        Agent("codex", "Codex", "codex",
              ("Codex asks once whether hooks may run, and reads .codex of trusted projects",)),
        Agent("cursor", "Cursor", "cursor", (_ON_START,),
              ("no rule file: Cursor keeps the user's rules in its settings",)),
        Agent("gemini", "Gemini CLI", "gemini"),
        Agent("vscode", "VS Code", "copilot",
              (_ON_START, _ON_DISK, "agent hooks are a preview in VS Code"),
              ("no rule file: VS Code has no single one of the user's",)),
        Agent("copilot", "Copilot CLI", "copilot", (_ON_START, _ON_DISK)),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Places:
    """Where the folders lie. `absolute` maps a program to the path that is written for it."""

    home: Path
    top: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    absolute: Mapping[str, str] = field(default_factory=dict)

    def folder(self, variable: str, *default: str) -> Path:
        """Return a folder that a variable may move."""
        moved = self.environ.get(variable, "").split(",")[0]
        return Path(moved) if moved else self.home.joinpath(*default)


def agent_named(name: str) -> Agent:
    """Return an agent. Raises `UsageError`."""
    if name not in AGENTS:
        raise UsageError(f"no such agent: {name}", f"one of {', '.join(AGENTS)}")
    return AGENTS[name]


def targets(name: str, scope: str, places: Places) -> tuple[Target, ...]:
    """Return the files of an agent. Raises `UsageError` where there is no place for them."""
    if scope == "user":
        return tuple(_of_user(name, places))
    if places.top is None:
        raise UsageError("a bare repository has no files for agents", "--user installs for you")
    return tuple(_of_project(name, places, places.top))


def server(places: Places, **more: Any) -> dict[str, Any]:
    """Return the entry of the MCP server."""
    return {**more, "command": places.absolute.get(PROGRAM, PROGRAM), "args": ["mcp"]}


def _of_project(name: str, places: Places, top: Path) -> list[Target]:
    match name:
        case "claude-code":
            return [
                _servers(top / ".mcp.json", "mcpServers", server(places, type="stdio")),
                Target(top / ".claude/settings.json", "json", hooks(name, places)),
                Target(top / "CLAUDE.md", "section"),
            ]
        case "codex":
            return [
                Target(top / ".codex/config.toml", "toml"),
                Target(top / ".codex/hooks.json", "json", hooks(name, places)),
                Target(top / "AGENTS.md", "section"),
            ]
        case "cursor":
            # Cursor starts servers in a folder of its own choice.
            in_workspace = {**server(places), "args": ["-C", WORKSPACE, "mcp"]}
            return [
                _servers(top / ".cursor/mcp.json", "mcpServers", in_workspace),
                Target(top / ".cursor/hooks.json", "json", hooks(name, places)),
                Target(top / ".cursor/rules/skillmesh.mdc", "rule"),
            ]
        case "gemini":
            return [_gemini(top / ".gemini", places), Target(top / "GEMINI.md", "section")]
        case "vscode":
            first = _servers(top / ".vscode/mcp.json", "servers", server(places, type="stdio"))
        case _:
            first = _servers(top / ".mcp.json", "mcpServers", server(places, type="stdio"))
    return [
        first,
        Target(top / ".github/hooks/skillmesh.json", "json", hooks(name, places)),
        Target(top / ".github/copilot-instructions.md", "section"),
    ]


def _of_user(name: str, places: Places) -> list[Target]:
    home = places.home
    match name:
        case "claude-code":
            folder = places.folder("CLAUDE_CONFIG_DIR", ".claude")
            moved = folder if places.environ.get("CLAUDE_CONFIG_DIR") else home
            return [
                _servers(moved / ".claude.json", "mcpServers", server(places, type="stdio")),
                Target(folder / "settings.json", "json", hooks(name, places)),
                Target(folder / "CLAUDE.md", "section"),
            ]
        case "codex":
            folder = places.folder("CODEX_HOME", ".codex")
            return [
                Target(folder / "config.toml", "toml"),
                Target(folder / "hooks.json", "json", hooks(name, places)),
                Target(folder / "AGENTS.md", "section"),
            ]
        case "cursor":
            return [
                _servers(home / ".cursor/mcp.json", "mcpServers", server(places)),
                Target(home / ".cursor/hooks.json", "json", hooks(name, places)),
            ]
        case "gemini":
            folder = places.folder("GEMINI_CLI_HOME") / ".gemini"
            return [_gemini(folder, places), Target(folder / "GEMINI.md", "section")]
    folder = places.folder("COPILOT_HOME", ".copilot")
    asked = Target(folder / "hooks/skillmesh.json", "json", hooks(name, places))
    if name == "vscode":
        entry = server(places, type="stdio")
        return [_servers(_vscode_folder(places) / "mcp.json", "servers", entry), asked]
    entry = {**server(places, type="local"), "tools": ["*"]}
    return [
        _servers(folder / "mcp-config.json", "mcpServers", entry),
        asked,
        Target(folder / "copilot-instructions.md", "section"),
    ]


def _servers(path: Path, key: str, value: dict[str, Any]) -> Target:
    return Target(path, "json", (Entry("mcp", (key,), SERVER, value),))


def _gemini(folder: Path, places: Places) -> Target:
    entry = Entry("mcp", ("mcpServers",), SERVER, server(places))
    return Target(folder / "settings.json", "json", (entry, *hooks("gemini", places)))


def _vscode_folder(places: Places) -> Path:
    mac = places.home / "Library" / "Application Support"
    config = mac if mac.is_dir() else places.folder("XDG_CONFIG_HOME", ".config")
    return config / "Code" / "User"


def hooks(name: str, places: Places) -> tuple[Entry, ...]:
    """Return the hooks of an agent: those that capture, and those that tell it something."""
    program = shlex.quote(places.absolute.get(HOOK, HOOK))
    whose = AGENTS[name].hook
    agent, context = f"{program} agent {whose}", f"{program} context {whose}"
    match name:
        case "claude-code":
            edits = "Write|Edit|MultiEdit|NotebookEdit|Bash|Task"
            note, tell = _group(agent, CAPTURE_SECONDS), _group(context, CONTEXT_SECONDS)
            return _entries(
                capture={"PostToolUse": {"matcher": edits, **note}, "Stop": note,
                         "SubagentStop": note, "SessionEnd": note},
                context={"SessionStart": tell, "UserPromptSubmit": tell},
            )  # fmt: skip
        case "codex":
            note, tell = _group(agent, CAPTURE_SECONDS), _group(context, CONTEXT_SECONDS)
            return _entries(
                capture={"PostToolUse": note, "Stop": note},
                context={"SessionStart": tell, "UserPromptSubmit": tell},
            )
        case "gemini":
            edits = "write_file|replace|run_shell_command"
            note = _group(agent, name=SERVER)
            tell = _group(context, CONTEXT_SECONDS * 1000, name=SERVER)  # milliseconds there
            return _entries(
                capture={"AfterTool": {"matcher": edits, **note}, "AfterAgent": note,
                         "SessionEnd": note},
                context={"SessionStart": tell, "BeforeAgent": tell},
            )  # fmt: skip
        case "cursor":
            events = (
                "beforeSubmitPrompt", "afterFileEdit", "afterShellExecution", "afterAgentResponse",
                "stop", "sessionEnd",
            )  # fmt: skip
            found = _entries(
                capture={event: {"command": agent} for event in events},
                context={"sessionStart": {"command": context, "timeout": CONTEXT_SECONDS}},
            )
        case _:  # Copilot: names as VS Code spells them, so that both understand them
            found = _entries(
                capture={"Stop": _command(agent, CAPTURE_SECONDS)},
                context={"SessionStart": _command(context, CONTEXT_SECONDS)},
            )
    return (Entry("form", (), "version", 1), *found)


def _entries(capture: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[Entry, ...]:
    both = (("context", context), ("capture", capture))
    return tuple(
        Entry(part, ("hooks", event), "", value)
        for part, events in both
        for event, value in events.items()
    )


def _command(command: str, timeout: int = 0, name: str = "") -> dict[str, Any]:
    named = {"name": name} if name else {}
    limit = {"timeout": timeout} if timeout else {}
    return {**named, "type": "command", "command": command, **limit}


def _group(command: str, timeout: int = 0, name: str = "") -> dict[str, Any]:
    return {"hooks": [_command(command, timeout, name)]}
