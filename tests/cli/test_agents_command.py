"""`git skillmesh agents`: what it says, what it refuses, and that doctor finds what is wrong."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.agents import probe
from git_skillmesh.agents.freshness import freshness
from git_skillmesh.agents.handshake import NoAnswer, tools_of
from git_skillmesh.git.repository import discover
from testing.agents import ClaudeCode
from testing.commands import call, program_folder
from testing.repos import Repo, make_repo
from testing.rights import run_respecting_permissions

SERVER = """\
import sys
from mcp.server import MCPServer
server = MCPServer("x", log_level="ERROR")
server.add_tool(lambda: "", name="search", description="x", structured_output=False)
server.run("stdio")
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"a.py": "a = 1\n"})


@pytest.fixture
def programs(tmp_path: Path) -> str:
    """A PATH on which the two programs are, run by the interpreter of the tests."""
    return f"{program_folder(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}"


def test_install_list_and_remove(repo: Repo) -> None:
    done = call(repo.path, "agents", "install", "cursor", "vscode")
    assert (done.returncode, done.stdout) == (0, (
        f"created   {repo.path}/.cursor/mcp.json  (mcp)\n"
        f"created   {repo.path}/.cursor/hooks.json  (context, capture)\n"
        f"created   {repo.path}/.cursor/rules/skillmesh.mdc  (rules)\n"
        f"created   {repo.path}/.vscode/mcp.json  (mcp)\n"
        f"created   {repo.path}/.github/hooks/skillmesh.json  (context, capture)\n"
        f"created   {repo.path}/.github/copilot-instructions.md  (rules)\n"
    ))  # fmt: skip
    assert done.stderr.splitlines() == [
        "commit these files to share them, or keep them to yourself by .git/info/exclude",
        "nothing is captured before `git skillmesh init` has run here",
        "Cursor: context at the start of a session only: no hook can add to a prompt there",
        "VS Code: context at the start of a session only: no hook can add to a prompt there",
        "VS Code: conversations are read from what Copilot keeps on disk, after each answer",
        "VS Code: agent hooks are a preview in VS Code",
        "to see that it works: git skillmesh agents doctor",
    ]
    listed = call(repo.path, "agents").stdout.splitlines()
    assert listed[0].split() == ["agent", "scope", "mcp", "capture", "context", "rules"]
    assert [line.split() for line in listed if "yes" in line] == [
        ["cursor", "project", *["yes"] * 4], ["vscode", "project", *["yes"] * 4],
        ["copilot", "project", "no", *["yes"] * 3],
    ]  # fmt: skip
    told: list[dict[str, Any]] = json.loads(call(repo.path, "agents", "--json").stdout)["agents"]
    assert [(s["agent"], s["scope"]) for s in told if s["installed"]] == [
        ("cursor", "project"), ("vscode", "project")
    ]  # fmt: skip
    gone = call(repo.path, "agents", "remove", "cursor", "vscode", "--json")
    assert {one["change"] for one in json.loads(gone.stdout)["files"]} == {"deleted"}
    assert repo.git("status", "--porcelain") == ""
    assert not (repo.common_dir / "skillmesh-agents.json").exists()


def test_agents_may_stand_behind_options_and_a_file_that_is_gone_does_not_stay(repo: Repo) -> None:
    assert call(repo.path, "agents", "install", "--project", "claude-code", "-q").returncode == 0
    assert call(repo.path, "agents", "install", "--project", "copilot", "-q").returncode == 0
    gone = call(repo.path, "agents", "remove", "--project", "claude-code", "copilot")
    assert gone.stderr == ""
    assert repo.git("status", "--porcelain") == ""


