"""git-ai: notes of real repositories, as one note and as many."""

import json
from pathlib import Path
from typing import Any

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.importers.gitai import read_notes
from git_skillmesh.sessions.importers.records import Imported, made_id
from git_skillmesh.sessions.importers.source import read_source
from git_skillmesh.sessions.model import Act, Edit, Exchange, Problem, Session, ToolCall
from testing.repos import make_repo
from testing.transcripts import ROOTS, TOP, at

REF, COMMIT = "refs/notes/ai", "1" * 40
AGENT = {"tool": "claude", "id": "s1", "model": "claude-opus-4"}


def note(messages: list[dict[str, Any]], lines: str = "a.py\n  k1 1-2,5\n  h_9 3\n") -> bytes:
    about = {
        "schema_version": "authorship/3.0.0", "base_commit_sha": "0" * 40,
        "prompts": {"k1": {"agent_id": AGENT, "human_author": None, "messages": messages}},
    }  # fmt: skip
    return lines.encode() + b"---\n" + json.dumps(about, indent=2).encode()


MESSAGES: list[dict[str, Any]] = [
    {"type": "user", "text": "do it", "timestamp": at(1)},
    {"type": "tool_use", "name": "Write", "timestamp": at(2),
     "input": {"file_path": f"{TOP}/a.py", "content": "x\n"}},
    {"type": "assistant", "text": "done", "timestamp": at(3)},
]  # fmt: skip


def attribution(*commits: str, key: str = "k1") -> Session:
    calls = tuple(
        ToolCall(
            made_id(commit, key), "git-ai", Act.EDIT, output="a.py 1-2,5", paths=("a.py",),
            commits=(commit,),
        )
        for commit in commits
    )  # fmt: skip
    exchange = Exchange(made_id("s1-git-ai"), "", "", model="claude-opus-4", tools=calls)
    return Session("s1-git-ai", "git-ai", (exchange,), "claude", parent="s1", source=REF)


def test_lines_and_messages() -> None:
    done = read_notes([(COMMIT, note(MESSAGES))], REF, ROOTS)
    written = ToolCall(
        made_id("s1", "k1 1", "Write", at(2)), "Write", Act.EDIT, time=at(2), paths=("a.py",),
        edits=(Edit("a.py", None, "x\n", whole=True, line=1),),
    )  # fmt: skip
    exchange = Exchange(
        made_id("s1", at(1), "do it"), "do it", "done", at(1), at(3), "claude-opus-4", (written,)
    )
    talk = Session("s1", "git-ai", (exchange,), "claude", source=REF, started=at(1))
    assert done == Imported((talk, attribution(COMMIT)))


def test_sessions_of_the_newer_notes_have_a_call_for_each_commit() -> None:
    lines = b"a.py\n  s_1::t_2 1-2,5\n"
    about = {"prompts": {}, "sessions": {"s_1": {"agent_id": AGENT, "human_author": "x"}}}
    newer = lines + b"---\n" + json.dumps(about).encode()
    other = "2" * 40
    assert read_notes([(COMMIT, newer), (other, newer)], REF, ROOTS) == Imported(
        (attribution(COMMIT, other, key="s_1"),)
    )


def test_a_note_that_does_not_fit_is_one_problem() -> None:
    notes = [("3" * 40, b"hello"), ("4" * 40, None), (COMMIT, note([]))]
    assert read_notes(notes, REF, ROOTS) == Imported(
        (attribution(COMMIT),),
        (
            Problem(REF, 0, "3" * 40 + ': no "---" between the lines and the JSON'),
            Problem(REF, 0, "4" * 40 + ": the note is missing from this repository"),
        ),
    )


def test_notes_in_a_repository(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x\n"})
    repo.write("note", note([]))
    repo.git("notes", "--ref=ai", "add", "-F", "note", "HEAD")
    repo.git("notes", "--ref=other", "add", "-m", "not ours", "HEAD")
    done = read_source("git-ai", discover(repo.path))
    assert done == Imported((attribution(repo.head),))
