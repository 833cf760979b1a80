"""`git skillmesh agents doctor`: prove for each agent that a prompt and an edit arrive."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..agents.catalogue import AGENTS, SCOPES, WORKSPACE, Places, agent_named
from ..agents.entries import may_start, our_words
from ..agents.freshness import freshness, last_stored
from ..agents.handshake import NoAnswer, tools_of
from ..agents.probe import Finding, answers, follow
from ..agents.state import PARTS, Hook, State, state_of
from ..agents.switches import switched_off
from ..errors import ExitCode, SkillmeshError
from ..git.repository import Repository
from .context import Context
from .terminal import safe_line

_HERE = "repository"
_INSTALL = "git skillmesh agents install {}"
Checked = tuple[str, Finding]
# A file of a repository may be a stranger's: what is not ours, word for word, is not tried.
_NOT_STARTED = "not as install writes it, so it is not started"


def check(names: Sequence[str], places: Places, context: Context) -> int:
    """Check agents, all installed ones by default, and print a line for each finding."""
    asked = {agent_named(name).name for name in names}
    repository = context.repository
    states = [
        state
        for state in (
            state_of(name, scope, places)
            for name in _all_names(asked)
            for scope in (SCOPES if places.top is not None else ("user",))
        )
        if state.installed
    ]
    found: list[Checked] = [(_HERE, one) for one in _repository(repository, context)]
    for name in sorted(asked - {state.agent.name for state in states}):
        mend = _INSTALL.format(name)
        found.append((name, Finding("install", False, "not installed", mend)))
    if not states and not asked:
        mend = _INSTALL.format("AGENT")
        found.append((_HERE, Finding("install", False, "no agent is installed", mend)))
    stored = last_stored(repository)
    servers: dict[tuple[str, ...], Finding] = {}
    for state in states:
        label = f"{state.agent.name} ({state.scope})"
        found += [(label, one) for one in _agent(state, places, repository, servers)]
    for hook in dict.fromkeys(state.agent.hook for state in states):
        found.append((hook, _fresh(repository, hook, stored.get(hook, ""))))
    return _tell(found, context)


def _all_names(asked: set[str]) -> list[str]:
    return [name for name in AGENTS if not asked or name in asked]


def _repository(repository: Repository, context: Context) -> Iterator[Finding]:
    """Check what all agents need: capture is on, the worker works, there is an index."""
    from ..errors import last_error

    state = repository.state_dir
    if not state.is_dir() and not (repository.common_dir / "skillmesh-init.json").is_file():
        yield Finding("init", False, "nothing is captured here", "git skillmesh init")
        return
    try:
        how = context.config["sessions.capture"]
    except SkillmeshError as error:
        yield Finding("settings", False, error.what, error.mend)
        return
    off = how == "off" or (state / "live" / "off").exists()
    mend = "git config skillmesh.sessions.capture auto" if off else ""
    yield Finding("capture", not off, f"sessions.capture is {how}", mend)
    wrong = last_error(state)
    if wrong is not None:
        yield Finding("worker", False, f"{wrong['time']} {wrong['what']}", "git skillmesh status")
    if not (state / "index" / "catalogue.db").is_file():
        yield Finding("index", False, "there is no index", "git skillmesh index")


def _agent(
    state: State, places: Places, repository: Repository, servers: dict[tuple[str, ...], Finding]
) -> Iterator[Finding]:
    """Check one agent: its files, its switches, its server (each command once), its hooks."""
    install = _INSTALL.format(f"{state.agent.name} --{state.scope}")
    for problem in state.problems:
        yield Finding("files", False, problem, "mend the file")
    for part in PARTS:
        word = state.parts[part]
        if word in ("no", "outdated"):
            yield Finding("files", False, f"{part}: {word}", install)
        elif word == "changed":
            yield Finding("files", True, f"{part}: changed by hand, and left so")
    for what, mend in switched_off(state.agent.name, state.scope, places):
        yield Finding("switches", False, what, mend)
    folder = repository.top or repository.git_dir
    if state.server is not None:
        words = _words(state.server)
        command = tuple(word.replace(WORKSPACE, str(folder)) for word in words)
        if not may_start(words, folder):
            yield Finding("mcp", False, f"{' '.join(words)}: {_NOT_STARTED}", install)
        elif command not in servers:
            servers[command] = _server(command, folder)
        if command in servers:
            yield servers[command]
    if not state.hooks:
        return
    strange = [one for one in state.hooks if not may_start(our_words(one.command), folder)]
    for command_line in dict.fromkeys(one.command for one in strange):
        yield Finding("hooks", False, f"{command_line}: {_NOT_STARTED}", install)
    hooks = [one for one in state.hooks if one not in strange]
    try:
        yield from follow(state.agent.hook, hooks)
    except (SkillmeshError, OSError) as error:
        yield Finding("capture", False, str(error))
    yield from _context(hooks, repository)


def _words(server: dict[str, Any]) -> list[str]:
    given = server.get("args")
    more = given if isinstance(given, list) else []
    return [str(word) for word in (server.get("command"), *more)]


def _server(command: tuple[str, ...], folder: Path) -> Finding:
    try:
        tools = tools_of(command, folder)
    except NoAnswer as error:
        return Finding("mcp", False, f"{' '.join(command)}: {error}")
    return Finding("mcp", bool(tools), f"the server has {len(tools)} tools")


def _context(hooks: Sequence[Hook], repository: Repository) -> Iterator[Finding]:
    """Ask the context hooks; those that answer well share a line."""
    asked = [hook for hook in hooks if hook.part == "context"]
    folder = repository.top or repository.git_dir
    told = [answers(hook, folder, "What is this repository about?") for hook in asked]
    yield from dict.fromkeys(one for one in told if not one.ok)
    fine = [hook.event for hook, one in zip(asked, told, strict=True) if one.ok]
    if fine:
        yield Finding("context", True, f"answers at {', '.join(fine)}")


def _fresh(repository: Repository, hook: str, last: str) -> Finding:
    """Tell when the last real exchange arrived, and what still waits on disk."""
    found = freshness(repository, hook, last)
    said = f"last stored {last}" if last else "nothing stored yet"
    if found.running:
        said += f", {found.running} conversation{'s' * (found.running != 1)} just written to"
    if not found.waiting:
        return Finding("stored", True, said)
    count = len(found.waiting)
    more = f"{count} transcript{'s' * (count != 1)} on disk not stored"
    return Finding("stored", False, f"{said}; {more}", "git skillmesh import")


def _tell(found: Sequence[Checked], context: Context) -> int:
    ok = all(one.ok for _, one in found)
    if context.json:
        checks = [
            {"agent": agent, "where": one.where, "ok": one.ok, "message": one.message,
             "mend": one.mend}
            for agent, one in found
        ]  # fmt: skip
        context.out_json({"schema": 1, "ok": ok, "checks": checks})
        return ExitCode.OK if ok else ExitCode.DAMAGED
    wide = max(len(agent) for agent, _ in found) if found else 0
    for agent, one in found:
        mark = context.style.good("ok ") if one.ok else context.style.bad("BAD")
        mend = f"  → {one.mend}" if one.mend else ""
        context.out(f"{mark} {agent:<{wide}}  {one.where:<8} {safe_line(one.message + mend)}")
    return ExitCode.OK if ok else ExitCode.DAMAGED
