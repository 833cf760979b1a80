"""docs/agents.md: its example is a session that really happened, played again here.

The page shows the run in a whole clone with all that had been said before (`benchmarks.replay`);
here the same session is played in a repository of the one file that it edits. What is sent, and in
which order, has to be the same.
"""

import os
from pathlib import Path

import pytest

from testing.agents import remembered
from testing.commands import program_folder
from testing.docs_pages import ROOT, blocks
from testing.replay import (
    EXPLAIN,
    Replay,
    cleaned,
    files_before,
    heads,
    may_run,
    read_records,
    transcript_of,
)
from testing.repos import make_repo

PAGE = ROOT / "docs" / "agents.md"
PROMPT = "move the message up just before the file list?"
ANSWER = "Done. The commit message now appears before the files list in verbose/full output."
FILE = "cmd/entire/cli/explain.go"
# What entireio/cli has in 3ecb434.
COMMITTED = "6562f6f94df9316320720cc7c398e98474def395"


def test_the_example_is_what_happens(
    tmp_path: Path, home: Path, hermetic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{program_folder(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    records = read_records(EXPLAIN.read_bytes())
    repo = make_repo(tmp_path, files=files_before(records))
    for words in (["init"], ["agents", "install", "claude-code"]):
        assert repo.skillmesh(*words).returncode == 0
    repo.commit("set up git skillmesh")
    steps = Replay(repo, home, records, hermetic).play()

    assert repo.git("rev-parse", f"HEAD:{FILE}") == COMMITTED
    (example,) = [b.text for b in blocks(PAGE) if b.text.startswith("shell: git skillmesh init")]
    played = heads(transcript_of(steps))
    assert heads(example)[-len(played) :] == played
    for step, prompt, answer in zip(
        steps[-2:],
        (f"\n  asked     {PROMPT}\n", f"\nasked: {PROMPT}\n"),
        (f"\n  answered  {ANSWER}\n", f"\nanswered: {ANSWER}\n"),
        strict=True,
    ):
        assert prompt in step.answer, step
        assert answer in step.answer, step
    ((first, second),) = remembered(repo).values()
    assert first.prompt == PROMPT
    assert [edit.path for call in first.tools for edit in call.edits] == [FILE]
    assert second.prompt.startswith("what's causing these diagnostic issues?")


def test_only_commits_are_run() -> None:
    assert may_run('git add -A && git commit -m "one\n\ntwo <a@example.org>"')
    for command in (
        "git add -A; rm -r x",
        'git commit -m "$(rm -r x)"',
        "git add a && rm x",
        "git push",
        "git commit -m a | sh",
        "git commit -m 'a",
        "git commit -m a\nrm x",
    ):
        assert not may_run(command), command


def test_cleaned_records_name_nobody() -> None:
    records = read_records(EXPLAIN.read_bytes())
    assert cleaned(records) == records
    text = EXPLAIN.read_text()
    assert "/Users/" not in text
    assert "signature" not in text
    assert len(text) < 60_000
