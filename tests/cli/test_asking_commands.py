"""`blame`, `log`, `show` and `sessions`: whole outputs, errors, and the documented JSON."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.cli.sessions import TYPES
from git_skillmesh.sessions.events import Event
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.sessions.modification import Modification
from testing.commands import call
from testing.conversations import damage, edit_call, link, remember
from testing.memory import make_session, open_memory
from testing.repos import Repo, Result, make_repo
from testing.schemas import fits

CODE = "def one():\n\treturn 1\n\n\ndef two():\n\treturn 2\n"
RULE = "─" * 100


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Two commits, a conversation of two exchanges with a subagent, one by another agent."""
    repo = make_repo(
        tmp_path_factory.mktemp("original"), files={"src/a.py": CODE, "README.md": "# A\n"}
    )
    call_ = ToolCall("c1", "Bash", Act.BASH, "pytest -q", "2 passed\nall good\n", failed=True)
    first = Exchange(
        "e1", "Make it return 1.", "## Done\n\nIt returns 1 now.\n\n```\none()\n```",
        "2024-03-01T10:00:00Z", "2024-03-01T10:05:00Z", "m-1",
        (edit_call(1, "src/a.py", CODE, CODE.replace("1", "0")), call_),
    )  # fmt: skip
    second = replace(first, exchange_id="e2", prompt="And 2.", response="", tools=())
    remember(
        repo,
        Session("mainmain-1", "claude-code", (first, second), "Return numbers", branch="main",
                directory="/somewhere"),
        Session("mainmain-1-sub77", "claude-code", (replace(first, exchange_id="e3"),),
                parent="mainmain-1"),
        Session("other", "codex", (replace(second, exchange_id="e4", started="", ended=""),)),
    )  # fmt: skip
    link(repo, "HEAD", "src/a.py", [1, 2], "mainmain-1", "e1", confidence=0.9)
    link(repo, "HEAD", "src/a.py", [5, 6], "mainmain-1", "e2", confidence=0.75)
    repo.commit("second", {"README.md": "# A\nMore.\n"})
    return repo


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def short(repo: Repo, rev: str = "HEAD") -> str:
    return repo.git("rev-parse", "--short=9", rev)


def valid(said: Result, name: str) -> Any:
    document = json.loads(said.stdout)
    fits(document, "asking", name)
    return document


def test_blame(repo: Repo) -> None:
    repo.write("src/a.py", CODE + "# new\n")
    first = short(repo, "HEAD~1")
    assert call(repo.path, "blame", "src/a.py") == Result(
        0,
        f"mainmain/1 claude-code   0.90 2024-03-01 {first} 1  def one():\n"
        f"mainmain/1 claude-code   0.90 2024-03-01 {first} 2      return 1\n"
        f"           Ada Example        2024-03-01 {first} 3\n"
        f"           Ada Example        2024-03-01 {first} 4\n"
        f"mainmain/2 claude-code   0.75 2024-03-01 {first} 5  def two():\n"
        f"mainmain/2 claude-code   0.75 2024-03-01 {first} 6      return 2\n"
        "           not committed                           7  # new\n",
        "7 lines: 4 by claude-code, 2 by people, 1 not committed\n",
    )


def test_blame_of_what_nobody_linked(repo: Repo) -> None:
    assert call(repo.path, "blame", "README.md", "-L1") == Result(
        0,
        f"Ada Example 2024-03-01 {short(repo, 'HEAD~1')} 1  # A\n"
        f"Ada Example 2024-03-01 {short(repo)} 2  More.\n",
        "2 lines: 2 unknown\n",
    )
    repo.commit("empty", {"empty.txt": ""})
    assert call(repo.path, "blame", "empty.txt") == Result(0, "", "no lines\n")
    assert call(repo.path, "blame", "--at", "HEAD~2", "README.md").stdout.count("\n") == 1


