"""`git-skillmesh-hook agent`: what it notes, what it refuses, and that no agent ever feels it."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.hooks import agent as hook
from git_skillmesh.hooks import lightjson
from git_skillmesh.hooks.payload import AGENTS, agent_of, read_payload, record_of
from git_skillmesh.sessions.live import LiveBuffer, Note
from testing.agents import HOOK, call_hook
from testing.examples import examples
from testing.repos import Repo, Result, make_repo, run
from testing.rights import read_only, respect_permissions

SILENT = Result(0, "", "")
CLAUDE = {
    "session_id": "s1", "transcript_path": "/home/ada/.claude/projects/-src-lamp/s1.jsonl",
    "permission_mode": "default", "hook_event_name": "PostToolUse", "tool_name": "Edit",
    "tool_input": {"old_string": "x"}, "tool_response": {"originalFile": "secret"},
}  # fmt: skip
CURSOR = {
    "conversation_id": "u1", "generation_id": "g1", "model": "gpt-5", "cursor_version": "2.5.26",
    "hook_event_name": "afterFileEdit", "user_email": "ada@example.org",
    "edits": [{"old_string": "a", "new_string": "b"}],
}  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path, files={"deep/a.txt": "1\n"})
    made.state_dir.mkdir()
    return made


def notes(repo: Repo) -> list[Note]:
    return LiveBuffer(repo.state_dir).take()


def test_claude_code_is_noted_by_name_and_without_its_content(repo: Repo) -> None:
    payload = {**CLAUDE, "cwd": str(repo.path / "deep")}
    assert call_hook(payload, cwd=repo.path) == SILENT
    buffer = repo.state_dir / "live" / "claude-code.jsonl"
    assert "secret" not in buffer.read_text()
    assert buffer.stat().st_mode & 0o777 == 0o600
    assert buffer.parent.stat().st_mode & 0o777 == 0o700
    (note,) = notes(repo)
    assert note == Note(
        "claude-code", "s1", "PostToolUse", note.time, str(repo.path),
        ("/home/ada/.claude/projects/-src-lamp/s1.jsonl",),
    )  # fmt: skip
    assert time.strftime("%Y-%m-%dT%H:", time.gmtime()) in note.time


def test_cursor_is_noted_with_what_its_transcripts_lack(repo: Repo) -> None:
    payload = {
        **CURSOR, "workspace_roots": [str(repo.path)], "file_path": str(repo.path / "deep/a.txt")
    }  # fmt: skip
    assert call_hook(payload, "cursor", cwd=Path("/")) == SILENT
    (note,) = notes(repo)
    assert (note.agent, note.session, note.folder) == ("cursor", "u1", str(repo.path))
    assert note.said == {
        "generation_id": "g1", "model": "gpt-5", "file_path": payload["file_path"],
        "edits": CURSOR["edits"],
    }  # fmt: skip


def test_codex_notifies_by_an_argument(repo: Repo) -> None:
    payload = {
        "type": "agent-turn-complete", "thread-id": "c1", "turn-id": "7", "cwd": str(repo.path),
        "input-messages": ["do it"], "last-assistant-message": "done",
    }  # fmt: skip
    said = run(*HOOK, json.dumps(payload), cwd=Path("/"))
    assert said == SILENT
    (note,) = notes(repo)
    assert (note.agent, note.session, note.event) == ("codex", "c1", "agent-turn-complete")
    assert note.said == {
        "turn-id": "7", "input-messages": ["do it"], "last-assistant-message": "done"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "asked", "agent"),
    [
        (CLAUDE, "", "claude-code"),
        (CLAUDE, "claude-code", "claude-code"),
        ({**CLAUDE, "transcript_path": "/x/.codex/sessions/2026/rollout-1.jsonl"}, "", "codex"),
        ({**CLAUDE, "transcript_path": None, "turn_id": "1"}, "", "codex"),
        ({**CLAUDE, "transcript_path": None}, "codex", "codex"),
        ({**CLAUDE, "hook_event_name": "AfterTool", "transcript_path": "/t"}, "", "gemini"),
        ({**CLAUDE, "transcript_path": "/x/.gemini/tmp/a/chats/s.json"}, "", "gemini"),
        (CURSOR, "", "cursor"),
        (CURSOR, "cursor", "cursor"),
        # Hooks written for Claude Code that another program runs too.
        (CURSOR, "claude-code", ""),
        ({**CLAUDE, "cursor_version": "2.5"}, "", ""),
        ({**CLAUDE, "transcript_path": "/x/.cursor/projects/y/z.jsonl"}, "", ""),
        ({**CLAUDE, "transcript_path": "/x/GitHub Copilot/t.json"}, "", ""),
        ({**CLAUDE, "transcript_path": "/x/github.copilot-chat/t.json"}, "claude-code", ""),
        ({"extensionId": "github.copilot", "hook_event_name": "Stop"}, "", ""),
        (
            {**CLAUDE, "transcript_path": "/x/.copilot/session-state/u/events.jsonl"},
            "claude-code",
            "",
        ),
        # Copilot itself, in its CLI and in VS Code.
        (
            {**CLAUDE, "transcript_path": "/x/.copilot/session-state/u/e.jsonl"},
            "copilot",
            "copilot",
        ),
        ({**CLAUDE, "transcript_path": "/x/github.copilot-chat/t.json"}, "copilot", "copilot"),
        ({"hookEventName": "Stop", "sessionId": "o1"}, "copilot", "copilot"),
        (CURSOR, "copilot", ""),
        (CLAUDE, "cursor", ""),
        ({}, "", ""),
        ({"hook_event_name": 3, "transcript_path": []}, "", ""),
    ],
)
def test_whose_payload_it_is(payload: dict[str, object], asked: str, agent: str) -> None:
    assert agent_of(payload, asked) == agent


def test_a_worktree_and_a_submodule_are_found(repo: Repo, tmp_path: Path) -> None:
    linked = repo.worktree(tmp_path / "linked", "linked")
    call_hook({**CLAUDE, "cwd": str(linked.path)}, cwd=tmp_path)
    other = make_repo(tmp_path, "other", files={"b": "1\n"})
    inner = repo.submodule(other, "inner")
    inner.state_dir.mkdir()
    call_hook({**CLAUDE, "session_id": "s2", "cwd": str(inner.path)}, cwd=tmp_path)
    moved = tmp_path / "moved"
    run("git", "clone", "--quiet", f"--separate-git-dir={moved}", repo.path, "away", cwd=tmp_path)
    (moved / "skillmesh").mkdir()
    call_hook({**CLAUDE, "session_id": "s3", "cwd": str(tmp_path / "away")}, cwd=tmp_path)
    (tmp_path / "link").symlink_to(repo.path / "deep")
    call_hook({**CLAUDE, "session_id": "s4", "cwd": str(tmp_path / "link")}, cwd=tmp_path)
    assert [(n.session, n.folder) for n in notes(repo)] == [
        ("s1", str(linked.path)), ("s4", str(repo.path))
    ]  # fmt: skip
    assert [note.session for note in notes(inner)] == ["s2"]
    assert [note.session for note in LiveBuffer(moved / "skillmesh").take()] == ["s3"]


def test_where_it_does_nothing(tmp_path: Path, repo: Repo) -> None:
    bare_folder = tmp_path / "no-repository"
    bare_folder.mkdir()
    assert call_hook({**CLAUDE, "cwd": str(bare_folder)}, cwd=tmp_path) == SILENT
    assert list(bare_folder.iterdir()) == []
    other = make_repo(tmp_path, "not-initialised", files={"a": "1\n"})
    assert call_hook({**CLAUDE, "cwd": str(other.path)}, cwd=tmp_path) == SILENT
    assert not other.state_dir.exists()
    (other.common_dir / "skillmesh-init.json").write_text("{}")  # caches deleted after `init`
    assert call_hook({**CLAUDE, "cwd": str(other.path)}, cwd=tmp_path) == SILENT
    assert len(notes(other)) == 1
    LiveBuffer(repo.state_dir).turn(on=False)
    assert call_hook({**CLAUDE, "cwd": str(repo.path)}, cwd=tmp_path) == SILENT
    assert notes(repo) == []
    LiveBuffer(repo.state_dir).turn(on=True)
    assert call_hook({**CLAUDE, "cwd": str(repo.path)}, cwd=tmp_path) == SILENT
    assert len(notes(repo)) == 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', '{"a":1} {"b":2}', "{" * 100_000, "[" * 100_000, "not json",
     '{"hook_event_name":"Stop"}', '{"cwd":"\\u0000","hook_event_name":"Stop"}'],
    ids=range(11),
)  # fmt: skip
def test_broken_input_is_kept_out(repo: Repo, text: str) -> None:
    assert call_hook(text, cwd=Path("/")) == SILENT
    assert notes(repo) == []


def test_bytes_that_are_no_text(repo: Repo) -> None:
    data = b'{"cwd":"' + os.fsencode(repo.path) + b'","hook_event_name":"Stop","session_id":"\xff"}'
    done = subprocess.run(HOOK, input=data, cwd=repo.path, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert notes(repo) == []


def test_a_huge_payload_is_read_to_its_end_and_left_out(repo: Repo) -> None:
    payload = {**CLAUDE, "cwd": str(repo.path), "tool_input": "x" * (hook.MOST_BYTES + 1)}
    assert call_hook(payload, cwd=repo.path) == SILENT
    assert notes(repo) == []


def test_a_long_record_loses_its_longest_part_first(repo: Repo) -> None:
    payload = {
        **CURSOR, "hook_event_name": "afterShellExecution", "workspace_roots": [str(repo.path)],
        "command": "make", "output": "x" * hook.LONGEST_RECORD,
    }  # fmt: skip
    assert call_hook(payload, cwd=repo.path) == SILENT
    (note,) = notes(repo)
    assert "output" not in note.said
    assert note.said["command"] == "make"


def test_a_full_buffer_takes_names_only_and_then_nothing(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def note(generation: str) -> None:
        payload = {**CURSOR, "generation_id": generation, "workspace_roots": [str(repo.path)]}
        hook.main([json.dumps(payload)])

    monkeypatch.setattr(hook, "FULL_BYTES", 300)
    monkeypatch.setattr(hook, "_OVERFULL_BYTES", 700)
    for number in range(20):
        note(f"g{number}")
    found = notes(repo)
    assert [bool(n.said) for n in found] == [True, True] + [False] * (len(found) - 2)
    assert 3 <= len(found) < 8


def test_a_pipe_that_nobody_closes_does_not_hold_the_agent(repo: Repo) -> None:
    started = time.monotonic()
    process = subprocess.Popen(HOOK, stdin=subprocess.PIPE, cwd=repo.path)
    assert process.stdin is not None
    process.stdin.write(json.dumps({**CLAUDE, "cwd": str(repo.path)}).encode())
    process.stdin.flush()
    assert process.wait(timeout=30) == 0
    assert time.monotonic() - started < 20
    process.stdin.close()
    assert len(notes(repo)) == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(repo: Repo, closed: str) -> None:
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *HOOK]
    said = run(*command, cwd=repo.path, stdin=json.dumps({**CLAUDE, "cwd": str(repo.path)}))
    assert said == SILENT
    assert len(notes(repo)) == (0 if "<" in closed else 1)


def test_a_folder_that_cannot_be_written(repo: Repo) -> None:
    payload = {**CLAUDE, "cwd": str(repo.path), "hook_event_name": "Stop"}
    with read_only(repo.state_dir):
        done = subprocess.run(
            HOOK, input=json.dumps(payload).encode(), cwd=repo.path, capture_output=True,
            check=False, preexec_fn=respect_permissions,
        )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert notes(repo) == []


@pytest.mark.parametrize("trap", ["folder", "link", "readable", "fifo"])
def test_a_buffer_that_somebody_else_could_read_is_not_used(
    repo: Repo, tmp_path: Path, trap: str
) -> None:
    live, elsewhere = repo.state_dir / "live", tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    buffer = live / "claude-code.jsonl"
    if trap == "folder":
        live.symlink_to(elsewhere)
    else:
        live.mkdir(mode=0o700)
        if trap == "link":
            buffer.symlink_to(elsewhere / "stolen")
        elif trap == "readable":
            buffer.touch(0o644)
            buffer.chmod(0o644)
        else:
            os.mkfifo(buffer, 0o600)
    assert call_hook({**CLAUDE, "cwd": str(repo.path)}, cwd=repo.path) == SILENT
    assert list(elsewhere.iterdir()) == []
    assert not buffer.is_file() or buffer.read_bytes() == b""


@pytest.mark.parametrize(
    ("payload", "starts"),
    [
        ({"hook_event_name": "Stop", "stop_hook_active": False}, True),
        ({"hook_event_name": "Stop", "stop_hook_active": True}, False),
        ({"hook_event_name": "SessionEnd", "reason": "other"}, True),
        ({"hook_event_name": "PostToolUse"}, False),
        ({"hook_event_name": "SessionStart"}, False),
    ],
)
def test_when_the_worker_is_started(
    repo: Repo, wait_for_worker: Callable[[Repo], str], payload: dict[str, Any], starts: bool
) -> None:
    assert call_hook({**CLAUDE, "cwd": str(repo.path / "deep"), **payload}, cwd=repo.path) == SILENT
    log = wait_for_worker(repo)
    assert (f"run {str(repo.path)!r} begin" in log) is starts
    assert "failed" not in log


def test_hooks_that_write_while_the_buffer_is_emptied_lose_nothing(repo: Repo) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(repo.path), str(number)], cwd=repo.path)
        for number in range(3)
    ]
    found: list[str] = []
    while any(writer.poll() is None for writer in writers):
        buffer = LiveBuffer(repo.state_dir)
        found += [note.session for note in buffer.take()]
        buffer.done()
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found += [note.session for note in notes(repo)]
    assert sorted(found) == sorted(f"{n}-{k}" for n in range(3) for k in range(300))


WRITER = """
import json, sys
from git_skillmesh.hooks.agent import main
for k in range(300):
    payload = {"session_id": f"{sys.argv[2]}-{k}", "transcript_path": "/x/.claude/t",
               "cwd": sys.argv[1], "hook_event_name": "PostToolUse"}
    main([json.dumps(payload)])
