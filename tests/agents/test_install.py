"""Install and remove: once and again, for several agents, with others at work on the same files."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.agents import files
from git_skillmesh.agents.catalogue import AGENTS, SCOPES, Places
from git_skillmesh.agents.install import Change, Site, install, remove
from git_skillmesh.agents.record import Record
from git_skillmesh.agents.state import state_of
from git_skillmesh.errors import Busy, ConfigurationError, ReadOnly, UsageError
from testing.agent_configs import site, tree


def kinds(changes: list[Change], where: Site) -> dict[str, str]:
    folder = where.record.parents[1]
    return {str(one.path.relative_to(folder)): one.kind for one in changes}


def notes(changes: list[Change]) -> list[str]:
    return [note for change in changes for note in change.notes]


@pytest.fixture
def where(tmp_path: Path) -> Site:
    return site(tmp_path)


@pytest.fixture
def top(where: Site) -> Path:
    assert where.places.top is not None
    return where.places.top


def edit(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, indent=2))


@pytest.mark.parametrize("scope", SCOPES)
def test_all_agents_come_and_go_without_a_trace(scope: str, tmp_path: Path) -> None:
    where = site(tmp_path, scope)
    before = tree(tmp_path)
    assert set(kinds(install(list(AGENTS), where), where).values()) == {"created"}
    for name in AGENTS:
        state = state_of(name, scope, where.places)
        assert set(state.parts.values()) <= {"yes", "-"}, state
        assert state.installed
    for name in AGENTS:
        remove([name], where)
    after = tree(tmp_path)
    after.pop("record", None)
    assert after == before


def test_what_goes_where(where: Site, top: Path) -> None:
    install(["claude-code"], where)
    assert (top / ".mcp.json").read_text() == (
        '{\n  "mcpServers": {\n    "skillmesh": {\n      "type": "stdio",\n'
        '      "command": "git-skillmesh",\n      "args": ["mcp"]\n    }\n  }\n}\n'
    )
    hooks = json.loads((top / ".claude/settings.json").read_text())["hooks"]
    assert list(hooks) == [
        "SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SubagentStop", "SessionEnd"
    ]  # fmt: skip
    assert hooks["UserPromptSubmit"] == [{"hooks": [{
        "type": "command", "command": "git-skillmesh-hook context claude-code", "timeout": 5,
    }]}]  # fmt: skip


def test_folders_that_a_variable_moves(tmp_path: Path) -> None:
    moved = {"CLAUDE_CONFIG_DIR": str(tmp_path / "c"), "CODEX_HOME": str(tmp_path / "x"),
             "GEMINI_CLI_HOME": str(tmp_path / "g"), "COPILOT_HOME": str(tmp_path / "p"),
             "XDG_CONFIG_HOME": str(tmp_path / "config")}  # fmt: skip
    where = site(tmp_path, "user", **moved)
    found = kinds(install(["claude-code", "codex", "gemini", "copilot", "vscode"], where), where)
    assert {name.split("/")[0] for name in found} == {"c", "x", "g", "p", "config"}
    assert "c/.claude.json" in found


def test_an_older_version_is_replaced(where: Site, top: Path) -> None:
    path = top / ".claude/settings.json"
    path.parent.mkdir()
    ours = {"hooks": [{"type": "command", "command": "git-skillmesh-hook agent claude-code"}]}
    theirs = {"hooks": [{"type": "command", "command": "theirs"}]}
    path.write_text(json.dumps({"hooks": {"Stop": [theirs, ours], "PreCompact": [ours]}}))
    assert state_of("claude-code", "project", where.places).parts["capture"] == "outdated"
    install(["claude-code"], where)
    hooks = json.loads(path.read_text())["hooks"]
    assert [len(hooks[event]) for event in ("Stop", "PostToolUse")] == [2, 1]
    assert hooks["Stop"][0] == theirs
    assert hooks["Stop"][1]["hooks"][0]["timeout"] == 10
    assert "PreCompact" not in hooks
    assert state_of("claude-code", "project", where.places).parts["capture"] == "yes"
    remove(["claude-code"], where)
    assert json.loads(path.read_text()) == {"hooks": {"Stop": [theirs]}}


def test_with_whole_paths_and_back(where: Site, top: Path) -> None:
    programs = {
        "git-skillmesh": "/opt/a b/git-skillmesh",
        "git-skillmesh-hook": "/opt/a b/git-skillmesh-hook",
    }
    absolute = Site("project", Places(where.places.home, top, {}, programs), where.record)
    install(["codex", "cursor"], where)
    before = tree(top)
    assert set(kinds(install(["codex"], absolute), where).values()) == {"changed", "unchanged"}
    assert 'command = "/opt/a b/git-skillmesh"' in (top / ".codex/config.toml").read_text()
    assert "'/opt/a b/git-skillmesh-hook' agent codex" in (top / ".codex/hooks.json").read_text()
    assert set(state_of("codex", "project", where.places).parts.values()) == {"yes"}
    install(["codex"], where)
    assert tree(top) == before
    remove(["codex", "cursor"], absolute)
    assert tree(top) == {}


def test_what_a_user_has_changed_is_theirs(where: Site, top: Path) -> None:
    install(["claude-code", "codex"], where)
    edit(top / ".mcp.json", lambda d: d["mcpServers"]["skillmesh"].update(env={"A": "b"}))
    edit(
        top / ".claude/settings.json",
        lambda d: d["hooks"]["Stop"][0]["hooks"][0].update(timeout=60),
    )
    rules = top / "CLAUDE.md"
    rules.write_text(rules.read_text().replace("Mend what blocks.", "Mend everything."))
    config = top / ".codex/config.toml"
    config.write_text(config.read_text().replace('["mcp"]', '["-v", "mcp"]'))
    parts = state_of("claude-code", "project", where.places).parts
    assert parts == {"mcp": "changed", "capture": "changed", "context": "yes", "rules": "changed"}
    kept = tree(top)
    again = install(["claude-code", "codex"], where)
    assert tree(top) == kept
    line = (top / ".claude/settings.json").read_text().partition('"Stop"')[0].count("\n") + 2
    assert notes(again) == [
        f"{top}/.mcp.json:3: the server skillmesh is somebody's own and stays",
        f"{top}/.claude/settings.json:{line}: the hook of Stop was changed by hand and stays",
        f"{top}/CLAUDE.md: the section was edited by hand and stays",
        f"{top}/.codex/config.toml: the section was edited by hand and stays",
    ]
    gone = remove(["claude-code", "codex"], where)
    assert len(notes(gone)) == 4
    assert list(json.loads((top / ".claude/settings.json").read_text())["hooks"]) == ["Stop"]
    assert rules.read_bytes() == kept["CLAUDE.md"]
    assert config.read_bytes() == kept[".codex/config.toml"]
    assert not (top / ".codex/hooks.json").exists()


def test_a_server_of_somebody_else_with_our_name(where: Site, top: Path) -> None:
    (top / ".mcp.json").write_text('{"mcpServers": {"skillmesh": {"command": "other"}}}')
    (top / ".codex").mkdir()
    (top / ".codex/config.toml").write_text('[mcp_servers.skillmesh]\ncommand = "other"\n')
    before = tree(top)
    first = install(["claude-code", "codex"], where)
    assert [note.partition(": ")[2] for note in notes(first)] == [
        "the server skillmesh is somebody's own and stays"
    ] * 2
    remove(["claude-code", "codex"], where)
    assert tree(top) == before


def test_two_agents_share_a_file(where: Site, top: Path) -> None:
    (top / "AGENTS.md").write_text("# Ours\n")
    (top / "CLAUDE.md").symlink_to("AGENTS.md")
    before = tree(top)
    install(["claude-code", "codex", "vscode", "copilot"], where)
    assert (top / "CLAUDE.md").is_symlink()
    assert (top / "AGENTS.md").read_text().count("## git skillmesh") == 1
    assert notes(remove(["claude-code"], where)) == [
        f"{top}/.mcp.json stays: copilot uses it too",
        f"{top}/AGENTS.md stays: codex uses it too",
    ]
    remove(["vscode"], where)
    for name in ("codex", "copilot"):
        assert set(state_of(name, "project", where.places).parts.values()) == {"yes"}, name
    remove(["codex"], where)
    remove(["copilot"], where)
    assert tree(top) == before


def test_shared_files_without_a_record(where: Site, top: Path) -> None:
    install(["vscode", "cursor", "copilot"], where)
    where.record.unlink()
    assert notes(remove(["vscode"], where)) == [
        f"{top}/.github/{name} stays: copilot uses it too"
        for name in ("hooks/skillmesh.json", "copilot-instructions.md")
    ]
    assert state_of("copilot", "project", where.places).installed
    where.record.unlink(missing_ok=True)
    remove(["copilot", "cursor"], where)
    assert tree(top) == {}


def test_others_write_between_install_and_remove(where: Site, top: Path) -> None:
    (top / "GEMINI.md").write_text("# A\n")
    install(["gemini"], where)
    edit(top / ".gemini/settings.json", lambda d: d.update(theme="dark"))
    with (top / "GEMINI.md").open("a") as stream:
        stream.write("\n# B\n")
    assert notes(remove(["gemini"], where)) == []
    assert json.loads((top / ".gemini/settings.json").read_text()) == {"theme": "dark"}
    assert (top / "GEMINI.md").read_text() == "# A\n\n# B\n"


def test_a_file_that_was_put_back_is_begun_anew(where: Site, top: Path) -> None:
    path = top / ".mcp.json"
    path.write_text('{"a": 1}')
    install(["claude-code"], where)
    path.write_text('{ "a": 2 }')  # as `git checkout` would
    install(["claude-code"], where)
    remove(["claude-code"], where)
    assert path.read_text() == '{ "a": 2 }'


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        (".mcp.json", '{\n"a": 1\n"b": 2}', ".mcp.json:3: a comma or } is missing"),
        (".mcp.json", "[]", ".mcp.json holds no JSON object"),
        (".mcp.json", '{"mcpServers": []}', ".mcp.json:1: mcpServers is no object"),
        (".mcp.json", b"\xff{}", ".mcp.json:1: not UTF-8"),
        (".claude/settings.json", '{"hooks": {\n"Stop": {}}}',
         ".claude/settings.json:2: hooks.Stop is no array"),
        ("CLAUDE.md", b"\0", "CLAUDE.md: the file is not text"),
        ("CLAUDE.md", "<!-- git-skillmesh agents: begin 1 -->\n", "CLAUDE.md: the marks of"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood(
    path: str, content: str | bytes, says: str, where: Site, top: Path
) -> None:
    file = top / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    before = tree(top)
    with pytest.raises(ConfigurationError) as caught:
        install(["codex", "claude-code"], where)
    assert str(caught.value).startswith(f"{top}/{says}")
    assert tree(top) == before
    assert not where.record.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [("a = \n", "Invalid value (at line 1"), ("mcp_servers = {}\n", "no table can be added")],
)
def test_toml_that_has_no_room(content: str, says: str, where: Site, top: Path) -> None:
    (top / ".codex").mkdir()
    (top / ".codex/config.toml").write_text(content)
    before = tree(top)
    with pytest.raises(ConfigurationError, match=r"config\.toml: ") as caught:
        install(["codex"], where)
    assert says in str(caught.value)
    assert tree(top) == before


def test_links(where: Site, top: Path, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "settings.json").write_text("{}")
    (dotfiles / "settings.json").chmod(0o600)
    user = site(tmp_path, "user")
    (user.places.home / ".gemini").mkdir()
    link = user.places.home / ".gemini" / "settings.json"
    link.symlink_to(dotfiles / "settings.json")
    install(["gemini"], user)
    assert link.is_symlink()
    assert (dotfiles / "settings.json").stat().st_mode & 0o777 == 0o600
    remove(["gemini"], user)
    assert (dotfiles / "settings.json").read_text() == "{}"
    assert link.is_symlink()
    # A repository may not lead the program to files elsewhere.
    (top / "CLAUDE.md").symlink_to(user.places.home / ".profile")
    with pytest.raises(UsageError, match="leads out of the repository"):
        install(["claude-code"], where)
    (top / "CLAUDE.md").unlink()
    os.mkfifo(top / "CLAUDE.md")
    with pytest.raises(ConfigurationError, match="no regular file"):
        install(["claude-code"], where)


def test_a_bare_repository(tmp_path: Path) -> None:
    where = site(tmp_path)
    bare = Site("project", Places(where.places.home), where.record)
    with pytest.raises(UsageError, match="bare repository"):
        install(["codex"], bare)
    with pytest.raises(UsageError, match="no such agent: clod"):
        install(["clod"], where)


def test_another_program_writes_at_the_same_time(
    where: Site, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has read the file, and writes it just before it is replaced: nothing of it is lost."""
    path = top / ".mcp.json"
    path.write_text("{}")
    real = files.replace
    times: list[int] = []

    def late(target: Path, before: bytes | None, after: bytes | None) -> None:
        if target == path and len(times) < 2:
            times.append(1)
            path.write_text(json.dumps({"run": len(times)}))
        real(target, before, after)

    monkeypatch.setattr(files, "replace", late)
    install(["claude-code"], where)
    document = json.loads(path.read_text())
    assert document["run"] == 2
    assert "skillmesh" in document["mcpServers"]
    remove(["claude-code"], where)
    assert path.read_text() == '{"run": 2}'


