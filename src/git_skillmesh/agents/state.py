"""What is installed: for each agent and scope, which parts stand in its files.

In: an agent, a scope and the folders. Out: a word for each part, and the commands that stand there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from . import files, merging, sections
from .catalogue import AGENTS, SERVER, Agent, Places, Target, server, targets
from .entries import commands_of, hooks_in, is_our_server, our_words, runs

PARTS = ("mcp", "capture", "context", "rules")
# Of two files for one part the worse word counts.
_WORST = ("broken", "changed", "outdated", "no", "yes")


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of ours as it stands in a file."""

    path: Path
    event: str
    part: str
    command: str


@dataclass
class State:
    """One agent in one scope. A part is yes, no, outdated, changed (by somebody) or broken."""

    agent: Agent
    scope: str
    parts: dict[str, str] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)
    server: dict[str, Any] | None = None
    files: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    @property
    def installed(self) -> bool:
        """Whether something of ours stands in files that no other agent reads, or in all."""
        words = self.own or [self.parts["mcp"], self.parts["capture"]]
        some = any if self.own else all
        return some(word not in ("no", "-") for word in words)

    @property
    def limits(self) -> tuple[str, ...]:
        """What the agent does not get, in sentences."""
        return self.agent.limits + (self.agent.user_limits if self.scope == "user" else ())


def state_of(name: str, scope: str, places: Places) -> State:
    """Return how an agent stands. Raises `UsageError` for a scope that has no place."""
    state = State(AGENTS[name], scope)
    words: dict[str, list[str]] = {part: [] for part in PARTS}
    others = {
        one.path for other in AGENTS if other != name for one in targets(other, scope, places)
    }
    for target in targets(name, scope, places):
        state.files.append(target.path)
        try:
            found = list(_words(target, places, state))
        except ConfigurationError as error:
            state.problems.append(str(error))
            found = [(part, "broken") for part in target.parts]
        for part, word in found:
            words[part].append(word)
            if target.path not in others:
                state.own.append(word)
    for part, said in words.items():
        state.parts[part] = next((word for word in _WORST if word in said), "-")
    return state


def _words(target: Target, places: Places, state: State) -> Iterator[tuple[str, str]]:
    text = files.read_text(target.path)
    name = str(target.path)
    if target.form != "json":
        part = target.parts[0]
        if target.form == "toml" and text is not None:
            state.server = sections.server_in(text, name)
        yield part, sections.state(text, target.form, server(_as_written(state, places)), name)
        return
    blank = text is None or not text.lstrip("\ufeff").strip()
    document = {} if blank else merging.understood(text or "", name).value
    found = list(hooks_in(document))
    for one in found:
        commands = [str(hook.get("command")) for hook in commands_of(one.value)]
        state.hooks += [
            Hook(target.path, one.event, one.part, command)
            for command in commands
            if our_words(command)
        ]
    for part in target.parts:
        if part == "mcp":
            yield part, _server_word(document, target, state)
            continue
        wanted = {entry.path[1] for entry in target.entries if entry.part == part}
        theirs = [one for one in found if one.part == part]
        if not theirs:
            yield part, "no"
        elif not all(one.untouched for one in theirs):
            yield part, "changed"
        else:
            fine = {one.event for one in theirs} == wanted and _same(document, target, part)
            yield part, "yes" if fine else "outdated"


def _server_word(document: Any, target: Target, state: State) -> str:
    entry = next(entry for entry in target.entries if entry.part == "mcp")
    holder = document.get(entry.path[0]) if isinstance(document, dict) else None
    value = holder.get(SERVER) if isinstance(holder, dict) else None
    if value is None:
        return "no"
    state.server = value if isinstance(value, dict) else None
    if not is_our_server(value):
        return "changed"
    return "yes" if {**value, "command": ""} == {**entry.value, "command": ""} else "outdated"


def _same(document: Any, target: Target, part: str) -> bool:
    """Whether the hooks are those of this version, under whatever path the program stands."""
    for entry in target.entries:
        if entry.part == part:
            stands = document["hooks"][entry.path[1]]
            if _plain(entry.value) not in [_plain(one) for one in stands]:
                return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    words = our_words(value)
    return ["hook", *words[1:]] if words else value


def _as_written(state: State, places: Places) -> Places:
    """Return the places with the path of the program that stands in the file."""
    command = (state.server or {}).get("command")
    if isinstance(command, str) and runs(command, "git-skillmesh"):
        return Places(places.home, places.top, places.environ, {"git-skillmesh": command})
    return places
