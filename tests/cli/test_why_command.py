"""`git skillmesh why`, as its users see it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.settings import record_path
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.seen import Seen
from testing.commands import call
from testing.conversations import link, remember
from testing.memory import make_session, open_memory
from testing.repos import Repo, Result, make_repo

TEXT = "one\ntwo\nthree\nfour\n"


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = make_repo(tmp_path_factory.mktemp("original"), files={"src/a.txt": TEXT})
    first, second, third = make_session("abcdefgh-1").exchanges
    asked = replace(
        second, prompt="Count further.\n\nUp to four.", response="It counts to four now."
    )
    remember(repo, Session("abcdefgh-1", "codex", (first, asked, third), "Counting"))
    link(repo, "HEAD", "src/a.txt", [2, 3], "abcdefgh-1", "abcdefgh-1-2", confidence=0.95)
    return repo


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def commit_line(repo: Repo, rev: str = "HEAD") -> str:
    return repo.git("log", "-1", "--format=%h  %as  %an  %s", "--abbrev=9", rev)


def known(repo: Repo, place: str, code: str) -> str:
    return (
        f"{place}\n{code}"
        "  asked     Count further. Up to four.\n"
        "  answered  It counts to four now.\n"
        "  by        codex, m-1, 2024-03-01 12:02\n"
        "  evidence  the agent recorded this edit, confidence 0.95\n"
        f"  commit    {commit_line(repo)}\n"
        "  more      git skillmesh show abcdefgh/2 “Counting”\n"
    )


def unknown(repo: Repo, place: str, code: str, these: str = "this line") -> str:
    oid, name = repo.git("rev-parse", "--short=9", "HEAD"), repo.git("log", "-1", "--format=%an")
    return (
        f"{place}\n{code}  no conversation is known for {these}: written by {name} in {oid} on "
        "2024-03-01: first\n"
    )


def test_a_line(repo: Repo) -> None:
    wanted = Result(0, known(repo, "src/a.txt:2", "     2  two\n"), "")
    for place in ("src/a.txt:2", "src/a.txt:2:7", "src/a.txt:2:7:", str(repo.path / "src/a.txt:2")):
        assert call(repo.path, "why", place) == wanted
    assert call(repo.path, "why", "-L", "2,2", "src/a.txt") == wanted
    assert call(repo.path, "why", "--at", "HEAD", "src/a.txt:2") == wanted
    inside = call(repo.path / "src", "why", "a.txt:2")
    assert inside.stdout == wanted.stdout.replace("src/a.txt", "a.txt")
    assert call(repo.path, "-C", "src", "why", "a.txt:2") == inside


def test_lines_of_one_exchange_are_told_together(repo: Repo) -> None:
    assert call(repo.path, "why", "src/a.txt") == Result(
        0,
        unknown(repo, "src/a.txt:1,4", "     1  one\n     4  four\n", "these 2 lines")
        + "\n"
        + known(repo, "src/a.txt:2-3", "     2  two\n     3  three\n"),
        "",
    )
    assert call(repo.path, "why", "src/a.txt:2-3") == call(repo.path, "why", "src/a.txt", "-L2-3")


def test_lines_that_nobody_linked(repo: Repo) -> None:
    assert call(repo.path, "why", "src/a.txt:4") == Result(
        1, unknown(repo, "src/a.txt:4", "     4  four\n"), ""
    )
    repo.write("src/a.txt", TEXT + "five\nsix\n")
    assert call(repo.path, "why", "src/a.txt:5").stdout == (
        "src/a.txt:5\n     5  five\n  this line is not committed yet\n"
    )
    assert call(repo.path, "why", "src/a.txt:5-6").stdout == (
        "src/a.txt:5-6\n     5  five\n     6  six\n  these 2 lines are not committed yet\n"
    )


def test_changes_of_white_space_and_names_take_nothing_away(repo: Repo) -> None:
    before = call(repo.path, "why", "src/a.txt:2").stdout.split("\n", 2)[2]
    repo.git("mv", "src/a.txt", "b.txt")
    repo.commit("move and indent", {"b.txt": "zero\none\n\t two \nthree\nfour\n"})
    assert call(repo.path, "why", "b.txt:3").stdout.split("\n", 2) == [
        "b.txt:3", "     3       two", before,
    ]  # fmt: skip


def test_the_whole_texts(repo: Repo) -> None:
    said = call(repo.path, "why", "--full", "src/a.txt:2").stdout
    assert "  asked     Count further.\n\n            Up to four.\n  answered  It" in said


def test_where_lines_were_before(repo: Repo) -> None:
    first = repo.head
    repo.git("commit", "-q", "--amend", "-m", "first again")
    link(repo, "HEAD", "src/a.txt", [2], "abcdefgh-1", "abcdefgh-1-2", via=(first, "f" * 40))
    said = call(repo.path, "why", "src/a.txt:2").stdout
    assert f"  before    {first[:9]} → fffffffff (rewritten since)\n" in said


def test_several_commits_and_kinds_of_evidence(repo: Repo) -> None:
    for number in range(5):
        repo.commit(f"add {number}", {"src/a.txt": repo.read("src/a.txt") + f"new {number}\n"})
        link(
            repo, "HEAD", "src/a.txt", [5 + number], "abcdefgh-1", "abcdefgh-1-2",
            confidence=0.5 + number / 10, evidence="content",
        )  # fmt: skip
    said = call(repo.path, "why", "src/a.txt:2-9").stdout
    words = " ".join(said.split())
    assert (
        "evidence the agent recorded this edit, confidence 0.95; the agent wrote these lines, "
        "confidence 0.50 to 0.90 commit"
    ) in words
    assert said.count(" add ") == 3
    assert "            3 more commits\n" in said
    assert "     …  1 more line\n" not in said


def test_a_conversation_that_is_not_there(repo: Repo) -> None:
    link(repo, "HEAD", "src/a.txt", [1], "elsewhere", "e-1", evidence="a new kind")
    said = call(repo.path, "why", "src/a.txt:1")
    assert said == Result(
        0,
        "src/a.txt:1\n     1  one\n"
        "  asked     (the conversation is not in this clone)\n"
        "  evidence  a new kind, confidence 0.90\n"
        f"  commit    {commit_line(repo)}\n"
        "  more      elsewhere\n",
        "",
    )
    open_memory(repo).forget("abcdefgh-1")
    assert (
        "  asked     (the conversation was forgotten)\n"
        in call(repo.path, "why", "src/a.txt:2").stdout
    )


def test_without_a_memory(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    assert call(repo.path, "why", "a.txt:1") == Result(
        1,
        unknown(repo, "a.txt:1", "     1  one\n"),
        "no conversations are stored in this repository yet: git skillmesh import\n",
    )


def test_a_bare_repository_and_a_shallow_one(repo: Repo, tmp_path: Path) -> None:
    bare = repo.clone(tmp_path / "bare.git", "--mirror")
    assert call(bare.path, "why", "src/a.txt:2").stdout == known(
        repo, "src/a.txt:2", "     2  two\n"
    )
    repo.commit("second", {"b.txt": "b\n"})
    shallow = repo.clone(tmp_path / "shallow", "--depth=1")
    said = call(shallow.path, "why", "src/a.txt:2").stdout
    oid = repo.git("rev-parse", "--short=9", "HEAD")
    assert said.startswith(
        "src/a.txt:2\n     2  two\n  no conversation is known for this line: history ends at "
        f"{oid}  2024-03-01"
    )
    assert "git fetch --unshallow" in said


def test_bad_places(repo: Repo, tmp_path: Path) -> None:
    def refusal(*words: str) -> str:
        said = call(repo.path, "why", *words)
        assert (said.returncode, said.stdout) == (2, "")
        return said.stderr.removeprefix("git-skillmesh: ").removesuffix("\n")

    assert (
        refusal("src/a.txt:0") == "no such lines: src/a.txt:0: lines count from 1: FILE:FIRST-LAST"
    )
    assert refusal("src/a.txt:3-2").startswith("no such lines: src/a.txt:3-2")
    assert refusal("src/a.txt:5") == "src/a.txt has 4 lines: there is none as asked"
    assert refusal("src:1") == "src is a folder: name a file in it"
    assert refusal("nope.txt:1") == "no such file: nope.txt"
    assert refusal("../a.txt:1") == "../a.txt is outside of this repository"
    assert refusal("/etc/passwd:1") == "/etc/passwd is outside of this repository"
    assert refusal("a\0b:1") == "not a path: a␀b"
    assert refusal("--at", "nope", "src/a.txt:1") == (
        "not a commit or tree of this repository: nope"
    )
    assert refusal("--at", "HEAD^{tree}", "src/a.txt:1") == (
        "HEAD^{tree} is a tree: it has no history"
    )
    empty = make_repo(tmp_path, "empty")
    assert call(empty.path, "why", "a.txt:1").stderr == "git-skillmesh: no such file: a.txt\n"
    assert call(tmp_path, "why", "a.txt:1").returncode == 4


def test_a_file_whose_name_looks_like_a_place(repo: Repo) -> None:
    repo.commit("odd", {"odd:2": "x\n"})
    assert call(repo.path, "why", "odd:2").stdout.startswith("odd:2:1\n     1  x\n")
    assert call(repo.path, "why", "odd:2:1").returncode == 2
    assert call(repo.path, "why", "-L1", "odd:2").stdout.startswith("odd:2:1\n     1  x\n")


def test_json(repo: Repo) -> None:
    said = call(repo.path, "why", "--json", "--full", "src/a.txt:1-2")
    assert (said.returncode, said.stderr) == (0, "")
    commit = {
        "commit": repo.head,
        "author": repo.git("log", "-1", "--format=%an"),
        "time": "2024-03-01T12:00:00Z",
        "summary": "first",
        "boundary": False,
    }
    assert json.loads(said.stdout) == {
        "schema": 1,
        "path": "src/a.txt",
        "at": "",
        "groups": [
            {
                "lines": "1",
                "uncommitted": False,
                "commits": [commit],
                "exchange": None,
                "links": [],
                "learnings": [],
            },
            {
                "lines": "2",
                "uncommitted": False,
                "commits": [commit],
                "exchange": {
                    "session": "abcdefgh-1",
                    "exchange": "abcdefgh-1-2",
                    "number": 2,
                    "agent": "codex",
                    "title": "Counting",
                    "missing": None,
                    "model": "m-1",
                    "started": "2024-03-01T12:02:00Z",
                    "ended": "2024-03-01T12:02:59Z",
                    "prompt_summary": "Count further. Up to four.",
                    "response_summary": "It counts to four now.",
                    "prompt": "Count further.\n\nUp to four.",
                    "response": "It counts to four now.",
                },
                "links": [
                    {
                        "confidence": 0.95,
                        "evidence": "edit",
                        "path": "src/a.txt",
                        "blob": repo.git("rev-parse", "HEAD:src/a.txt"),
                        "lines": "2-3",
                        "via": [],
                    }
                ],
                "learnings": [],
            },
        ],
    }
    repo.write("src/a.txt", "new\n")
    uncommitted = json.loads(call(repo.path, "why", "--json", "src/a.txt:1").stdout)
    assert uncommitted["groups"] == [
        {
            "lines": "1",
            "uncommitted": True,
            "commits": [],
            "exchange": None,
            "links": [],
            "learnings": [],
        }
    ]


def test_an_exchange_without_words(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    remember(repo, Session("s", "", (Exchange("e", "", ""),)))
    link(repo, "HEAD", "a.txt", [1], "s", "e")
    said = call(repo.path, "why", "a.txt:1").stdout
    assert (
        "  asked     (nothing in words)\n  answered  (nothing in words)\n  by        an agent\n"
        in said
    )


def test_a_gap_that_the_background_may_fill_says_so(repo: Repo) -> None:
    """Right after a commit nobody has looked at it; "nothing is known" would be taken for final."""
    later = "the background work is not done yet, it may tell more: ask again in a moment\n"
    state = discover(repo.path).state_dir
    request = state / "requests" / "0123.running"
    request.parent.mkdir(parents=True)
    request.write_text(str(repo.path))
    assert call(repo.path, "why", "src/a.txt:1").stderr == later
    assert call(repo.path, "why", "src/a.txt:2").stderr == ""
    assert call(repo.path, "blame", "src/a.txt").stderr.endswith("2 by people\n" + later)
    assert call(repo.path, "log").stderr == ""
    assert "background  at work, asked for at " in call(repo.path, "status").stdout
    request.unlink()
    assert call(repo.path, "why", "src/a.txt:1").stderr == ""

    # A commit whose hook has not got as far as a request.
    at = f"HEAD of {repo.path}"
    Seen({at: repo.git("rev-parse", "HEAD")}).save(state)
    record_path(discover(repo.path)).write_text("{}")
    assert call(repo.path, "why", "src/a.txt:1").stderr == ""
    repo.commit("more", {"src/b.txt": "much\n"})
    for command in (("why", "src/b.txt"), ("log",), ("show", "HEAD")):
        assert call(repo.path, *command).stderr == later
