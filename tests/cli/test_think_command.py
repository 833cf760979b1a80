"""`git skillmesh think`: what it prints, what it refuses, what it stores."""

import io
import json
import re
import sys
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.thinking.search import cache_path
from testing.commands import call
from testing.repos import Repo, Result, make_repo
from testing.thoughts import open_thoughts, record_sessions

WORD = "tr0ub4dor" + "&3"


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("original"), "lamp")


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def pipe(repo: Repo, text: str, *args: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return call(repo.path, "think", *args)


def think(repo: Repo, *args: str) -> str:
    said = call(repo.path, "think", *args)
    assert (said.returncode, said.stderr) == (0, "")
    return re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "NOW", said.stdout)


def test_a_session_from_beginning_to_end(repo: Repo) -> None:
    said = call(repo.path, "think", "record", f"PASSWORD='{WORD}'", "--session", "s", "--total=3")
    assert said == Result(0, "s  thought 1 of 3\n", "redacted: named-secret 1\n")
    assert think(repo, "record", "--session", "s", "Use", "a", "lamp.") == "s  thought 2\n"
    assert think(repo, "branch", "s", "--from", "1", "A candle?", "--branch", "old") == (
        "s  thought 2 on branch old\n"
    )
    assert think(repo, "revise", "s", "2", "Use two lamps.") == "s  thought 2  revision 1\n"
    assert think(repo, "revise", "s", "2", "Use two lamps.") == "s  thought 2  known already\n"
    assert call(repo.path, "record-thought", "--last", "Done.", "--session", "s").stdout == (
        "s  thought 3\n"
    )
    assert think(repo, "show") == (
        "s  closed, 4 thoughts, 1 branch, 1 revision  NOW\n"
        "1\n    PASSWORD='REDACTED_NAMED_SECRET'\n"
        "    branch old (from 1)\n        2\n            A candle?\n"
        "2 \u00b7 revision 1\n    Use two lamps.\n"
        "        at first\n            Use a lamp.\n"
        "3 \u00b7 no more needed\n    Done.\n"
    )
    assert think(repo, "summary", "s") == (
        "s  closed, 4 thoughts, 1 branch, 1 revision  NOW\n"
        "first, 1\n    PASSWORD='REDACTED_NAMED_SECRET'\n"
        "revised, 2\n    Use two lamps.\nat first, 2\n    Use a lamp.\n"
        "last, 3\n    Done.\nlast, 2 of branch old\n    A candle?\n"
    )
    assert think(repo, "sessions") == (
        "s  NOW  closed, 4 thoughts, 1 branch, 1 revision  PASSWORD='REDACTED_NAMED_SECRET'\n"
    )
    assert think(repo, "search", "use", "two", "lamps", "-n1") == (
        " 1. s 2  NOW \u00b7 0.86\n    Use two lamps.\n"
    )
    assert call(repo.path, "think", "search", "bluetooth") == Result(
        1, "", "no thought found, of 5\n"
    )


def test_documents(repo: Repo) -> None:
    recorded = json.loads(think(repo, "record", "One.", "--session", "s", "--json"))
    assert recorded["redactions"] == {}
    (one,) = recorded["recorded"]
    assert {key: value for key, value in one.items() if key != "timestamp"} == {
        "session_id": "s", "thought_number": 1, "total_thoughts": 0, "next_thought_needed": True,
        "branch_id": "", "branch_from_thought": 0, "revises_thought": 0, "author": "",
        "thought": "One.", "revision": 0, "fate": "new", "thoughts": 1, "branches": [],
    }  # fmt: skip
    shown = json.loads(think(repo, "show", "s", "--json"))
    assert set(shown) == {
        "schema", "session", "thoughts", "branches", "revisions", "started", "ended", "is_open",
        "first", "lines", "current",
    }  # fmt: skip
    assert shown == json.loads(think(repo, "export", "s", "--json"))
    assert shown["current"] == [
        {"number": 1, "branch": "", "thought": "One.", "revision": 0, "revised_by": []}
    ]
    (listed,) = json.loads(think(repo, "sessions", "--json"))["sessions"]
    assert (listed["session"], listed["is_open"]) == ("s", True)
    made = json.loads(think(repo, "summary", "--json"))["summary"]
    assert (made["first"]["text"], made["revised"]) == ("One.", [])
    found = json.loads(think(repo, "search", "one", "--json"))
    assert (found["found"], found["searched"], found["thoughts"][0]["thought"]) == (1, 1, "One.")