def test_a_dry_run_shows_lines_of_nobody_else(repo: Repo) -> None:
    path = repo.write(
        ".mcp.json", '{\n  "mcpServers": {\n    "x": {"env": {"KEY": "hunter2"}}\n  }\n}\n'
    )
    done = call(repo.path, "agents", "install", "claude-code", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.startswith(f"--- {path}\n+++ {path}\n@@ -3 +3,6 @@\n")
    assert '+    "skillmesh": {\n' in done.stdout
    assert json.loads(path.read_text())["mcpServers"].keys() == {"x"}
    assert not (repo.path / "CLAUDE.md").exists()
    as_json = call(repo.path, "agents", "install", "claude-code", "--dry-run", "--json")
    assert '+    "skillmesh"' in json.loads(as_json.stdout)["files"][0]["diff"]


def test_outside_of_a_repository_only_for_the_user(tmp_path: Path, home: Path) -> None:
    done = call(tmp_path, "agents", "install", "codex")
    assert (done.returncode, done.stdout) == (4, "")
    assert call(tmp_path, "agents", "install", "codex", "--user").returncode == 0
    assert (home / ".codex" / "config.toml").is_file()
    assert "codex        user     yes" in call(tmp_path, "agents").stdout
    assert call(tmp_path, "agents", "remove", "codex", "--user").returncode == 0
    assert not (home / ".codex").exists()
    assert not (home / ".config" / "git-skillmesh").exists()


def test_odd_places(tmp_path: Path) -> None:
    bare = make_repo(tmp_path, "bare", bare=True)
    assert call(bare.path, "agents").returncode == 0
    refused = call(bare.path, "agents", "install", "codex")
    assert (refused.returncode, refused.stdout) == (2, "")
    main = make_repo(tmp_path, "a 'b\nc", files={"a": "1\n"})
    linked = main.worktree(tmp_path / 'linked "x"', "other")
    for repo in (main, linked):
        assert call(repo.path, "agents", "install", "codex", "cursor").returncode == 0
    for repo in (linked, main):
        assert "\u240a" in call(main.path, "agents", "remove", "codex", "--dry-run").stdout
        assert call(repo.path, "agents", "remove", "codex", "cursor").returncode == 0
        assert repo.git("status", "--porcelain") == ""
        if repo is linked:
            assert main.git("status", "--porcelain") != ""
    assert not (main.common_dir / "skillmesh-agents.json").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("instal",), "no such action: instal: list, install, remove, doctor, plugin"),
        (("install",), "install takes at least one agent"),
        (("install", "clod"), "no such agent: clod"),
        (("list", "codex"), "list takes no agents"),
        (("doctor", "--user"), "--user is for: install, remove"),
        (("remove", "codex", "--absolute"), "--absolute is for: install"),
        (("plugin",), "plugin takes one folder"),
        (("install", "codex", "--project", "--user"), "not allowed with argument"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], says: str, repo: Repo) -> None:
    done = call(repo.path, "agents", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_broken_file_and_a_read_only_folder(repo: Repo) -> None:
    path = repo.write(".cursor/mcp.json", '{\n"a"\n')
    done = call(repo.path, "agents", "install", "cursor")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(f"git-skillmesh: {path}:3: a colon is missing")
    assert "cursor       project  broken" in call(repo.path, "agents").stdout
    path.unlink()
    path.parent.chmod(0o500)
    refused = run_respecting_permissions(repo.path, "agents", "install", "cursor")
    path.parent.chmod(0o700)
    assert (refused.returncode, refused.stdout) == (9, "")
    assert "cannot write" in refused.stderr
    assert list(path.parent.iterdir()) == []


def checks(repo: Repo, *names: str, **env: str) -> dict[tuple[str, str], tuple[bool, str]]:
    done = call(repo.path, "agents", "doctor", *names, "--json", env=dict(env))
    told = json.loads(done.stdout)
    assert done.returncode == (0 if told["ok"] else 8)
    assert told["ok"] == all(one["ok"] for one in told["checks"])
    return {(c["agent"], c["where"]): (c["ok"], c["message"]) for c in told["checks"]}


def test_doctor_follows_a_prompt_and_an_edit(repo: Repo, programs: str) -> None:
    repo.state_dir.mkdir()
    call(repo.path, "agents", "install", "claude-code", "gemini", "-q")
    found = checks(repo, "claude-code", PATH=programs)
    agent = "claude-code (project)"
    assert found[agent, "capture"] == (True, "a prompt reaches the live buffer")
    assert found[agent, "worker"] == (True, "the prompt and its edit are stored")
    assert found["repository", "capture"] == (True, "sessions.capture is auto")
    assert found["repository", "index"] == (False, "there is no index")
    assert found["claude-code", "stored"] == (True, "nothing stored yet")
    assert "tools" in found[agent, "mcp"][1]
    assert (agent, "context") in found
    assert not [key for key in found if key[0].startswith("gemini")]
    # Nothing of it is in the real repository.
    assert repo.git("for-each-ref", "refs/skillmesh") == ""
    assert not (repo.state_dir / "live" / "claude-code.jsonl").exists()


def test_doctor_says_where_it_stops(repo: Repo, home: Path, tmp_path: Path) -> None:
    assert checks(repo)["repository", "init"] == (False, "nothing is captured here")
    repo.state_dir.mkdir()
    repo.git("config", "skillmesh.sessions.capture", "off")
    call(repo.path, "agents", "install", "codex", "-q")
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text("[features]\nhooks = false\n")
    settings = repo.path / ".codex/hooks.json"
    settings.write_text(settings.read_text().replace('"Stop"', '"Stopp"'))
    found = checks(repo, PATH="/usr/bin:/bin")
    agent = "codex (project)"
    assert found["repository", "capture"] == (False, "sessions.capture is off")
    assert found[agent, "files"] == (False, "capture: outdated")
    assert found[agent, "switches"][1].startswith("features.hooks is false in")
    assert found[agent, "mcp"][1].startswith("git-skillmesh mcp: ")
    assert found[agent, "PATH"] == (
        False, f"git-skillmesh-hook is not on PATH ({repo.path}/.codex/hooks.json)"
    )  # fmt: skip
    assert checks(repo, "gemini")["gemini", "install"] == (False, "not installed")


def test_doctor_starts_nothing_that_a_repository_slips_in(
    repo: Repo, programs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of a fresh clone are a stranger's."""
    # For work that nothing has begun.
    monkeypatch.setattr(probe, "_BEGUN_SECONDS", 0.3)
    repo.state_dir.mkdir()
    call(repo.path, "agents", "install", "claude-code", "-q")
    marker = tmp_path / "run"
    evil = repo.write("tools/git-skillmesh-hook", f"#!/bin/sh\ntouch {marker}\n")
    evil.chmod(0o755)
    (repo.path / "tools" / "git-skillmesh").symlink_to(evil)
    commands = (
        f"git-skillmesh-hook agent claude-code; touch {marker}",
        f"git-skillmesh-hook agent $(touch {marker})",
        "tools/git-skillmesh-hook agent claude-code",
        f"{evil} agent claude-code",
    )
    hook = [{"hooks": [{"type": "command", "command": command} for command in commands]}]
    settings = repo.path / ".claude/settings.json"
    document = json.loads(settings.read_text())
    document["hooks"] |= {"Stop": hook, "UserPromptSubmit": hook, "SessionStart": hook}
    settings.write_text(json.dumps(document))
    for program, *words in (
        ["sh", "-c", f"touch {marker}"],
        [str(repo.path / "tools" / "git-skillmesh"), "mcp"],
        ["tools/git-skillmesh", "mcp"],
        ["git-skillmesh", "-C", "/", "mcp"],
    ):
        server = {"command": program, "args": words}
        (repo.path / ".mcp.json").write_text(json.dumps({"mcpServers": {"skillmesh": server}}))
        done = call(repo.path, "agents", "doctor", "--json", env={"PATH": programs})
        told = [one["message"] for one in json.loads(done.stdout)["checks"]]
        assert done.returncode == 8
        assert not marker.exists(), server
        for command in (" ".join([program, *words]), *commands):
            assert f"{command}: not as install writes it, so it is not started" in told


def test_a_transcript_that_was_not_stored(
    repo: Repo, home: Path, wait_for_worker: Callable[[Repo], str]
) -> None:
    repo.state_dir.mkdir()
    agent = ClaudeCode(repo, home, "s-1")
    agent.asked("p1", "do it")
    repository = discover(repo.path)
    assert freshness(repository, "claude-code", "").running == 1
    old = time.time() - 3600
    os.utime(agent.path, (old, old))
    found = freshness(repository, "claude-code", "")
    assert (found.waiting, found.running) == ((agent.path,), 0)
    call(repo.path, "agents", "install", "claude-code", "-q")
    assert checks(repo, PATH="/usr/bin:/bin")["claude-code", "stored"] == (
        False, "nothing stored yet; 1 transcript on disk not stored"
    )  # fmt: skip
    assert call(repo.path, "import").returncode == 0
    assert freshness(repository, "claude-code", "").waiting == ()
    told = checks(repo, PATH="/usr/bin:/bin")["claude-code", "stored"]
    assert told == (True, "last stored 2026-01-23T15:39:01.000Z")


def test_servers_that_do_not_answer(tmp_path: Path) -> None:
    assert tools_of([sys.executable, "-c", SERVER], tmp_path) == ["search"]
    for command, says in (
        (["/nowhere/git-skillmesh"], "No such file"),
        (["sh", "-c", "echo no >&2; exit 3"], "no"),
        (["sh", "-c", "read x; echo hello; sleep 1"], "something else than messages"),
        (
            ["sh", "-c", 'read x; echo \'{"id": 1, "error": "e"}\'; sleep 1'],
            "refuses initialize: e",
        ),
    ):
        with pytest.raises(NoAnswer, match=says):
            tools_of(command, tmp_path)