def test_blame_as_json(repo: Repo) -> None:
    document = valid(call(repo.path, "blame", "--json", "src/a.py"), "blame")
    assert document["summary"] == {
        "agents": {"claude-code": 4}, "people": 2, "unknown": 0, "uncommitted": 0,
    }  # fmt: skip
    assert document["lines"][1] == {
        "line": 2,
        "text": "\treturn 1",
        "commit": repo.git("rev-parse", "HEAD~1"),
        "path": "src/a.py",
        "original_line": 2,
        "exchange": {
            "session": "mainmain-1", "exchange": "e1", "number": 1, "agent": "claude-code",
            "confidence": 0.9, "evidence": "edit",
        },
    }  # fmt: skip
    assert [line["exchange"] is None for line in document["lines"]] == [
        False, False, True, True, False, False,
    ]  # fmt: skip


def test_log(repo: Repo) -> None:
    wanted = (
        f"{short(repo)}  2024-03-01  second  (Ada Example)\n"
        f"{short(repo, 'HEAD~1')}  2024-03-01  first  (Ada Example)  4 of 7 lines\n"
        "  mainmain/1  claude-code  0.90  2 lines  Make it return 1.\n"
        "  mainmain/2  claude-code  0.75  2 lines  And 2.\n"
    )
    assert call(repo.path, "log") == Result(0, wanted, "")
    first_only = "".join(wanted.splitlines(keepends=True)[1:])
    assert call(repo.path, "log", "--linked").stdout == first_only
    assert call(repo.path, "log", "HEAD~1").stdout == first_only
    assert call(repo.path, "log", "-n", "1").stdout == wanted.splitlines(keepends=True)[0]
    assert call(repo.path, "log", "-1", "HEAD") == call(repo.path, "log", "-n", "1", "HEAD")
    assert call(repo.path, "log", "HEAD~1..HEAD").stdout == wanted.splitlines(keepends=True)[0]
    of_path = first_only.replace("4 of 7", "4 of 6")
    assert call(repo.path, "log", "--", "src").stdout == of_path
    assert call(repo.path, "log", "main", "--", "src/a.py").stdout == of_path
    assert call(repo.path, "log", "src/a.py").stdout == of_path
    assert call(repo.path / "src", "log", "a.py").stdout == of_path
    repo.git("branch", "src")
    assert call(repo.path, "log", "src").stdout == wanted
    assert call(repo.path, "log", "--", "src").stdout == of_path


def test_log_refuses_what_is_neither(repo: Repo, tmp_path: Path) -> None:
    assert call(repo.path, "log", "nope") == Result(
        2, "", "git-skillmesh: neither a revision nor a file: nope: paths come after --\n"
    )
    assert call(repo.path, "log", "-n", "0").returncode == 2
    assert call(repo.path, "log", "-0").returncode == 2
    ranged = call(repo.path, "blame", "-L", "5,6", "src/a.py")
    assert ranged.stdout
    assert call(repo.path, "blame", "src/a.py:5-6") == ranged
    assert call(make_repo(tmp_path, "empty").path, "log") == Result(
        2, "", "git-skillmesh: this repository has no commits yet\n"
    )
    plain = make_repo(tmp_path, "plain", files={"a": "1\n"})
    assert call(plain.path, "log").stderr == (
        "no conversations are stored in this repository yet: git skillmesh import\n"
    )


def test_log_as_json(repo: Repo) -> None:
    document = valid(call(repo.path, "log", "--json"), "log")
    assert [(c["summary"], c["added"], c["linked"]) for c in document["commits"]] == [
        ("second", 1, 0), ("first", 7, 4),
    ]  # fmt: skip
    assert document["commits"][1]["exchanges"][1] == {
        "session": "mainmain-1", "exchange": "e2", "number": 2, "agent": "claude-code",
        "title": "Return numbers", "missing": None, "prompt_summary": "And 2.", "lines": 2,
        "confidence": 0.75, "paths": ["src/a.py"],
    }  # fmt: skip


def test_many_exchanges_of_a_commit_are_counted(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "".join(f"{n}\n" for n in range(12))})
    remember(repo, make_session("s", 12))
    for n in range(1, 13):
        link(repo, "HEAD", "a.txt", [n], "s", f"s-{n}")
    said = call(repo.path, "log").stdout.splitlines()
    assert (len(said), said[-1]) == (10, "  … 4 more exchanges")
    link(repo, "HEAD", "a.txt", [1], "gone", "g", confidence=1.0)
    assert "  gone/g  " in call(repo.path, "log").stdout
    assert "  (the conversation is not in this clone)\n" in call(repo.path, "log").stdout