def test_standard_input(repo: Repo, tmp_path: Path) -> None:
    lines = '{"session_id": "s", "thought": "a"}\n{"session_id": "s", "thought": "b"}\n'
    assert pipe(repo, lines, "record").stdout == "s  thought 1\ns  thought 2\n"
    assert pipe(repo, "from a file\n", "record", "-", "--session=s").stdout == "s  thought 3\n"
    exported = call(repo.path, "think", "export", "s", "--format", "jsonl").stdout
    other = make_repo(tmp_path, "other")
    assert pipe(other, exported, "record").stdout.count("\n") == 3
    tree = "refs/skillmesh/memory:thoughts"
    assert other.git("rev-parse", tree) == repo.git("rev-parse", tree)
    assert pipe(repo, '{"thought": 1}', "record") == Result(
        2, "", "git-skillmesh: standard input:1: thought is not text\n"
    )


def test_export_as_markdown(repo: Repo) -> None:
    call(repo.path, "think", "record", "One\x1b[31m.", "--session", "s")
    assert think(repo, "export").replace("NOW:", "NOW ") == re.sub(
        r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "NOW", call(repo.path, "think", "export", "s").stdout
    ).replace("NOW:", "NOW ")
    assert think(repo, "export").endswith("- **1** One\u241b[31m.\n")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("dream",), "no such action: dream: record, branch, revise, search, summary, sessions, "
         "show, export, forget"),
        (("record", " "), "the thought is empty"),
        (("record", "x" * 100_001), "the thought has 100,001 bytes, more than 100,000: divide it "
         "into several"),
        (("record", "x", "--number", "0"), "--number must be at least 1"),
        (("record", "x", "--session", "a\nb"), "a session id has control characters: 'a\\nb'"),
        (("search", "x", "--total", "2"), "--total is for: record, branch, revise"),
        (("search",), "search takes a QUESTION"),
        (("branch", "s", "x"), "branch takes SESSION --from N TEXT"),
        (("branch", "s", "x", "--from", "7"), "session s has no thought 7"),
        (("revise", "s", "x", "y"), "revise takes SESSION NUMBER TEXT"),
        (("revise", "s", "7", "y"), "session s has no thought 7"),
        (("show", "a", "b"), "show takes one SESSION, or none for the latest"),
        (("show", "t"), "no such session of thoughts: t: git skillmesh think sessions"),
        (("forget", "s"), "forgetting cannot be undone: say --yes where nobody can be asked"),
        (("forget",), "forget takes a SESSION"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(repo: Repo, args: tuple[str, ...], complaint: str) -> None:
    call(repo.path, "think", "record", "One.", "--session", "s")
    said = call(repo.path, "think", *args)
    assert said == Result(2, "", f"git-skillmesh: {complaint}\n")


def test_nothing_is_recorded_yet(repo: Repo) -> None:
    said = "no thoughts are recorded yet; run: git skillmesh think record TEXT\n"
    assert call(repo.path, "think", "sessions") == Result(1, "", said)
    assert call(repo.path, "think", "search", "lamp") == Result(1, "", said)
    assert call(repo.path, "think", "show").stderr == (
        "git-skillmesh: no thoughts are recorded yet: git skillmesh think record TEXT\n"
    )


def test_forgetting(repo: Repo) -> None:
    record_sessions(repo)
    call(repo.path, "think", "search", "redis")
    before = cache_path(discover(repo.path)).stat().st_size
    said = call(repo.path, "think", "forget", "search-cache", "--yes")
    assert said.returncode == 0
    assert said.stdout.startswith("forgotten  search-cache\n1 commit of refs/skillmesh/memory ")
    assert cache_path(discover(repo.path)).stat().st_size < before
    assert call(repo.path, "think", "search", "redis").returncode == 1
    assert call(repo.path, "think", "record", "x", "--session", "search-cache").stderr == (
        "git-skillmesh: session search-cache was forgotten and stays away: take another id\n"
    )
    assert call(repo.path, "forget", "flaky-upload", "--yes").returncode == 2  # no conversation
    assert len(open_thoughts(repo).sessions()) == 11


def test_the_alias_is_a_command_with_its_action(repo: Repo) -> None:
    folder = ("-C", "record-thought")
    make_repo(repo.path, "record-thought")
    said = call(repo.path, *folder, "record-thought", "record-thought", "--session", "s")
    assert said == Result(0, "s  thought 1\n", "")
    assert call(repo.path, *folder, "think", "show").stdout.endswith("record-thought\n")
    assert call(repo.path, "think", "record", "--session=s", "--", "--last").returncode == 0
    assert open_thoughts(repo).history("s").last.text == "--last"