"""


def test_a_drain_waits_for_a_hook_that_is_writing(repo: Repo) -> None:
    call_hook({**CLAUDE, "cwd": str(repo.path)}, cwd=repo.path)
    with (repo.state_dir / "live" / "claude-code.jsonl").open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)
        drain = subprocess.Popen([sys.executable, "-c", DRAIN, str(repo.state_dir)])
        while not list((repo.state_dir / "live").glob("*.taken")):
            time.sleep(0.01)
        time.sleep(0.5)
        assert drain.poll() is None
        stream.write(b'{"agent":"codex","session":"late","time":"3"}\n')
    assert drain.wait(timeout=30) == 2


DRAIN = """
import sys
from pathlib import Path
from git_skillmesh.sessions.live import LiveBuffer
sys.exit(len(LiveBuffer(Path(sys.argv[1])).take()))
"""


def test_what_was_taken_out_and_not_stored_is_taken_out_again(repo: Repo) -> None:
    call_hook({**CLAUDE, "cwd": str(repo.path)}, cwd=repo.path)
    assert [note.session for note in notes(repo)] == ["s1"]
    call_hook({**CLAUDE, "session_id": "s2", "cwd": str(repo.path)}, cwd=repo.path)
    with (repo.state_dir / "live" / "claude-code.jsonl").open("ab") as stream:
        stream.write(b'{"v":1,"agent":"claude-code","sess')  # a full disk
    call_hook({**CLAUDE, "session_id": "s3", "cwd": str(repo.path)}, cwd=repo.path)
    buffer = LiveBuffer(repo.state_dir)
    assert [note.session for note in buffer.take()] == ["s1", "s2", "s3"]
    buffer.done()
    assert list((repo.state_dir / "live").iterdir()) == []


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(plain)
def test_the_light_json_is_json(value: object) -> None:
    assert json.loads(lightjson.write(value)) == value
    assert lightjson.parse(json.dumps(value)) == value
    assert lightjson.parse(f" {json.dumps(value, indent=1)}\r\n") == value


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn\\u \n', max_size=30))
def test_the_light_json_takes_what_json_takes(text: str) -> None:
    def outcome(parse: Callable[[str], object]) -> object:
        try:
            return repr(parse(text))
        except ValueError:
            return ValueError

    assert outcome(lightjson.parse) == outcome(json.loads)


payloads = st.dictionaries(
    st.sampled_from(
        ["session_id", "conversation_id", "transcript_path", "cwd", "hook_event_name", "type",
         "workspace_roots", "file_path", "tool_input", "cursor_version", "edits", "turn-id",
         "stop_hook_active", "thread-id", "generation_id"]
    ),
    plain,
)  # fmt: skip


@settings(deadline=None, max_examples=examples(30))
@given(payloads, st.sampled_from(["", *AGENTS]))
def test_any_payload_makes_a_record_or_none(payload: dict[str, object], asked: str) -> None:
    again = read_payload(json.dumps(payload).encode())
    assert again == payload
    agent = agent_of(payload, asked)
    if agent:
        record = record_of(payload, agent, "/top", {}, "now")
        assert json.loads(lightjson.write(record)) == record
