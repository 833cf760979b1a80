"""Finding transcripts on a machine, and reading whatever is named."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from git_skillmesh.errors import UsageError
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.importers.discover import files_of
from git_skillmesh.sessions.importers.places import Roots
from git_skillmesh.sessions.importers.source import KINDS, read_source, roots_of
from git_skillmesh.sessions.model import Problem
from testing.repos import make_repo
from testing.transcripts import claude, codex_event, codex_meta, copilot, jsonl, samples


def put(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def slug(path: Path, kept: str = "") -> str:
    return "".join(c if c.isalnum() or c in kept else "-" for c in str(path))


def test_claude_code_by_folder_and_by_where_a_session_began(tmp_path: Path) -> None:
    top, home = tmp_path / "lamp", tmp_path / "home"
    base = home / ".claude" / "projects"
    ours = put(base / slug(top) / "s1.jsonl", "")
    subagent = put(base / slug(top) / "s1" / "subagents" / "agent-a.jsonl", "")
    below = put(
        base / (slug(top) + "-lib") / "s2.jsonl",
        jsonl([claude("user", "p", 1, "x", cwd=f"{top}/lib")]),
    )
    put(
        base / (slug(top) + "-old") / "s3.jsonl",
        jsonl([claude("user", "p", 1, "x", cwd=f"{top}-old")]),
    )
    put(base / slug(tmp_path / "other") / "s4.jsonl", "")
    roots = Roots.of(top)
    assert files_of("claude-code", roots, {"HOME": str(home)}) == [subagent, ours, below]
    moved = put(tmp_path / "moved" / "projects" / slug(top) / "s5.jsonl", "")
    environ = {"HOME": str(home), "CLAUDE_CONFIG_DIR": str(tmp_path / "moved")}
    assert files_of("claude-code", roots, environ) == [moved]


def test_codex_and_copilot_by_where_a_session_began(tmp_path: Path) -> None:
    top, home = tmp_path / "lamp", tmp_path / "home"
    ours, other = jsonl([codex_meta(cwd=f"{top}/lib")]), jsonl([codex_meta(cwd=f"{top}-old")])
    folder = home / ".codex" / "sessions" / "2026" / "01" / "23"
    mine = put(folder / "rollout-1.jsonl", ours)
    put(folder / "rollout-2.jsonl", other)
    old = put(home / ".codex" / "archived_sessions" / "rollout-3.jsonl", ours)
    roots, environ = Roots.of(top), {"HOME": str(home)}
    assert files_of("codex", roots, environ) == [old, mine]
    assert files_of("codex", roots, {**environ, "CODEX_HOME": str(tmp_path)}) == []

    state = home / ".copilot" / "session-state"
    started = copilot("session.start", 0, sessionId="o", context={"gitRoot": str(top)})
    events = put(state / "o" / "events.jsonl", jsonl([started]))
    put(state / "p" / "events.jsonl", jsonl([copilot("session.start", 0, sessionId="p")]))
    opened = home / ".config" / "Code" / "User" / "workspaceStorage" / "abc"
    put(opened / "workspace.json", json.dumps({"folder": top.as_uri()}))
    chat = put(opened / "chatSessions" / "v.json", "{}")
    assert files_of("copilot", roots, environ) == sorted([events, chat])


def test_the_others_by_folder(tmp_path: Path) -> None:
    top, home = tmp_path / "lamp", tmp_path / "home"
    roots, environ = Roots.of(top), {"HOME": str(home)}
    gemini = home / ".gemini" / "tmp"
    hashed = put(
        gemini / hashlib.sha256(os.fsencode(top)).hexdigest() / "chats" / "session-1.json", ""
    )
    named = put(gemini / "lamp" / "chats" / "session-2.jsonl", "")
    put(gemini / "lamp" / ".project_root", f"{top}\n")
    put(gemini / "lamp-2" / "chats" / "session-3.json", "")
    assert files_of("gemini", roots, environ) == sorted([hashed, named])
    folder = (
        home / ".cursor" / "projects" / str(top).lstrip("/").replace("/", "-").replace(".", "-")
    )
    cursor = put(folder / "agent-transcripts" / "u1" / "u1.jsonl", "")
    assert files_of("cursor", roots, environ) == [cursor]
    assert files_of("aider", roots, environ) == []
    aider = put(top / ".aider.chat.history.md", "")
    story = put(top / ".specstory" / "history" / "x.md", "")
    assert files_of("aider", roots, environ) == [aider]
    assert files_of("specstory", roots, environ) == [story]


def test_no_agent_was_ever_here(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={})
    for kind in KINDS:
        done = read_source(kind, discover(repo.path), {"HOME": str(tmp_path / "nobody")})
        assert (done.sessions, done.problems) == ((), ())


def test_a_repository_is_known_by_all_its_working_trees_and_its_origin(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, "lamp", files={"a": "x"})
    tree = repo.worktree(tmp_path / "blink", "blink")
    repo.git("remote", "add", "origin", "git@forge.example:me/nightlamp.git")
    roots = roots_of(discover(tree.path))
    assert roots.tops[:2] == (str(repo.path), str(tree.path))
    assert roots.names == {"lamp", "nightlamp"}


def test_a_file_and_a_folder_whose_format_is_told_by_their_content(tmp_path: Path) -> None:
    repository = discover(make_repo(tmp_path, files={}).path)
    folder = tmp_path / "transcripts"
    one = put(
        folder / "a.jsonl", jsonl([codex_meta(), codex_event(1, "user_message", message="x")])
    )
    put(folder / "b" / "g.json", jsonl(samples()["gemini"]))
    put(folder / "README.md", "# Not a transcript\n")
    assert [s.agent for s in read_source(one, repository).sessions] == ["codex"]
    done = read_source(str(folder), repository)
    assert [s.session_id for s in done.sessions] == ["c1", "g1"]
    unknown = str(folder / "README.md")
    assert done.problems == (Problem(unknown, 0, "the transcript of no agent that is known"),)


def test_what_is_neither_a_file_nor_a_format_is_a_mistake(tmp_path: Path) -> None:
    repository = discover(make_repo(tmp_path, files={}).path)
    with pytest.raises(UsageError, match="no such file or format: clod"):
        read_source("clod", repository)
