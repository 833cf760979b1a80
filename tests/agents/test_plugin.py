"""The plugin for Claude Code, and the page that shows hooks: made of what install writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh import __version__
from git_skillmesh.agents.catalogue import AGENTS, SCOPES, Places, hooks, targets
from git_skillmesh.agents.plugin import plugin_files, write_plugin
from git_skillmesh.agents.rules import RULES, skill
from git_skillmesh.display import tokens
from git_skillmesh.errors import UsageError
from git_skillmesh.registry.fields import SKILL, SKILL_OPTIONAL, Fields
from git_skillmesh.registry.texts import divide
from git_skillmesh.yamlnodes import read_yaml
from testing.docs_pages import ROOT, blocks

KEPT = ROOT / "plugins" / "claude-code"


def test_the_kept_plugin_is_what_is_written(tmp_path: Path) -> None:
    written = write_plugin(tmp_path / "plugin")
    assert written == sorted(plugin_files())
    kept = {str(p.relative_to(KEPT)): p.read_bytes() for p in KEPT.rglob("*") if p.is_file()}
    assert kept == plugin_files(), "git skillmesh agents plugin plugins/claude-code"
    assert write_plugin(tmp_path / "plugin") == written
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(UsageError, match="holds something else"):
        write_plugin(tmp_path / "other")


def test_it_is_a_plugin_with_the_hooks_and_the_server_of_install() -> None:
    found = plugin_files()
    manifest = json.loads(found[".claude-plugin/plugin.json"])
    assert manifest["name"] == "git-skillmesh"
    assert manifest["version"] == __version__
    (offered,) = json.loads(found[".claude-plugin/marketplace.json"])["plugins"]
    assert offered["source"] == "./"
    places = Places(Path("/"), Path("/top"))
    servers, settings, _ = targets("claude-code", "project", places)
    (entry,) = servers.entries
    assert json.loads(found[".mcp.json"]) == {"mcpServers": {entry.key: entry.value}}
    told = json.loads(found["hooks/hooks.json"])["hooks"]
    assert told == {entry.path[1]: [entry.value] for entry in settings.entries}


def test_its_skill_is_one_and_the_rules_are_short() -> None:
    text = divide(skill())
    front = Fields(read_yaml(text.front.encode()))
    front.check(SKILL, SKILL_OPTIONAL)
    assert front.wrong == []
    assert tokens(RULES) < 250


def captured(name: str) -> Any:
    """Return the hooks that capture, as the file of an agent holds them."""
    events: dict[str, Any] = {}
    frame: dict[str, Any] = {}
    for entry in hooks(name, Places(Path("/"))):
        if entry.part == "capture":
            events.setdefault(entry.path[1], []).append(entry.value)
        elif entry.part == "form":
            frame[entry.key] = entry.value
    return {**frame, "hooks": events}


def test_the_page_about_capturing_shows_what_install_writes() -> None:
    shown = [json.loads(b.text) for b in blocks(ROOT / "docs" / "capture.md") if b.info == "json"]
    assert shown == [captured(name) for name in AGENTS if name != "vscode"]
    assert captured("vscode") == captured("copilot")


def test_the_page_about_setting_up_names_every_file() -> None:
    page = (ROOT / "docs" / "agents-setup.md").read_text()
    home, top = Path("/home-of-yours"), Path("/top-of-it")
    for name in AGENTS:
        for scope in SCOPES:
            found: dict[str, str] = {}
            for target in targets(name, scope, Places(home, top)):
                path = str(target.path).replace(f"{home}/", "~/").replace(f"{top}/", "")
                for part in target.parts:
                    found["hooks" if part in ("capture", "context") else part] = f"`{path}`"
            cells = [f"`{name}`", scope, *(found.get(p, "") for p in ("mcp", "hooks", "rules"))]
            assert "| " + " | ".join(cells).rstrip() + " |" in page, cells
