"""What is well installed and turned off all the same."""

import os
from pathlib import Path

import pytest

from git_skillmesh.agents.catalogue import AGENTS
from git_skillmesh.agents.switches import switched_off
from testing.agent_configs import site


@pytest.mark.parametrize(
    ("agent", "path", "content", "says"),
    [
        ("claude-code", "home/.claude/settings.json", '{"disableAllHooks": true}', "disableAll"),
        ("claude-code", "top/.claude/settings.local.json",
         '{"disabledMcpjsonServers": ["skillmesh"]}', "disabledMcpjsonServers"),
        ("codex", "home/.codex/config.toml", "[features]\nhooks = false", "features.hooks is"),
        ("codex", "top/.codex/config.toml", "[features]\ncodex_hooks = false",
         "features.codex_hooks"),
        ("codex", "home/.codex/config.toml", '[projects."{top}"]\ntrust_level = "untrusted"',
         "does not trust this project"),
        ("gemini", "top/.gemini/settings.json", '{ // no\n"hooksConfig": {"enabled": false},}',
         "hooksConfig.enabled is false"),
        ("gemini", "home/.gemini/settings.json", '{"hooksConfig": {"disabled": ["skillmesh"]}}',
         "hooksConfig.disabled names skillmesh"),
        ("gemini", "home/.gemini/settings.json", '{"tools": {"enableHooks": false}}',
         "tools.enableHooks is false"),
        ("gemini", "top/.gemini/settings.json", '{"mcp": {"excluded": ["skillmesh"]}}',
         "mcp.excluded names skillmesh"),
        ("vscode", "top/.vscode/settings.json", '{"chat.useHooks": false}', "chat.useHooks is"),
        ("copilot", "home/.copilot/settings.json", '{"disableAllHooks": true}', "disableAllHooks"),
        ("cursor", "top/.cursor/hooks.json", '{"version": 1}', ""),
        ("claude-code", "home/.claude/settings.json", '{"disableAllHooks": "yes"', ""),
        ("codex", "home/.codex/config.toml", "[features", ""),
    ],
)  # fmt: skip
def test_switches(agent: str, path: str, content: str, says: str, tmp_path: Path) -> None:
    where = site(tmp_path)
    assert where.places.top is not None
    assert [switched_off(name, "project", where.places) for name in AGENTS] == [[]] * len(AGENTS)
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(content.replace("{top}", os.path.realpath(where.places.top)))
    found = switched_off(agent, "project", where.places)
    assert [says in what for what, _ in found] == ([True] if says else [])
    assert all(str(file) in what + mend for what, mend in found)