FIRST = """\

── 1 of 2 · 2024-03-01 10:00 · m-1 ─────────────────────────────────────────────────────────────────

 ▌ Make it return 1.

  edit   src/a.py
         @@ -1,5 +1,5 @@
          def one():
         -    return 0
         +    return 1


          def two():
  bash   pytest -q  (failed)

claude-code
   ## Done

   It returns 1 now.

   ```
   one()
   ```
"""
HEAD = """\
Return numbers
  session   mainmain-1
  agent     claude-code
  when      2024-03-01 10:00 to 2024-03-01 10:05
  branch    main
  folder    /somewhere
  subagents sub77
"""


def test_show_an_exchange_and_a_session(repo: Repo) -> None:
    second = f"\n── 2 of 2 · 2024-03-01 10:00 · m-1 {'─' * 65}\n\n ▌ And 2.\n"
    assert call(repo.path, "show", "mainmain/1") == Result(0, HEAD + FIRST, "")
    assert call(repo.path, "show", "mainmain") == Result(0, HEAD + FIRST + second, "")
    assert call(repo.path, "show", "e1").stdout == HEAD + FIRST
    sub = call(repo.path, "show", "sub77").stdout
    assert "  subagent  of mainmain-1\n" in sub
    full = call(repo.path, "show", "--full", "mainmain/1").stdout
    assert "  bash   pytest -q  (failed)\n         2 passed\n         all good\n" in full


def test_show_says_how_far_an_exchange_has_come(repo: Repo) -> None:
    open_memory(repo).append_events(
        "mainmain-1", [Event("status", "analyzed", "e2", "2024-06-01T00:00:00Z")]
    )
    said = call(repo.path, "show", "mainmain").stdout
    assert "── 2 of 2 · 2024-03-01 10:00 · m-1 · analyzed ──" in said
    document = valid(call(repo.path, "show", "--json", "mainmain"), "show_session")
    assert [one["status"] for one in document["exchanges"]] == ["captured", "analyzed"]


def test_show_a_commit(repo: Repo) -> None:
    wanted = (
        f"first\n{repo.git('rev-parse', 'HEAD~1')}  2024-03-01  Ada Example\n"
        "4 of 7 added lines with a conversation\n"
        "\n"
        "mainmain/1 · claude-code, m-1 · 2024-03-01 10:05\n"
        "  asked     Make it return 1.\n"
        "  answered  Done; It returns 1 now.\n"
        "  evidence  the agent recorded this edit, confidence 0.90\n"
        "    src/a.py:1-2  2 lines\n"
        "\n"
        "mainmain/2 · claude-code, m-1 · 2024-03-01 10:05\n"
        "  asked     And 2.\n"
        "  answered  (nothing in words)\n"
        "  evidence  the agent recorded this edit, confidence 0.75\n"
        "    src/a.py:5-6  2 lines\n"
    )
    assert call(repo.path, "show", "HEAD~1") == Result(0, wanted, "")
    full = call(repo.path, "show", "--full", "HEAD~1").stdout
    assert "    src/a.py:1-2  2 lines\n         1 +def one():\n         2 +    return 1\n" in full
    assert call(repo.path, "show") == Result(
        1,
        f"second\n{repo.head}  2024-03-01  Ada Example\n",
        "no conversation is known for this commit\n",
    )
    link(repo, "HEAD", "README.md", [], "other", "e4", evidence="files")
    assert "    README.md: lines taken away\n" in call(repo.path, "show").stdout


