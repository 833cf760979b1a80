"""`git skillmesh analyze`: whole outputs, filters, drafts by a command, and hostile text."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.analysis_cache import path_of
from git_skillmesh.sessions.model import Session
from testing.commands import call
from testing.corrections import edit, said, tell_of_corrections
from testing.memory import open_memory
from testing.repos import Repo, Result, make_repo

FOUND = (
    "c-4aa7a8971f4a  0.72  correction  We use httpx instead of requests in this project.\n"
    "                2 times · 2 conversations · src/depot.py · looks for the name requests\n"
)


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = make_repo(tmp_path_factory.mktemp("original"))
    tell_of_corrections(repo)
    return repo


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def test_what_is_found_and_what_a_second_run_costs(repo: Repo) -> None:
    first = call(repo.path, "analyze")
    assert first == Result(0, FOUND, "6 new exchanges of 6 looked at; 1 candidate\n")
    second = call(repo.path, "analyze-chat-history")
    assert second == Result(0, FOUND, "0 new exchanges of 6 looked at; 1 candidate\n")
    again = call(repo.path, "analyze", "--again")
    assert again == Result(0, FOUND, "6 new exchanges of 6 looked at; 1 candidate\n")


def test_only_one_conversation_or_those_after_a_day(repo: Repo) -> None:
    result = call(repo.path, "analyze", "--session", "two")
    assert result == Result(
        0,
        "c-8f1e921f296f  0.56  rule        Use httpx instead of requests here too, as in this "
        "project everywhere.\n"
        "                1 time · 1 conversation · src/depot.py · looks for the name requests\n",
        "3 new exchanges of 3 looked at; 1 candidate\n",
    )
    late = call(repo.path, "analyze", "--since", "2026-05-01")
    assert late == Result(1, "", "0 new exchanges of 0 looked at; 0 candidates\n")


def test_the_document_has_the_documented_fields(repo: Repo) -> None:
    document = json.loads(call(repo.path, "analyze", "--json").stdout)
    assert list(document) == [
        "schema", "exchanges", "new", "fates", "unreadable", "count", "candidates",
    ]  # fmt: skip
    assert document["fates"] == {"none": 2, "kept": 2, "replaced": 2}
    (one,) = document["candidates"]
    text = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \|", text, re.M))
    assert set(one) | set(one["evidence"][0]) | set(one["scores"]) <= documented
    assert one["proposal"]["matcher"]["regex"] == r"(?:^|[^\w.$])requests(?:$|[^\w$])"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-n", "0"), "-n must be at least 1"),
        (("--draft-with", "'"), "--draft-with: No closing quotation"),
        (("--draft-with", " "), "--draft-with needs a command"),
        (("--session", "nobody"), "no such session: nobody: git skillmesh sessions lists them"),
    ],
)
def test_mistakes_are_one_line(repo: Repo, arguments: tuple[str, ...], complaint: str) -> None:
    assert call(repo.path, "analyze", *arguments) == Result(2, "", f"git-skillmesh: {complaint}\n")


def test_without_a_memory_there_are_commits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"AGENTS.md": "- Never store keys in the depot module.\n"})
    result = call(repo.path, "analyze")
    assert result.returncode == 0
    assert "Never store keys in the depot module." in result.stdout
    empty = make_repo(tmp_path / "empty", files={})
    assert call(empty.path, "analyze") == Result(
        1, "", "0 new exchanges of 0 looked at; 0 candidates\n"
    )


def drafting(tmp_path: Path, answer: object) -> str:
    text = tmp_path / "answer.json"
    text.write_text(json.dumps(answer))
    code = f"import sys; sys.stdin.read(); print(open({str(text)!r}).read())"
    return shlex.join([sys.executable, "-c", code])


def test_a_draft_is_shown_from_then_on(repo: Repo, tmp_path: Path) -> None:
    title = "Ask the depots with httpx"
    result = call(repo.path, "analyze", "--draft-with", drafting(tmp_path, {"title": title}))
    assert result.stdout.splitlines()[0] == f"c-4aa7a8971f4a  0.72  correction  {title}"
    assert call(repo.path, "analyze").stdout == result.stdout
    assert call(repo.path, "analyze", "--again").stdout == result.stdout


def test_a_draft_that_is_no_learning_is_dropped_in_a_line(repo: Repo, tmp_path: Path) -> None:
    result = call(repo.path, "analyze", "--draft-with", drafting(tmp_path, {"title": "a\nb"}))
    assert result == Result(
        0,
        FOUND,
        "c-4aa7a8971f4a: no draft: title must be one line\n"
        "6 new exchanges of 6 looked at; 1 candidate\n",
    )


def test_hostile_text_reaches_no_terminal(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    path = "src/\x1b[2J\u202eevil.py"
    said_ = "No, use \x1b]0;owned\x07httpx instead of \u202erequests, that is wrong.\x1b[31m"
    session = Session("s", "claude-code", (
        said(1, "Fetch.", edit(1, "", "import requests\n", path)),
        said(2, said_, edit(2, "import requests\n", "import httpx\n", path)),
    ))  # fmt: skip
    open_memory(repo).add([session])
    for arguments in ((), ("--json",)):
        result = call(repo.path, "analyze", *arguments)
        assert result.returncode == 0
        text = result.stdout + result.stderr
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "httpx" in text


def test_secrets_of_commits_are_taken_out(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    repo.commit("rules", {"AGENTS.md": f"- Never use the token {secret} in this project.\n"})
    result = call(repo.path, "analyze", "--json")
    assert result.returncode == 0
    assert secret not in result.stdout
    assert secret not in path_of(discover(repo.path)).read_text()


def test_what_is_forgotten_is_not_kept_here(repo: Repo) -> None:
    call(repo.path, "analyze")
    cache = path_of(discover(repo.path))
    assert "httpx" in cache.read_text()
    assert call(repo.path, "forget", "--yes", "one", "two").returncode == 0
    assert not cache.exists()
    assert call(repo.path, "analyze").returncode == 1


def test_a_limit_says_what_is_left(repo: Repo) -> None:
    lamp = edit(2, "lamp = 1\n", "lamp = 2\nhall = lamp\n", "src/hall.py")
    session = Session("three", "codex", (
        said(1, "Add a lamp.", edit(1, "", "lamp = 1\n", "src/hall.py"), day=9),
        said(2, "You forgot to put the lamp into the hall.", lamp, day=9),
    ))  # fmt: skip
    open_memory(repo).add([session])
    result = call(repo.path, "analyze", "-n", "1")
    assert result == Result(
        0, FOUND, "8 new exchanges of 8 looked at; 1 of 2 candidates shown: -n 2\n"
    )
