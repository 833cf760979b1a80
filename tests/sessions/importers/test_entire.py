"""Entire: the same session under many checkpoints is one session, as full as its fullest copy."""

from pathlib import Path

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.importers.source import read_source
from testing.repos import make_repo
from testing.transcripts import claude, claude_result, claude_says, claude_uses, jsonl

FOREIGN = "/Users/me/elsewhere"


def test_checkpoints_of_a_session(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x\n"})
    told = {"filePath": f"{FOREIGN}/a.py", "oldString": "x", "newString": "y", "originalFile": "x"}
    records = [
        claude("user", "p1", 1, "do it", cwd=FOREIGN),
        claude_uses("a1", 2, "t1", "Edit", file_path=f"{FOREIGN}/a.py"),
        claude_result("u1", 3, "t1", "ok", told),
        claude_says("a2", 4, "done"),
    ]
    repo.git("checkout", "--quiet", "--orphan", "entire/checkpoints/v1")
    repo.commit("checkpoints", {
        "0a/1/0/full.jsonl": jsonl(records[:1]),
        "0a/1/0/prompt.txt": "do it",
        "0b/2/0/full.jsonl": jsonl(records),
        "0c/3/0/full.jsonl": jsonl(records),
        "0d/4/0/full.jsonl": b"what is this\n",
        "0e/5/0/full.jsonl": b"",
    })  # fmt: skip
    done = read_source("entire", discover(repo.path))
    [session] = done.sessions
    [exchange] = session.exchanges
    assert (session.session_id, exchange.response) == ("s1", "done")
    assert [edit.path for call in exchange.tools for edit in call.edits] == ["a.py"]
    assert [str(problem) for problem in done.problems] == [
        "refs/heads/entire/checkpoints/v1:0d/4/0/full.jsonl: "
        "the transcript of no agent that is known"
    ]