def test_show_as_json(repo: Repo) -> None:
    session = valid(call(repo.path, "show", "--json", "mainmain"), "show_session")
    assert [one["exchange_id"] for one in session["exchanges"]] == ["e1", "e2"]
    one = valid(call(repo.path, "show", "--json", "mainmain/2"), "show_session")
    assert [one["exchange_id"] for one in one["exchanges"]] == ["e2"]
    commit = valid(call(repo.path, "show", "--json", "HEAD~1"), "show_commit")
    assert [e["files"] for e in commit["exchanges"]] == [
        [{"path": "src/a.py", "lines": "1-2"}], [{"path": "src/a.py", "lines": "5-6"}],
    ]  # fmt: skip
    full = valid(call(repo.path, "show", "--json", "--full", "HEAD~1"), "show_commit")
    assert full["exchanges"][1]["prompt"] == "And 2."


def test_show_refuses_what_is_nothing(repo: Repo, tmp_path: Path) -> None:
    assert call(repo.path, "show", "nope") == Result(
        2,
        "",
        "git-skillmesh: no such session, exchange or commit: nope: git skillmesh sessions lists "
        "them\n",
    )
    empty = make_repo(tmp_path, "empty")
    assert call(empty.path, "show").stderr == "git-skillmesh: this repository has no commits yet\n"
    assert call(empty.path, "show", "x").stderr == (
        "git-skillmesh: no conversations are stored in this repository yet: git skillmesh import\n"
    )


def test_a_broken_record_does_not_hide_the_others(repo: Repo) -> None:
    damage(repo, "mainmain-1", "exchanges/0001")
    said = call(repo.path, "show", "mainmain")
    assert said.returncode == 8
    assert "── 2 of 2 · " in said.stdout
    assert "── 1 of 2 · " not in said.stdout
    assert re.fullmatch(r"0001-\S+ cannot be read: the record x is missing\n", said.stderr)
    assert call(repo.path, "show", "mainmain/2").returncode == 0
    assert call(repo.path, "show", "--json", "mainmain").returncode == 8
    listed = call(repo.path, "sessions", "--path", "src")
    assert (listed.returncode, listed.stdout.count("\n")) == (8, 2)
    assert listed.stderr == "session mainmain-1 cannot be read: git fsck\n"
    assert call(repo.path, "sessions").returncode == 0
    assert (
        "(the record of the conversation cannot be read)"
        in call(repo.path, "show", "HEAD~1").stdout
    )
    damage(repo, "mainmain-1", "session.json")
    assert "mainmain" not in call(repo.path, "sessions").stdout
    assert call(repo.path, "why", "src/a.py:5").returncode == 0


