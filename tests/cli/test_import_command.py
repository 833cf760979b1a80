"""`git skillmesh import`: what it stores, says and refuses, and that it may be stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from testing.agents import ClaudeCode, remembered, slug
from testing.commands import call
from testing.memory import open_memory, tree_of
from testing.repos import Repo, Result, make_repo
from testing.rights import run_respecting_permissions
from testing.transcripts import (
    claude,
    claude_result,
    claude_says,
    claude_uses,
    codex_event,
    codex_meta,
    codex_says,
    jsonl,
)

WORD = "tr0ub4dor" + "&3"
NEXT = "next: git skillmesh link, to know which lines they made; after init that goes by itself\n"


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("original"), "lamp", files={"a.py": "x = 1\n"})


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def put(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def write(repo: Repo, home: Path, session: str, *prompts: str, second: int = 0) -> Path:
    about = {"sessionId": session, "cwd": str(repo.path)}
    records = []
    for number, prompt in enumerate(prompts):
        name = f"{session}-{number}"
        records += [
            claude("user", name, second + 2 * number, prompt, **about),
            claude_says(f"{name}-a", second + 2 * number + 1, "done") | about,
        ]
    return put(home / ".claude" / "projects" / slug(repo.path) / f"{session}.jsonl", jsonl(records))


def rollout(repo: Repo, home: Path) -> Path:
    records = [
        codex_meta(id="c1", cwd=str(repo.path)),
        codex_event(1, "user_message", message="do it"), codex_says(2, "assistant", "done"),
    ]  # fmt: skip
    return put(home / ".codex" / "sessions" / "rollout-1.jsonl", jsonl(records))


def test_everything_that_is_found_once(repo: Repo, home: Path) -> None:
    write(repo, home, "s1", f"say PASSWORD='{WORD}'", "and again")
    rollout(repo, home)
    assert call(repo.path, "import") == Result(
        0,
        "claude-code  1 new, 2 exchanges, 1 redaction (named-secret 1)\n"
        "codex        1 new, 1 exchange\n"
        "stored 2 new sessions, 0 grown: 3 new exchanges, 1 redaction\n",
        NEXT,
    )
    before = tree_of(repo)
    assert WORD not in "".join(before.values())
    assert call(repo.path, "import") == Result(
        0,
        "claude-code  1 unchanged, 0 exchanges\n"
        "codex        1 unchanged, 0 exchanges\n"
        "nothing new\n",
        "",
    )
    write(repo, home, "s1", f"say PASSWORD='{WORD}'", "and again", "and more")
    assert call(repo.path, "import", "claude-code") == Result(
        0,
        "claude-code  1 grown, 1 exchange\n"
        "stored 0 new sessions, 1 grown: 1 new exchange, 0 redactions\n",
        NEXT,
    )
    assert repo.git("log", "--format=%s", "refs/skillmesh/memory").splitlines() == [
        "sessions: 1 grown", "sessions: 1 new", "sessions: 1 new"
    ]  # fmt: skip


def test_nothing_is_found(repo: Repo) -> None:
    said = call(repo.path, "import")
    assert said == Result(0, "no conversations of this repository were found\n", "")
    assert not repo.run("rev-parse", "-q", "--verify", "refs/skillmesh/memory").stdout


def test_a_dry_run_says_the_same_and_writes_nothing(repo: Repo, home: Path) -> None:
    write(repo, home, "s1", f"say PASSWORD='{WORD}'")
    objects = repo.git("count-objects")
    dry = call(repo.path, "import", "--dry-run")
    assert dry.stdout == (
        "claude-code  1 new, 1 exchange, 1 redaction (named-secret 1)\n"
        "would store 1 new session, 0 grown: 1 new exchange, 1 redaction\n"
    )
    assert repo.git("count-objects") == objects
    assert not repo.state_dir.exists()
    assert call(repo.path, "import").stdout == dry.stdout.replace("would store", "stored")
    write(repo, home, "s1", f"say PASSWORD='{WORD}'", "more")
    write(repo, home, "s2", "other", second=20)
    before = tree_of(repo)
    assert call(repo.path, "import", "--dry-run").stdout == (
        "claude-code  1 new, 1 grown, 2 exchanges\n"
        "would store 1 new session, 1 grown: 2 new exchanges, 0 redactions\n"
    ).replace("2 exchanges\n", "2 exchanges, 1 redaction (named-secret 1)\n").replace(
        "0 redactions", "1 redaction"
    )
    assert tree_of(repo) == before


def test_json(repo: Repo, home: Path) -> None:
    path = write(repo, home, "s1", f"say PASSWORD='{WORD}'")
    with path.open("ab") as stream:
        stream.write(b'{"type":"user"}\nnot json\n{"type":"assis')
    said = call(repo.path, "import", "--json")
    assert (said.returncode, said.stderr) == (1, "")
    assert json.loads(said.stdout) == {
        "dry_run": False,
        "interrupted": False,
        "sources": [
            {
                "source": "claude-code", "new": ["s1"], "grown": [], "unchanged": [],
                "forgotten": [], "exchanges": 1, "redactions": {"named-secret": 1},
                "problems": [
                    {"source": str(path), "line": 3, "message": '"message" is missing'},
                    {
                        "source": str(path), "line": 4,
                        "message": "not JSON: Expecting value (column 1)",
                    },
                ],
            }
        ],
    }  # fmt: skip


def test_a_record_that_does_not_fit_is_one_line(repo: Repo, home: Path) -> None:
    path = write(repo, home, "s1", "one")
    with path.open("ab") as stream:
        stream.write(b"\x1b[31mnot json\n")
    assert call(repo.path, "import") == Result(
        1,
        "claude-code  1 new, 1 exchange, 1 problem\n"
        "stored 1 new session, 0 grown: 1 new exchange, 0 redactions\n",
        f"{path}:3: not JSON: Expecting value (column 1)\n{NEXT}",
    )
    assert call(repo.path, "import", "--quiet").stderr == ""
    with path.open("ab") as stream:
        stream.write(b"\x1b[31mnot json\n" * 6)
    said = call(repo.path, "import").stderr.splitlines()
    what = "not JSON: Expecting value (column 1)"
    assert said == [
        *(f"{path}:{line}: {what}" for line in range(3, 8)),
        f"and 2 more like it (--json lists them): {what}",
    ]


def test_a_path_and_a_folder(repo: Repo, tmp_path: Path) -> None:
    other = make_repo(tmp_path, "elsewhere", files={})
    path = write(other, tmp_path / "archive", "s1", "one")
    said = call(repo.path, "import", str(path))
    assert said.stdout.splitlines()[0] == f"{path}  1 new, 1 exchange"
    assert call(repo.path, "import", str(tmp_path / "archive")).stdout.endswith("nothing new\n")
    said = call(tmp_path, "-C", "lamp", "import", "../archive")
    assert said.stdout.splitlines()[0] == "../archive  1 unchanged, 0 exchanges" or (
        said.stdout.endswith("nothing new\n")
    )
    assert call(repo.path, "import", "nowhere") == Result(
        2, "",
        "git-skillmesh: no such file or format: nowhere: a path, or one of: claude-code, codex, "
        "gemini, cursor, copilot, aider, specstory, git-ai, entire\n",
    )  # fmt: skip


def test_since(repo: Repo, home: Path) -> None:
    write(repo, home, "s1", "old")
    records = jsonl(
        [
            claude("user", "n", 1, "new", sessionId="s2", cwd=str(repo.path)),
            claude_says("m", 2, "yes") | {"sessionId": "s2"},
        ]
    ).replace(b"2026-01-23", b"2026-03-23")
    put(home / ".claude" / "projects" / slug(repo.path) / "s2.jsonl", records)
    said = call(repo.path, "import", "--since", "2026-02-01")
    assert said.stdout.splitlines()[0] == "claude-code  1 new, 1 exchange"
    assert set(remembered(repo)) == {"s2"}
    assert call(repo.path, "import").stdout.splitlines()[0] == (
        "claude-code  1 new, 1 unchanged, 1 exchange"
    )
    assert call(repo.path, "import", "--since", "yesterdy") == Result(
        2, "",
        "git-skillmesh: not a date: yesterdy: as git takes them: 2026-02-21, 2 weeks ago\n",
    )  # fmt: skip


def test_what_was_forgotten_stays_away(repo: Repo, home: Path) -> None:
    write(repo, home, "s1", "one")
    call(repo.path, "import")
    open_memory(repo).forget("s1")
    assert call(repo.path, "import") == Result(
        0, "claude-code  1 forgotten, 0 exchanges\nnothing new\n", ""
    )
    assert remembered(repo) == {}


def test_a_second_hand_telling_gives_way(repo: Repo, home: Path) -> None:
    session = "11111111-2222-4333-8444-555555555555"
    write(repo, home, session, "one")
    put(
        repo.path / ".specstory" / "history" / "2026-01-23_15-39-00Z-one.md",
        "<!-- Generated by SpecStory, Markdown v2.1.0 -->\n\n# One\n\n"
        f"<!-- Claude Code Session {session} (2026-01-23 15:39:00Z) -->\n\n"
        "_**User (2026-01-23 15:39:00Z)**_\n\none\n\n---\n\n"
        "_**Agent (claude-opus-4 2026-01-23 15:39:01Z)**_\n\ndone\n\n---\n",
    )
    said = call(repo.path, "import")
    assert said.stdout == (
        "claude-code  1 new, 1 exchange\n"
        "specstory    1 unchanged, 0 exchanges\n"
        "stored 1 new session, 0 grown: 1 new exchange, 0 redactions\n"
    )
    assert call(repo.path, "import", "specstory").stdout.endswith("nothing new\n")
    assert [len(exchanges) for exchanges in remembered(repo).values()] == [1]


def agent_without_hooks(repo: Repo, home: Path, session: str) -> ClaudeCode:
    agent = ClaudeCode(repo, home, session)
    agent.hook = lambda *_args, **_more: None  # type: ignore[method-assign]
    return agent


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_forks_over_several_imports(repo: Repo, home: Path, order: tuple[str, str]) -> None:
    """Whichever was imported first keeps what both hold; what goes on in a copy is not lost."""
    one = agent_without_hooks(repo, home, "one")
    one.asked("p1", "start")
    one.runs("c1", "make", "ok")
    two = one.resumed_as("two")
    two.hook = lambda *_args, **_more: None  # type: ignore[method-assign]
    two.runs("c2", "make again", "ok")  # the exchange goes on in the fork
    two.asked("p2", "now this")
    two.says("a2", "done")
    for name in order:
        path = {"one": one, "two": two}[name].path
        assert call(repo.path, "import", str(path)).returncode == 0
    found = {
        (name, exchange.exchange_id): [call.call_id for call in exchange.tools]
        for name, exchanges in remembered(repo).items()
        for exchange in exchanges
    }
    assert found == {
        (order[0], "p1"): ["call-c1", "call-c2"],
        ("two", "p2"): [],
    }
    assert call(repo.path, "import", str(one.path), str(two.path)).stdout.endswith("nothing new\n")


def test_a_subagent_is_told_by_its_file_and_by_the_progress_of_its_parent(
    repo: Repo, home: Path
) -> None:
    agent = agent_without_hooks(repo, home, "one")
    agent.asked("p1", "start")
    agent.delegates("t1", "ab", "look", "seen")
    for said in (claude("user", "t1-p", 3, "look"), claude_says("t1-s", 4, "seen")):
        inner = {key: said[key] for key in ("type", "message", "uuid", "timestamp")}
        data = {"type": "agent_progress", "agentId": "ab", "message": inner}
        progress = {**claude("progress", f"o{said['uuid']}", 9, ""), **agent.about(), "data": data}
        agent.write({**progress, "parentToolUseID": "call-t1"})
    assert call(repo.path, "import").returncode == 0
    assert {name: [e.exchange_id for e in es] for name, es in remembered(repo).items()} == {
        "one": ["p1"], "one-ab": ["t1-p"]
    }  # fmt: skip
    assert call(repo.path, "import").stdout.endswith("nothing new\n")


def test_git_ai_and_entire(repo: Repo) -> None:
    records = jsonl(
        [
            claude("user", "p1", 1, "start", cwd="/src/other"),
            claude_uses("a1", 2, "t1", "Write", file_path="/src/other/b.py", content="y"),
            claude_result("u1", 3, "t1", "ok"),
        ]
    )
    full = repo.git("hash-object", "-w", "--stdin", stdin=records.decode())
    half = repo.git(
        "hash-object", "-w", "--stdin", stdin=records.decode().partition("\n")[0] + "\n"
    )
    about = repo.git(
        "hash-object", "-w", "--stdin", stdin='{"session_id":"s1","created_at":"2026-01-23"}'
    )
    index = {"GIT_INDEX_FILE": str(repo.git_dir / "other-index")}
    for number, blob in enumerate((half, full, half)):
        for name, oid in (("full.jsonl", blob), ("metadata.json", about)):
            entry = f"100644,{oid},0{number}/abcdef/0/{name}"
            repo.git("update-index", "--add", "--cacheinfo", entry, env=index)
    tree = repo.git("write-tree", env=index)
    commit = repo.git("commit-tree", tree, "-m", "checkpoints")
    repo.git("update-ref", "refs/remotes/origin/entire/checkpoints/v1", commit)
    note = {
        "prompts": {
            "k1": {
                "agent_id": {"tool": "cursor", "id": "g1", "model": "m"},
                "messages": [
                    {"type": "user", "text": "hello", "timestamp": "2026-01-23T10:00:00Z"},
                    {"type": "assistant", "text": "yes", "timestamp": "2026-01-23T10:00:01Z"},
                ],
            }
        }
    }
    repo.git("notes", "--ref=ai", "add", "-m", f"a.py\n  k1 1-1\n---\n{json.dumps(note)}")
    assert call(repo.path, "import") == Result(
        0,
        "git-ai  2 new, 2 exchanges\n"
        "entire  1 new, 1 exchange\n"
        "stored 3 new sessions, 0 grown: 3 new exchanges, 0 redactions\n",
        NEXT,
    )
    (exchange,) = remembered(repo)["s1"]
    assert [edit.path for call in exchange.tools for edit in call.edits] == ["b.py"]
    assert call(repo.path, "import").stdout.endswith("nothing new\n")


def test_ctrl_c_keeps_what_was_read(repo: Repo, home: Path) -> None:
    for number in range(40):
        write(repo, home, f"s{number:02}", *(f"{number} {'x' * 20_000} {k}" for k in range(20)))
    process = subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", "import", "claude-code"],
        cwd=repo.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (repo.state_dir / "capture.db").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (
        130, f"{NEXT * ('stored' in out)}git-skillmesh: interrupted; run it again to go on\n"
    )  # fmt: skip
    kept = len(remembered(repo))
    assert kept < 40
    assert (f"stored {kept} new session" in out) is (kept > 0)
    assert call(repo.path, "import").returncode == 0
    assert len(remembered(repo)) == 40


def test_a_repository_that_cannot_be_written(repo: Repo, home: Path) -> None:
    write(repo, home, "s1", "one")
    repo.state_dir.mkdir()
    from testing.rights import read_only

    with read_only(repo.common_dir):
        said = run_respecting_permissions(repo.path, "import")
        dry = run_respecting_permissions(repo.path, "import", "--dry-run")
    assert (said.returncode, said.stdout) == (9, "")
    assert said.stderr.startswith(f"git-skillmesh: cannot write {repo.state_dir}")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert remembered(repo) == {}


def test_hostile_names_do_not_reach_the_terminal(repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "odd \x1b[31m\n"
    put(folder / "x.jsonl", b"nothing\n")
    said = call(repo.path, "import", os.fspath(folder))
    assert "\x1b" not in said.stdout + said.stderr
    assert said.returncode == 1
    assert len(said.stderr.splitlines()) == 1
