"""Draining the live buffer: what is read, what is refused, what hooks tell that no file does."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.hooks import agent as hook
from git_skillmesh.sessions import importing
from git_skillmesh.sessions.capture import Captured, capture_live
from git_skillmesh.sessions.importers import source
from git_skillmesh.sessions.importers.records import made_id
from git_skillmesh.sessions.model import Act, Edit
from testing.agents import remembered, slug
from testing.memory import tree_of
from testing.repos import Repo, make_repo
from testing.transcripts import claude, claude_says, codex_event, codex_meta, codex_says, jsonl


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the test itself does what the worker would; test_capture_live.py has real ones."""
    monkeypatch.setattr(hook, "_start_worker", lambda _folder: None)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path, "lamp", files={"a.py": "x = 1\n"})
    made.state_dir.mkdir()
    return made


def capture(repo: Repo, how: str = "auto") -> Captured:
    repository = discover(repo.path)
    return capture_live(repository, load(repository, {"sessions.capture": how}))


def note(repo: Repo, **payload: Any) -> None:
    hook.main([json.dumps({"cwd": str(repo.path), **payload})])


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def conversation(repo: Repo, session: str, *prompts: str, cwd: Path | None = None) -> bytes:
    about = {"sessionId": session, "cwd": str(cwd or repo.path)}
    records = []
    for number, prompt in enumerate(prompts):
        name = f"{session}-{number}"
        records += [
            claude("user", name, 2 * number, prompt, **about),
            claude_says(f"{name}-a", 2 * number + 1, f"answer to {prompt}") | about,
        ]
    return jsonl(records)


def transcript(repo: Repo, home: Path, session: str) -> Path:
    return home / ".claude" / "projects" / slug(repo.path) / f"{session}.jsonl"


def prompts(repo: Repo) -> dict[str, list[str]]:
    return {name: [e.prompt for e in exchanges] for name, exchanges in remembered(repo).items()}


def test_a_growing_transcript_adds_what_is_new(repo: Repo, home: Path) -> None:
    path = put(transcript(repo, home, "s1"), conversation(repo, "s1", "one"))
    assert capture(repo) == Captured(new={"s1"})
    assert capture(repo) == Captured()
    before = tree_of(repo)
    path.write_bytes(conversation(repo, "s1", "one", "two"))
    assert capture(repo) == Captured(grown={"s1"})
    after = tree_of(repo)
    assert prompts(repo) == {"s1": ["one", "two"]}
    (head,) = (name for name in before if name.endswith("session.json"))
    assert {name: text for name, text in after.items() if name in before and name != head} == {
        name: text for name, text in before.items() if name != head
    }
    assert len(after) == len(before) + 1


