"""`git skillmesh query --in chats`."""

import json
from pathlib import Path

import pytest

from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.commands import call
from testing.memory import open_memory
from testing.repos import Repo, make_repo
from testing.schemas import fits

RETRY = Exchange(
    "ask-1", "Retry lost scans.", "Lost scans are tried three times, with a growing pause.",
    "2026-03-01T10:00:00Z", tools=(
        ToolCall("1", "Edit", Act.EDIT, edits=(Edit("src/scan.py", "", "pause = 2 ** attempt\n"),)),
        ToolCall("2", "Bash", Act.BASH, "pytest -q", "3 passed"),
    ),
)  # fmt: skip
LABEL = Exchange("ask-2", "Print labels \x1b[31mred\x1b[0m in A6.", "They are A6 now.",
                 "2026-04-01T10:00:00Z")  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path, files={"src/scan.py": "def scan():\n    pause = 1\n"})
    open_memory(made).add(
        [
            Session("s-retry", "codex", (RETRY,), title="Lost scans"),
            Session("s-label", "gemini", (LABEL,)),
        ]
    )
    return made


def test_the_whole_answer(repo: Repo) -> None:
    said = call(repo.path, "query", "--in", "chats", "-n", "1", "lost scans tried again")
    assert (said.returncode, said.stderr) == (0, "")
    first, *rest = said.stdout.splitlines()
    assert first.startswith(" 1. Retry lost scans.  codex · 2026-03-01 · s-retry · ")
    assert rest == [
        "    Lost scans are tried three times, with a growing pause.",
        "    src/scan.py",
        "    why: response; body, exchange, dense exchange",
    ]


def test_commands_and_edits_are_found(repo: Repo) -> None:
    for query, part in (("pytest", "commands"), ("pause attempt", "edit src/scan.py")):
        said = call(repo.path, "query", "--in", "chats", "--json", query)
        assert json.loads(said.stdout)["exchanges"][0]["part"] == part


def test_json(repo: Repo) -> None:
    said = call(repo.path, "query", "--in", "chats", "--json", "--full", "lost scans tried")
    document = json.loads(said.stdout)
    hit = document["exchanges"][0]
    score = hit.pop("score")
    assert 0 < score < 10
    assert hit == {
        "rank": 1, "session": "s-retry", "exchange": "ask-1", "agent": "codex",
        "started": "2026-03-01T10:00:00Z", "title": "Lost scans", "asked": "Retry lost scans.",
        "part": "response", "paths": ["src/scan.py"],
        "reasons": ["body", "exchange", "dense_exchange"],
        "lines": [{"number": 2, "text": "Lost scans are tried three times, with a growing pause."}],
        "text": "Lost scans are tried three times, with a growing pause.",
    }  # fmt: skip
    assert document["memory"] == {"exchanges": 2, "behind": False}
    assert set(document) == {"schema", "query", "exchanges", "memory", "notes"}


def test_both(repo: Repo) -> None:
    said = call(repo.path, "query", "--in", "all", "-n", "2", "pause of a scan")
    first = [line for line in said.stdout.splitlines() if line[2:4] == ". "]
    assert [line.partition("  ")[0] for line in first] == [
        " 1. Retry lost scans.",
        " 2. src/scan.py:1",
    ]
    assert "conversation · codex · 2026-03-01 · s-retry" in first[0]
    said = call(repo.path, "query", "--in", "all", "-n", "2", "--json", "pause of a scan")
    document = json.loads(said.stdout)
    assert {"results", "exchanges", "index", "memory"} <= set(document)
    assert document["together"] == [{"kind": "chat", "rank": 1}, {"kind": "code", "rank": 1}]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--agent", "gemini"], ["s-label"]),
        (["--session", "s-re"], ["s-retry"]),
        (["--since", "2026-03-15"], ["s-label"]),
        (["--since", "Mar 15 2026 00:00"], ["s-label"]),
        (["--until", "2026-03-01"], ["s-retry"]),
        (["--path", "src/**"], ["s-retry"]),
        (["--path", "web/**"], []),
        (["--agent", "nobody"], []),
    ],
)
def test_filters(repo: Repo, options: list[str], found: list[str]) -> None:
    said = call(repo.path, "query", "--in", "chats", "--json", *options, "scans labels")
    assert [hit["session"] for hit in json.loads(said.stdout)["exchanges"]] == found
    assert said.returncode == (0 if found else 1)


def test_hostile_text_is_shown_and_not_obeyed(repo: Repo) -> None:
    said = call(repo.path, "query", "--in", "chats", "labels")
    assert "\x1b" not in said.stdout
    assert "Print labels ␛[31mred" in said.stdout


def test_no_conversations(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    said = call(repo.path, "query", "--in", "chats", "scans")
    assert (said.returncode, said.stdout, said.stderr) == (
        1, "", "no conversations are stored yet; run: git skillmesh import\n",
    )  # fmt: skip
    open_memory(repo).add([Session("s", "codex", (RETRY,))])
    said = call(repo.path, "query", "--in", "chats", "zyzzyva")
    assert (said.returncode, said.stderr) == (1, "no conversation found, of 1 exchanges\n")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--agent", "codex"], "--agent is for conversations: add --in chats"),
        (["--in", "chats", "--lang", "python"], "--lang is for code: add --in code"),
        (["--in", "chats", "--since", "soon"],
         "not a date: soon: as git takes them: 2026-02-21, 2 weeks ago"),
        (["--in", "chats", "--since", "2026-13-01"],
         "--since is no date: 2026-13-01: as in 2026-03-01 (UTC)"),
        (["--in", "chats", "--rank", "rrf"],
         "conversations are ranked in one way: leave out --backend, --rank"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(repo: Repo, options: list[str], told: str) -> None:
    said = call(repo.path, "query", *options, "scans")
    assert (said.returncode, said.stderr) == (2, f"git-skillmesh: {told}\n")


@pytest.mark.parametrize("what", ["chats", "all", "code"])
def test_the_documented_schema(repo: Repo, what: str) -> None:
    said = call(repo.path, "query", "--in", what, "--json", "--full", "--explain", "scan pause")
    document = json.loads(said.stdout)
    fits(document, "query")
    assert ("exchanges" in document, "results" in document) == (what != "code", what != "chats")