def test_edits_of_every_kind_are_shown(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    edits = (
        Edit("gone.txt", "a\n"),
        Edit("new.txt", None, "b\n", whole=True),
        Edit("unknown.txt", None, "part\n", line=7),
        Edit("same.txt", "x\n", "x\n"),
        Edit("long.txt", "", "".join(f"{n}\n" for n in range(40)), line=1),
    )
    tool = ToolCall("c", "Patch", Act.EDIT, "", "", edits=edits)
    other = ToolCall("d", "Think", Act.OTHER, '{"subject": "a plan\\nof two"}')
    remember(repo, Session("s", "x", (Exchange("e", "p", "", tools=(tool, other)),)))
    said = call(repo.path, "show", "s").stdout.split("▌ p\n\n")[1]
    assert said == (
        "  edit   Patch\n"
        "         gone.txt\n         deleted\n"
        "         new.txt\n         @@ -1,0 +1,1 @@\n         +b\n"
        "         unknown.txt\n         @@ -7,0 +7,1 @@\n         +part\n"
        "         same.txt\n"
        "         long.txt\n         @@ -1,0 +1,40 @@\n"
        + "".join(f"         +{n}\n" for n in range(23))
        + "         … 17 more lines (--full)\n"
        "  tool   Think a plan of two\n"
    )
    assert "         +39\n" in call(repo.path, "show", "--full", "s").stdout


def test_sessions(repo: Repo) -> None:
    head = "id        when              agent        exchanges  files  commits  title\n"
    main = "mainmain  2024-03-01 10:05  claude-code          2      1        1  Return numbers\n"
    other = "other     no time           codex                1      0        0  And 2.\n"
    assert call(repo.path, "sessions") == Result(0, head + main + other, "")
    assert call(repo.path, "sessions", "-n", "1").stdout == head + main
    assert call(repo.path, "sessions", "--agent", "Claude-Code").stdout == head + main
    assert call(repo.path, "sessions", "--path", "src/*.py") == Result(
        0,
        head + "sub77     2024-03-01 10:05  claude-code          1      0        0  "
        "[subagent] Make it return 1.\n" + main,
        "",
    )
    assert call(repo.path, "sessions", "--path", "nope") == Result(1, "", "none fits\n")
    assert call(repo.path, "sessions", "--since", "2030-01-01").returncode == 1
    assert (
        call(repo.path, "sessions", "--since", "2024-03-01", "--until", "2024-03-01").stdout
        == head + main
    )
    assert call(repo.path, "sessions", "--status", "analyzed").returncode == 1
    assert call(repo.path, "sessions", "--all").stdout.count("\n") == 4


def test_sessions_by_kind_and_confidence(repo: Repo) -> None:
    words = Exchange(
        "e5", "Document it in the README.", "", "2024-03-02T10:00:00Z",
        tools=(edit_call(1, "README.md", "# A\nMore.\n", "# A\n"),),
    )  # fmt: skip
    idle = replace(words, exchange_id="e6", prompt="thanks", tools=())
    remember(repo, Session("doc", "codex", (words, idle)))
    link(repo, "HEAD", "README.md", [2], "doc", "e5")

    def found(*filters: str) -> dict[str, list[int]]:
        said = call(repo.path, "sessions", "--json", *filters)
        return {one["session"]: one["fitting"] for one in json.loads(said.stdout)["sessions"]}

    assert found("--type", "documentation") == {"doc": [1]}
    assert found("--type", "documentation", "--type", "unknown")["doc"] == [1, 2]
    assert found("--type", "documentation", "--confidence", "0.6") == {"doc": [1]}
    assert found("--type", "documentation", "--confidence", "1") == {}
    assert found("--type", "documentation", "--path", "src/*") == {}
    shown = call(repo.path, "sessions", "--type", "documentation").stdout.splitlines()
    assert shown[1].endswith("  [exchange 1] Document it in the README.")


def test_the_kinds_that_can_be_asked_for_are_those_that_are_told() -> None:
    assert tuple(map(str, Modification)) == TYPES


def test_sessions_as_json(repo: Repo) -> None:
    document = valid(call(repo.path, "sessions", "--json"), "sessions")
    assert document["sessions"][0] == {
        "session": "mainmain-1", "agent": "claude-code", "title": "Return numbers",
        "started": "2024-03-01T10:00:00Z", "ended": "2024-03-01T10:05:00Z",
        "directory": "/somewhere", "branch": "main", "parent": "", "exchanges": 2, "files": 1,
        "commits": 1, "status": "captured", "fitting": [], "learnings": [],
    }  # fmt: skip
    none = call(repo.path, "sessions", "--json", "--agent", "nobody")
    assert (none.returncode, valid(none, "sessions")["sessions"], none.stderr) == (1, [], "")


def test_sessions_refuses_bad_filters(repo: Repo, tmp_path: Path) -> None:
    assert call(repo.path, "sessions", "-n", "0").returncode == 2
    assert call(repo.path, "sessions", "--confidence", "1.5").returncode == 2
    assert call(repo.path, "sessions", "--confidence", "nan").returncode == 2
    assert call(repo.path, "sessions", "--type", "nonsense").returncode == 2
    assert call(make_repo(tmp_path, "empty").path, "sessions") == Result(
        1, "", "no conversations are stored in this repository yet: git skillmesh import\n"
    )


def test_the_answers_of_why_fit_their_schema(repo: Repo) -> None:
    for words in (["src/a.py"], ["--full", "src/a.py:1"], ["README.md:2"]):
        valid(call(repo.path, "why", "--json", *words), "why")


def test_a_linked_worktree_answers_for_its_own_files(repo: Repo, tmp_path: Path) -> None:
    other = repo.worktree(tmp_path / "other", "side")
    other.write("src/a.py", "# head\n" + CODE)
    assert call(other.path, "why", "src/a.py:2").stdout.startswith(
        "src/a.py:2\n     2  def one():\n"
    )
    assert call(other.path, "sessions").stdout == call(repo.path, "sessions").stdout
