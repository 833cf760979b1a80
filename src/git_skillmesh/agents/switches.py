"""Settings of agents by which hooks or servers that are well installed do nothing.

In: an agent and the folders. Out: sentences about what is turned off, and where. A file that cannot
be read says nothing here; `state` speaks of it.
"""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from . import files
from .catalogue import SERVER, Places
from .jsonc import NotJson, parse

Off = tuple[str, str]  # what is turned off, and how to turn it on


def switched_off(name: str, scope: str, places: Places) -> list[Off]:
    """Return what is turned off for an agent."""
    match name:
        case "claude-code":
            return list(_claude(places))
        case "codex":
            return list(_codex(scope, places))
        case "gemini":
            return list(_gemini(places))
        case "vscode" | "copilot":
            return list(_copilot(places))
    return []


def _claude(places: Places) -> Iterator[Off]:
    folder = places.folder("CLAUDE_CONFIG_DIR", ".claude")
    inner = (".claude/settings.json", ".claude/settings.local.json")
    for path in (folder / "settings.json", *_in_project(places, *inner)):
        settings = _json(path)
        if settings.get("disableAllHooks") is True:
            yield f"disableAllHooks in {path}", f"take it out of {path}"
        refused = settings.get("disabledMcpjsonServers")
        if isinstance(refused, list) and SERVER in refused:
            yield f"the server is in disabledMcpjsonServers of {path}", f"take it out of {path}"


def _codex(scope: str, places: Places) -> Iterator[Off]:
    user = places.folder("CODEX_HOME", ".codex") / "config.toml"
    for path in (user, *_in_project(places, ".codex/config.toml")):
        features = _toml(path).get("features")
        for key in ("hooks", "codex_hooks"):
            if isinstance(features, dict) and features.get(key) is False:
                yield f"features.{key} is false in {path}", f"set it to true in {path}"
    if scope == "project" and places.top is not None:
        projects = _toml(user).get("projects")
        told = projects.get(os.path.realpath(places.top)) if isinstance(projects, dict) else None
        if isinstance(told, dict) and told.get("trust_level") == "untrusted":
            yield f"{user} does not trust this project", "start codex here and trust it"


def _gemini(places: Places) -> Iterator[Off]:
    user = places.folder("GEMINI_CLI_HOME") / ".gemini" / "settings.json"
    for path in (user, *_in_project(places, ".gemini/settings.json")):
        settings = _json(path)
        hooks, tools, mcp = (
            found if isinstance(found := settings.get(key), dict) else {}
            for key in ("hooksConfig", "tools", "mcp")
        )
        if hooks.get("enabled") is False:
            yield f"hooksConfig.enabled is false in {path}", f"take it out of {path}"
        if tools.get("enableHooks") is False:
            yield f"tools.enableHooks is false in {path}", f"take it out of {path}"
        if isinstance(hooks.get("disabled"), list) and SERVER in hooks["disabled"]:
            yield f"hooksConfig.disabled names {SERVER} in {path}", f"take it out of {path}"
        if isinstance(mcp.get("excluded"), list) and SERVER in mcp["excluded"]:
            yield f"mcp.excluded names {SERVER} in {path}", f"take it out of {path}"


def _copilot(places: Places) -> Iterator[Off]:
    folder = places.folder("COPILOT_HOME", ".copilot")
    inner = (
        ".github/hooks/skillmesh.json", ".github/copilot/settings.json",
        ".github/copilot/settings.local.json",
    )  # fmt: skip
    own = (folder / "settings.json", folder / "config.json", folder / "hooks/skillmesh.json")
    for path in (*own, *_in_project(places, *inner)):
        if _json(path).get("disableAllHooks") is True:
            yield f"disableAllHooks in {path}", f"take it out of {path}"
    for path in _in_project(places, ".vscode/settings.json"):
        if _json(path).get("chat.useHooks") is False:
            yield f"chat.useHooks is false in {path}", f"set it to true in {path}"


def _in_project(places: Places, *names: str) -> list[Path]:
    return [] if places.top is None else [places.top / name for name in names]


def _json(path: Path) -> dict[str, Any]:
    try:
        found = parse(files.read_text(path) or "{}").value
    except (ConfigurationError, NotJson):
        return {}
    return found if isinstance(found, dict) else {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((files.read_text(path) or "").removeprefix("\ufeff"))
    except (ConfigurationError, ValueError, RecursionError):
        return {}
