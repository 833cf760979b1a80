"""Hooks that somebody waits for record how they ended, and nothing of what they were given."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.hooks.agent import main as agent_hook
from git_skillmesh.hooks.checking import check_commit
from git_skillmesh.monitoring.record import EVENTS, FOLDER
from testing.learnings import files_of, literal
from testing.repos import Repo, make_repo

CANARY = "canary_zx81"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    rules = files_of(literal("no-print", "print(", languages=("python",)))
    made = make_repo(tmp_path, files={**rules, "a.py": "x = 1\n"})
    made.state_dir.mkdir()
    monkeypatch.chdir(made.path)
    return made


def told(repo: Repo) -> list[str]:
    data = b"".join(path.read_bytes() for path in (repo.state_dir / FOLDER).iterdir())
    assert CANARY.encode() not in data
    lines = (repo.state_dir / FOLDER / EVENTS).read_text().split("\n")
    return [" ".join(line.split()[2:5]) for line in lines if line]


def test_the_check_before_a_commit(repo: Repo, capfd: pytest.CaptureFixture[str]) -> None:
    for text in (f"print('{CANARY}')\n", f"log('{CANARY}')\n"):
        repo.write(f"{CANARY}.py", text)
        repo.git("add", "--all")
        check_commit("pre-commit", [])
    assert "no-print" in capfd.readouterr().out
    message = repo.write("message", CANARY)
    assert check_commit("commit-msg", [os.fspath(message)]) == 0
    assert told(repo) == [
        "check pre-commit findings", "finding no-print fired", "check pre-commit ok",
        "finding no-print fixed", "check commit-msg ok",
    ]  # fmt: skip


def test_what_an_agent_waits_for(repo: Repo) -> None:
    payload = {
        "session_id": CANARY, "transcript_path": f"/x/.claude/projects/y/{CANARY}.jsonl",
        "cwd": os.fspath(repo.path), "hook_event_name": "PostToolUse", "tool_name": CANARY,
    }  # fmt: skip
    agent_hook(["claude-code", json.dumps(payload)])
    (repo.state_dir / "live" / "off").touch()
    agent_hook(["claude-code", json.dumps(payload)])
    assert told(repo) == ["hook agent ok", "hook agent nothing"]


@pytest.mark.parametrize(
    "hinder",
    [
        lambda state: (state / FOLDER).touch(),
        lambda state: (state / FOLDER / EVENTS).mkdir(parents=True),
    ],
    ids=["no folder", "no file"],
)
def test_a_hook_goes_on_where_nothing_can_be_recorded(
    repo: Repo, hinder: Callable[[Path], None]
) -> None:
    hinder(repo.state_dir)
    repo.write("b.py", "print(1)\n")
    repo.git("add", "--all")
    assert check_commit("pre-commit", []) == 1