def test_only_what_is_new_is_redacted_again(
    repo: Repo, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    redact = importing.Intake._redact

    def watch(self: importing.Intake, exchange: Any) -> Any:
        seen.append(exchange.exchange_id)
        return redact(self, exchange)

    monkeypatch.setattr(importing.Intake, "_redact", watch)
    path = put(transcript(repo, home, "s1"), conversation(repo, "s1", "a", "b", "c", "d"))
    capture(repo)
    assert {name for name in seen if name != "s1"} == {"s1-0", "s1-1", "s1-2", "s1-3"}
    seen.clear()
    path.write_bytes(conversation(repo, "s1", "a", "b", "c", "d", "e"))
    capture(repo)
    assert {name for name in seen if name != "s1"} == {"s1-3", "s1-4"}


def test_a_file_is_read_again_only_when_it_has_changed(
    repo: Repo, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    read_regular = source.read_regular

    def watch(file: Path, *args: Any) -> Any:
        read.append(file.stem)
        return read_regular(file, *args)

    monkeypatch.setattr(source, "read_regular", watch)
    for name in ("s1", "s2", "s3"):
        put(transcript(repo, home, name), conversation(repo, name, "x"))
    rollout = home / ".codex" / "sessions" / "2026" / "rollout-x.jsonl"
    put(rollout, jsonl([codex_meta(cwd="/elsewhere")]))
    capture(repo)
    assert sorted(read) == ["s1", "s2", "s3"]
    capture(repo)
    assert len(read) == 3
    put(transcript(repo, home, "s2"), conversation(repo, "s2", "x", "y"))
    capture(repo)
    assert read[3:] == ["s2"]
    # The cache may be deleted: everything is read once more and nothing is stored.
    (repo.state_dir / "capture.db").unlink()
    assert capture(repo) == Captured()
    assert len(read) == 7
    (repo.state_dir / "capture.db").write_bytes(b"no database" * 1000)
    assert capture(repo) == Captured()
    # So may the memory: then all is stored again.
    repo.git("update-ref", "-d", "refs/skillmesh/memory")
    assert capture(repo) == Captured(new={"s1", "s2", "s3"})


def test_a_transcript_of_another_repository_is_looked_into_once(
    repo: Repo, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from git_skillmesh.sessions.importers import discover as finding

    looked: list[str] = []
    look = finding._folder_named_in

    def watch(file: Path) -> str:
        looked.append(file.stem)
        return look(file)

    monkeypatch.setattr(finding, "_folder_named_in", watch)
    folder = home / ".codex" / "sessions"
    put(folder / "rollout-1.jsonl", jsonl([codex_meta(cwd="/elsewhere")]))
    put(folder / "rollout-2.jsonl", jsonl([codex_meta(id="c2", cwd=str(repo.path))]))
    put(folder / "rollout-3.jsonl", b"")  # an agent that has not begun to write
    capture(repo)
    assert sorted(looked) == ["rollout-1", "rollout-2", "rollout-3"]
    capture(repo)
    assert looked[3:] == ["rollout-3"]


def test_the_setting_says_what_is_stored(repo: Repo, home: Path) -> None:
    named = put(transcript(repo, home, "s1"), conversation(repo, "s1", "named"))
    put(transcript(repo, home, "s2"), conversation(repo, "s2", "found"))
    note(repo, session_id="s1", transcript_path=str(named), hook_event_name="Stop")
    assert capture(repo, "off") == Captured()
    assert not repo.run("rev-parse", "--verify", "-q", "refs/skillmesh/memory").stdout
    assert [path.name for path in (repo.state_dir / "live").iterdir()] == ["off"]
    note(repo, session_id="s1", transcript_path=str(named), hook_event_name="Stop")
    assert capture(repo, "hooks") == Captured()  # the hook still kept silent
    note(repo, session_id="s1", transcript_path=str(named), hook_event_name="Stop")
    assert capture(repo, "hooks") == Captured(new={"s1"})
    assert capture(repo, "auto") == Captured(new={"s2"})


def test_subagents_of_a_named_session_are_stored_with_it(repo: Repo, home: Path) -> None:
    named = put(transcript(repo, home, "s1"), conversation(repo, "s1", "named"))
    about = {"sessionId": "s1", "agentId": "ab", "isSidechain": True, "cwd": str(repo.path)}
    put(
        named.with_suffix("") / "subagents" / "agent-ab.jsonl",
        jsonl([claude("user", "x1", 1, "look", **about), claude_says("x2", 2, "seen") | about]),
    )
    note(repo, session_id="s1", transcript_path=str(named), hook_event_name="Stop")
    assert capture(repo, "hooks") == Captured(new={"s1", "s1-ab"})


def test_a_session_in_a_folder_that_moved_is_found_by_the_hook(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    path = put(elsewhere / "projects" / "odd-name" / "s1.jsonl", conversation(repo, "s1", "x"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(elsewhere))
    note(repo, session_id="s1", transcript_path=str(path), hook_event_name="Stop")
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    assert capture(repo) == Captured(new={"s1"})


Trap = Callable[[Repo, Path, Path], Path]


def passwords(_repo: Repo, _home: Path, _tmp: Path) -> Path:
    return Path("/etc/passwd")


def outside(repo: Repo, _home: Path, tmp: Path) -> Path:
    return put(tmp / "s1.jsonl", conversation(repo, "s1", "x"))


def dots(repo: Repo, home: Path, tmp: Path) -> Path:
    target = put(tmp / "s1.jsonl", conversation(repo, "s1", "x"))
    folder = home / ".claude" / "projects" / "odd"
    folder.mkdir(parents=True)
    return folder / os.path.relpath(target, folder)


def link(repo: Repo, home: Path, tmp: Path) -> Path:
    target = put(tmp / "s1.jsonl", conversation(repo, "s1", "x"))
    path = home / ".claude" / "projects" / "odd" / "s1.jsonl"
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    return path


def pipe(_repo: Repo, home: Path, _tmp: Path) -> Path:
    path = home / ".claude" / "projects" / "odd" / "s1.jsonl"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    return path


def foreign_format(repo: Repo, home: Path, _tmp: Path) -> Path:
    records = jsonl([codex_meta(cwd=str(repo.path)), codex_event(1, "user_message", message="x")])
    return put(home / ".claude" / "projects" / "odd" / "s1.jsonl", records)


def no_format(_repo: Repo, home: Path, _tmp: Path) -> Path:
    return put(home / ".claude" / "projects" / "odd" / "s1.jsonl", b"root:x:0:0\n" * 9)


def of_another_repository(repo: Repo, home: Path, tmp: Path) -> Path:
    data = conversation(repo, "s1", "x", cwd=tmp / "other")
    return put(home / ".claude" / "projects" / "odd" / "s1.jsonl", data)


def relative(repo: Repo, home: Path, _tmp: Path) -> Path:
    put(home / ".claude" / "projects" / "odd" / "s1.jsonl", conversation(repo, "s1", "x"))
    return Path(".claude/projects/odd/s1.jsonl")


@pytest.mark.parametrize(
    ("trap", "said"),
    [
        (passwords, ["not in a folder of claude-code"]),
        (outside, ["not in a folder of claude-code"]),
        (dots, ["not in a folder of claude-code"]),
        (link, ["not in a folder of claude-code"]),
        (pipe, ["no regular file"]),
        (foreign_format, ["no transcript of claude-code"]),
        (no_format, ["no transcript of claude-code"]),
        (of_another_repository, []),
        (relative, ["not in a folder of claude-code"]),
    ],
)
def test_a_payload_cannot_name_what_it_likes(
    repo: Repo, home: Path, tmp_path: Path, trap: Trap, said: list[str]
) -> None:
    path = trap(repo, home, tmp_path)
    note(repo, session_id="s1", transcript_path=str(path), hook_event_name="Stop")
    captured = capture(repo)
    assert [problem.message for problem in captured.problems] == said
    assert not captured.new
    assert list((repo.state_dir / "live").iterdir()) == []


def test_the_name_of_a_folder_may_stand_for_two(repo: Repo, home: Path, tmp_path: Path) -> None:
    """`/a/lamp` and `/a-lamp` have the same name in Claude Code's folder."""
    twin = Path(str(repo.path.parent) + "-" + repo.path.name)
    data = conversation(repo, "s1", "of the twin", cwd=twin)
    put(transcript(repo, home, "s1"), data)
    assert slug(twin) == slug(repo.path)
    assert capture(repo) == Captured()


def test_secrets_are_gone_before_anything_is_stored(repo: Repo, home: Path) -> None:
    word = "tr0ub4dor" + "&3"
    path = transcript(repo, home, "s1")
    put(path, conversation(repo, "s1", f"PASSWORD='{word}'"))
    note(repo, session_id="s1", transcript_path=str(path), hook_event_name="Stop")
    cursor(repo, "beforeSubmitPrompt", prompt=f"PASSWORD='{word}'")
    assert capture(repo).new == {"s1", "u1"}
    assert word.encode() not in b"".join(
        Path(repo.common_dir, path).read_bytes()
        for path in repo.common_dir.rglob("*")
        if path.is_file() and "objects" not in path.parts
    )
    objects = repo.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    assert all(word not in repo.git("cat-file", "-p", oid) for oid in objects)


# -- what hooks tell ---------------------------------------------------------------------------


def cursor(repo: Repo, event: str, generation: str = "g1", **payload: Any) -> None:
    about = {
        "conversation_id": "u1", "generation_id": generation, "hook_event_name": event,
        "model": "gpt-5", "cursor_version": "2.5", "workspace_roots": [str(repo.path)],
    }  # fmt: skip
    hook.main([json.dumps({**about, **payload})])


def cursor_file(repo: Repo, home: Path) -> Path:
    folder = str(repo.path).lstrip("/").replace("/", "-").replace(".", "-")
    return home / ".cursor" / "projects" / folder / "agent-transcripts" / "u1" / "u1.jsonl"


def cursor_says(role: str, *blocks: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": b} if isinstance(b, str) else b for b in blocks]
    return {"role": role, "message": {"content": content}}


def test_cursor_without_a_transcript(repo: Repo) -> None:
    cursor(repo, "beforeSubmitPrompt", prompt="light it")
    edits = [{"old_string": "x = 1", "new_string": "x = 2"}]
    cursor(repo, "afterFileEdit", file_path=str(repo.path / "a.py"), edits=edits)
    cursor(repo, "afterShellExecution", command="make", output="ok")
    cursor(repo, "afterAgentResponse", text="It is lit.")
    cursor(repo, "stop", status="completed")
    assert capture(repo) == Captured(new={"u1"})
    (exchange,) = remembered(repo)["u1"]
    assert (exchange.prompt, exchange.response, exchange.model) == (
        "light it", "It is lit.", "gpt-5"
    )  # fmt: skip
    assert exchange.started <= exchange.ended != ""
    assert [(c.act, c.input, c.output, c.paths) for c in exchange.tools] == [
        (Act.EDIT, "", "", ("a.py",)), (Act.BASH, "make", "ok", ()),
    ]  # fmt: skip
    assert exchange.tools[0].edits == (Edit("a.py", "x = 1", "x = 2"),)
    assert all(call.time for call in exchange.tools)
    # The same prompt once more is another exchange; the ids are those a transcript would give.
    cursor(repo, "beforeSubmitPrompt", "g2", prompt="light it")
    cursor(repo, "afterAgentResponse", "g2", text="Still lit.")
    assert capture(repo) == Captured(grown={"u1"})
    ids = [exchange.exchange_id for exchange in remembered(repo)["u1"]]
    assert ids == [made_id("u1", 0, "light it"), made_id("u1", 1, "light it")]


def test_cursor_in_pieces_and_twice(repo: Repo) -> None:
    """A worker that is killed before it has deleted the buffer is told the same again."""
    cursor(repo, "beforeSubmitPrompt", prompt="light it")
    cursor(repo, "postToolUse", tool_name="Shell", tool_input={"command": "make"},
           tool_output='{"output":"ok"}', tool_use_id="t1")  # fmt: skip
    (buffer,) = (repo.state_dir / "live").iterdir()
    kept = buffer.read_bytes()
    assert capture(repo) == Captured(new={"u1"})
    put(buffer, kept)
    assert capture(repo) == Captured()
    cursor(repo, "afterShellExecution", command="make", output="ok")  # the other hook of the same
    cursor(repo, "afterAgentResponse", text="It is lit.")
    put(buffer, kept + buffer.read_bytes())
    assert capture(repo) == Captured(grown={"u1"})
    (exchange,) = remembered(repo)["u1"]
    assert exchange.response == "It is lit."
    assert [(c.call_id, c.input, c.output) for c in exchange.tools] == [("t1", "make", "ok")]


def test_cursor_with_a_transcript_gets_times_results_and_models(repo: Repo, home: Path) -> None:
    edit = {"path": str(repo.path / "a.py"), "old_string": "x = 1", "new_string": "x = 2"}
    told = [
        cursor_says("user", "<user_query>\nfirst\n</user_query>"),
        cursor_says("assistant", "Done."),
        cursor_says("user", "<user_query>\nlight it\n</user_query>"),
        cursor_says(
            "assistant", "I will.",
            {"type": "tool_use", "name": "StrReplace", "input": edit},
            {"type": "tool_use", "name": "Shell", "input": {"command": "git commit -m lit"}},
        ),
    ]  # fmt: skip
    path = put(cursor_file(repo, home), jsonl(told))
    cursor(repo, "beforeSubmitPrompt", prompt="light it")
    cursor(repo, "afterFileEdit", file_path=edit["path"], edits=[edit])
    cursor(repo, "afterShellExecution", command="git commit -m lit", output="[main 1a2b3c4] lit")
    assert capture(repo) == Captured(new={"u1"})
    first, second = remembered(repo)["u1"]
    assert (first.prompt, first.started, first.model) == ("first", "", "")
    assert (second.prompt, second.model, second.response) == ("light it", "gpt-5", "I will.")
    assert second.started
    assert [(c.act, c.commits, bool(c.time)) for c in second.tools] == [
        (Act.EDIT, (), True), (Act.BASH, ("1a2b3c4",), True),
    ]  # fmt: skip
    assert second.tools[0].edits == (Edit("a.py", "x = 1", "x = 2"),)
    # The transcript alone, as it goes on, does not undo that.
    put(path, jsonl([*told, cursor_says("assistant", "It is lit.")]))
    assert capture(repo) == Captured(grown={"u1"})
    _, third = remembered(repo)["u1"]
    assert (third.response, third.started, third.tools) == (
        "I will.\n\nIt is lit.", second.started, second.tools
    )  # fmt: skip


def test_codex_notified_and_has_no_rollout(repo: Repo, home: Path) -> None:
    payload = {
        "type": "agent-turn-complete", "thread-id": "c9", "turn-id": "7",
        "input-messages": ["earlier", "do it"], "last-assistant-message": "done",
    }  # fmt: skip
    note(repo, **payload)
    note(repo, **payload)
    assert capture(repo) == Captured(new={"c9"})
    (exchange,) = remembered(repo)["c9"]
    assert (exchange.prompt, exchange.response) == ("do it", "done")
    # A rollout tells more, and then counts alone.
    records = [
        codex_meta(id="c8", cwd=str(repo.path)),
        codex_event(1, "user_message", message="do it"), codex_says(2, "assistant", "done"),
    ]  # fmt: skip
    put(home / ".codex" / "sessions" / "rollout-1-c8.jsonl", jsonl(records))
    note(repo, **{**payload, "thread-id": "c8"})
    assert capture(repo) == Captured(new={"c8"})
    assert prompts(repo)["c8"] == ["do it"]