def test_two_installs_at_once(where: Site, top: Path) -> None:
    done: list[str] = []

    def work(name: str) -> None:
        for _ in range(2000):
            try:
                install([name], where)
            except Busy:
                time.sleep(0.01)
            else:
                done.append(name)
                return

    threads = [
        threading.Thread(target=work, args=(name,)) for name in ("vscode", "copilot", "codex")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["codex", "copilot", "vscode"]
    record = Record(where.record)
    assert record.files[str(top / ".github/hooks/skillmesh.json")].agents == ["copilot", "vscode"]
    remove(["vscode", "copilot", "codex"], where)
    assert tree(top) == {}


def test_a_place_that_cannot_be_written(where: Site, top: Path) -> None:
    where.record.parent.write_text("in the way")
    with pytest.raises(ReadOnly, match="cannot write"):
        install(["codex"], where)
    assert tree(top) == {}


def test_a_dry_run_writes_nothing(where: Site, tmp_path: Path) -> None:
    before = tree(tmp_path)
    changes = install(["claude-code"], where, dry_run=True)
    assert {change.kind for change in changes} == {"created"}
    assert tree(tmp_path) == before


def test_the_record_holds_nothing_of_others(where: Site, top: Path) -> None:
    (top / ".mcp.json").write_text('{"mcpServers": {"x": {"env": {"KEY": "hunter2"}}}}')
    install(["claude-code"], where)
    assert "hunter2" not in where.record.read_text()
    where.record.write_text("{")  # damaged: names and marks have to do
    remove(["claude-code"], where)
    assert tree(top) == {".mcp.json": b'{"mcpServers": {"x": {"env": {"KEY": "hunter2"}}}}'}
