"""What becomes of a store of chroma-mcp-server, row by row, and of the rows that fit nothing."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.chroma.moving.foreign import Row
from git_skillmesh.chroma.moving.foreign_rows import (
    Knows,
    code_from,
    exchange_id_of,
    learnings_from,
    sessions_from,
    thoughts_from,
)
from git_skillmesh.learnings.model import State
from git_skillmesh.learnings.reading import read_learning
from git_skillmesh.sessions.importers.records import MOST_PROBLEMS, Report
from git_skillmesh.sessions.model import Act
from testing.commands import call
from testing.foreign_store import ForeignRow, fill
from testing.repos import Repo, Result, make_repo

SECRET = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
LONG = "x" * 200_001
NOWHERE = "deadbeef" * 5

CHATS: list[ForeignRow] = [
    ("c2", {"session_id": "s1", "timestamp": "2025-04-01T10:00:00+02:00",
            "prompt_summary": "Fix the retry loop", "response_summary": f"Done with {SECRET}",
            "involved_entities": "src/a.py,retry", "tool_sequence": "read→edit→bash",
            "code_context": "def a(): pass", "model_version": "m-1"}, "ignored"),
    ("c1", {"session_id": "s1", "timestamp": "2025-04-01T07:00:00"}, "Asked first"),
    ("c3", None, "Only words \x1b[31m"),
    ("wrong type", {"prompt_summary": 5}, "x"),
    ("control", {"session_id": "a\x1b[31mb", "prompt_summary": "p"}, "x"),
    ("long", {"prompt_summary": LONG}, "x"),
    ("time", {"timestamp": "yesterday", "prompt_summary": "p"}, "x"),
    ("else\x1b[31m", {"commit_shas": f"{NOWHERE},none", "prompt_summary": "p"}, "x"),
    ("empty", None, None),
]  # fmt: skip
CHAT_PROBLEMS = [
    "chat_history_v1: 'wrong type': \"prompt_summary\" is a number, not text",
    "chat_history_v1: 'control': \"session_id\" is no id: 'a\\x1b[31mb'",
    "chat_history_v1: 'long': \"prompt_summary\" has 200,001 characters, more than 200,000",
    "chat_history_v1: 'time': not a time: 'yesterday'",
    "chat_history_v1: 'else\\x1b[31m': none of its commits is in this repository: "
    f"'{NOWHERE}, none'",
    "chat_history_v1: 'empty': it says neither what was asked nor what was answered",
]
LEARNINGS: list[ForeignRow] = [
    ("l1", {"learning_id": "l1", "source_chat_id": "c2", "pattern": "retry without back-off",
            "tags": "retry, the network", "category": "robustness", "confidence": 0.7,
            "example_code_reference": "src/a.py:abc:0"}, f"Retry with back-off\n\nNot {SECRET}."),
    ("twice", {"learning_id": "l1"}, "again"),
    ("sure", {"confidence": 7}, "too sure"),
    ("word", {"confidence": "high"}, "sure"),
    ("empty", None, " "),
]  # fmt: skip
LEARNING_PROBLEMS = [
    "derived_learnings_v1: 'twice': its learning_id is that of 'l1'",
    "derived_learnings_v1: 'sure': \"confidence\" is no number from 0 to 1",
    "derived_learnings_v1: 'word': \"confidence\" is no number from 0 to 1",
    "derived_learnings_v1: 'empty': it has no description",
]
THOUGHTS: list[ForeignRow] = [
    ("t2", {"session_id": "th", "thought_number": 2, "total_thoughts": 2,
            "next_thought_needed": "false"}, "second"),
    ("t1", {"session_id": "th", "thought_number": 1, "total_thoughts": 2,
            "timestamp": "2025-04-01T10:00:00Z", "next_thought_needed": True}, "first"),
    ("t3", {"session_id": "th", "thought_number": 2, "branch_id": "b", "branch_from_thought": 1},
     "beside"),
    ("numberless", {"session_id": "th"}, "x"),
    ("no session", {"thought_number": 1}, "x"),
    ("word", {"session_id": "th", "thought_number": "x"}, "x"),
    ("huge", {"session_id": "th", "thought_number": 10**7}, "x"),
    ("wordless", {"session_id": "th", "thought_number": 4}, None),
]  # fmt: skip
THOUGHT_PROBLEMS = [
    "thinking_sessions_v1: 'numberless': \"thought_number\" is missing",
    "thinking_sessions_v1: 'no session': \"session_id\" is missing",
    "thinking_sessions_v1: 'word': \"thought_number\" is text, not a number",
    "thinking_sessions_v1: 'huge': a thought number cannot be 10000000",
    "thinking_sessions_v1: 'wordless': the thought is empty",
]


def rows(made: list[ForeignRow]) -> list[Row]:
    return [Row(id_, dict(metadata or {}), text or "") for id_, metadata, text in made]


def told(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


def test_conversations() -> None:
    report = Report("chat_history_v1")
    first, second, third = sessions_from(rows(CHATS), report, Knows(lambda asked: ()))
    assert told(report) == CHAT_PROBLEMS
    assert (first.session_id, second.session_id) == ("s1-chroma-mcp-server",) * 2
    assert third.session_id.startswith("row-")
    assert (first.agent, first.source) == ("chroma-mcp-server", "chroma-mcp-server:chat_history_v1")
    [exchange] = first.exchanges
    assert exchange.exchange_id == exchange_id_of("c2")
    assert (exchange.prompt, exchange.started) == ("Fix the retry loop", "2025-04-01T08:00:00.000Z")
    assert [(call.name, call.act, call.output) for call in exchange.tools] == [
        ("read", Act.READ, ""), ("edit", Act.EDIT, ""), ("bash", Act.BASH, ""),
        ("involved_entities", Act.OTHER, "src/a.py,retry"),
        ("code_context", Act.OTHER, "def a(): pass"),
    ]  # fmt: skip
    assert not any(call.edits or call.commits or call.paths for call in exchange.tools), (
        "a summary is no evidence of who wrote a line"
    )


def test_commits_are_asked_for_once_and_one_that_is_here_is_enough() -> None:
    asked: list[list[str]] = []

    def ask(commits: list[str]) -> list[str]:
        asked.append(commits)
        return ["abc1234"]

    knows, report = Knows(ask), Report("x")
    made: list[Any] = [Row("a", {"commit_shas": f"{NOWHERE}, abc1234"}, "one"),
                       Row("b", {"commit_sha": "abc1234"}, "two")]  # fmt: skip
    assert len(list(sessions_from(made, report, knows))) == 2
    assert asked == [["abc1234", NOWHERE]]


def test_learnings_are_proposals_that_nothing_enforces() -> None:
    report = Report("derived_learnings_v1")
    exchanges = {"c2": exchange_id_of("c2")}
    [learning] = learnings_from(rows(LEARNINGS), report, exchanges, "2026-01-31")
    assert told(report) == LEARNING_PROBLEMS
    digest = hashlib.sha256(b"chroma-mcp-server\0l1").hexdigest()
    assert learning.learning_id == f"retry-with-back-off-{digest[:6]}"
    assert (learning.state, learning.confidence) == (State.PROPOSED, 0.7)
    assert learning.matcher.text == f"skillmesh-no-matcher-yet c-{digest[:12]}"
    assert learning.tags == ("retry", "the-network", "chroma-mcp-server")
    assert learning.source_chat_id == exchange_id_of("c2")


def test_thoughts_come_in_the_order_of_their_numbers() -> None:
    report = Report("thinking_sessions_v1")
    found = thoughts_from(rows(THOUGHTS), report)
    assert told(report) == THOUGHT_PROBLEMS
    assert [(one.number, one.branch, one.text, one.needs_more) for one in found] == [
        (1, "", "first", True), (2, "", "second", False), (2, "b", "beside", True),
    ]  # fmt: skip
    assert {(one.session_id, one.author) for one in found} == {
        ("th-chroma-mcp-server", "chroma-mcp-server")
    }


def test_complaints_are_bounded() -> None:
    report = Report("thinking_sessions_v1")
    assert thoughts_from([Row(str(n), {}, "x") for n in range(1000)], report) == []
    assert len(report.problems) == MOST_PROBLEMS + 1
    assert str(report.problems[-1]) == "thinking_sessions_v1: 900 more records do not fit"


@pytest.mark.parametrize(
    ("id_", "path"), [("a.py:abc:0", "a.py"), ("a:b.py:abc:12", "a:b.py"), ("a.py", None),
                      ("a.py:abc:x", None), ("::0", None)],
)  # fmt: skip
def test_ids_of_chunks(id_: str, path: str | None) -> None:
    report = Report("codebase_v1")
    found = [one.path for one in code_from([Row(id_, {}, "")], report)]
    assert found == ([path] if path else [])
    assert len(report.problems) == (0 if path else 1)


@pytest.fixture(scope="module")
def repo(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("foreign"), files={"a.py": "def a():\n    pass\n"})


def test_a_store_is_taken_in_once(repo: Repo, tmp_path: Path) -> None:
    head = repo.git("rev-parse", "HEAD").strip()
    folder = fill(tmp_path / "mcp", {
        "codebase_v1": [(f"a.py:{head}:0", None, "x"), (f"gone.py:{NOWHERE}:0", None, "y")],
        "chat_history_v1": CHATS, "derived_learnings_v1": LEARNINGS,
        "thinking_sessions_v1": THOUGHTS, "validation_evidence_v1": [("v", None, "x")],
    })  # fmt: skip
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    problems = [*CHAT_PROBLEMS, *LEARNING_PROBLEMS, *THOUGHT_PROBLEMS]
    arguments = ("chroma", "import", "--from", f"persistent:{folder}")
    dry = call(repo.path, *arguments, "--dry-run")
    assert dry.stderr.splitlines() == [*problems, "nothing was written"]
    assert call(repo.path, "sessions").returncode == 1
    assert not (repo.path / ".skillmesh").exists()
    first = call(repo.path, *arguments)
    assert first.returncode == 1, "rows were left out"
    assert first.stderr.splitlines() == [
        *problems,
        "proposals stop nothing: write a matcher for each that is worth one, "
        "see git skillmesh learnings list",
    ]
    compared = [
        "  codebase_v1                    2 rows  not taken in: git has the code",
        "      2 files, 1 of them at HEAD; 2 commits, 1 of them here; "
        "the index has 0 chunks of 0 files",
        "  validation_evidence_v1 not known: git skillmesh chroma copy moves it",
    ]
    assert first.stdout.splitlines() == [
        f"from  the folder {folder}",
        "  chat_history_v1                9 rows  3 new, 6 left out, redacted: 1 github-token",
        "  derived_learnings_v1           5 rows  1 proposed, 4 left out, redacted: 1 github-token",
        "  thinking_sessions_v1           8 rows  3 new, 5 left out",
        *compared,
    ]
    [place] = (repo.path / ".skillmesh" / "learnings").iterdir()
    learning = read_learning(f".skillmesh/learnings/{place.name}", place.read_bytes()).learning
    assert learning is not None
    assert (learning.state, learning.author) == (State.PROPOSED, "chroma-mcp-server")
    assert SECRET not in place.read_text()
    place.write_text(place.read_text() + "# reviewed\n")
    tips = repo.git("for-each-ref", "refs/skillmesh")
    again = call(repo.path, *arguments, "--json")
    document = json.loads(again.stdout)
    assert [one["fates"] for one in document["collections"]] == [
        {"new": 0, "forgotten": 0, "known": 3}, {"known": 1}, {"known": 3},
    ]  # fmt: skip
    assert document["not_known"] == ["validation_evidence_v1"]
    assert repo.git("for-each-ref", "refs/skillmesh") == tips
    assert place.read_text().endswith("# reviewed\n")
    shown = call(repo.path, "show", "s1-chroma-mcp-server")
    assert shown.stdout.index("Asked first") < shown.stdout.index("Fix the retry loop")
    assert SECRET not in shown.stdout
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before, "not a byte of the store was changed"
    # What was forgotten stays away.
    call(repo.path, "forget", "s1-chroma-mcp-server", "--yes")
    gone = json.loads(call(repo.path, *arguments, "--json").stdout)
    assert gone["collections"][0]["fates"]["new"] == 0
    assert call(repo.path, "show", "s1-chroma-mcp-server").returncode == 2


def test_no_store(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"something else, and long enough to be read" * 99)
    said = call(repo.path, "chroma", "import", "--from", f"persistent:{tmp_path}")
    assert said == Result(
        8, "", f"git-skillmesh: the Chroma store in {tmp_path} cannot be read: "
        "file is not a database\n",
    )  # fmt: skip
