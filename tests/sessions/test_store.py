"""Storing sessions: what the tree holds, what a second import adds, who may write at once."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from git_skillmesh.errors import Busy, Damaged, UsageError
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.events import Event, Status, statuses
from git_skillmesh.sessions.layout import key_of
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.store import MemoryStore, Written
from testing.environment import GIT_CONFIG
from testing.memory import make_exchange, make_session, open_memory, texts_of, tree_of
from testing.repos import Repo, make_repo
from testing.rights import read_only

REF = "refs/skillmesh/memory"
FOLDER = "sessions/3/e/3e23e8160039594a33894f6564e1b134"


def blobs_written(repo: Repo) -> dict[str, str]:
    """Return blob → text of everything that any commit of the ref ever had."""
    lines = repo.git("rev-list", "--objects", REF).splitlines()
    ids = [line.split(" ")[0] for line in lines if line.endswith((".json", ".jsonl"))]
    return dict(zip(ids, texts_of(repo, ids), strict=True))


def test_the_tree_of_one_session(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    exchange = make_exchange(1, calls=1, owner="b")
    session = Session("b", "claude-code", (exchange,), "A title", "src", "main", "", "/h/x.jsonl")
    assert memory.add([session]) == Written(new=("b",))
    name = f"{FOLDER}/exchanges/0001-3e499e752620c6a9-c747490f9b3f99fa.jsonl"
    text = {
        "exchange_id": "b-1",
        "prompt": "change 1",
        "response": "done",
        "started": "2024-03-01T12:01:00Z",
        "ended": "2024-03-01T12:01:59Z",
        "model": "m-1",
    }
    call = {
        "position": 0,
        "call_id": "b-1-0",
        "name": "Edit",
        "act": "edit",
        "input": '{"file": "src/f0.py"}',
        "output": "edited 0 of b",
        "time": "2024-03-01T12:01:00Z",
        "paths": ["src/f0.py"],
        "edits": [{"path": "src/f0.py", "before": "x = 1\n", "after": "x = 1 + 0\n"}],
    }
    found = tree_of(repo)
    assert found == {
        name: "\n".join(json.dumps(line, separators=(",", ":")) for line in (text, call)),
        f"{FOLDER}/session.json": """\
{
 "schema": 1,
 "session_id": "b",
 "agent": "claude-code",
 "title": "A title",
 "directory": "src",
 "branch": "main",
 "started": "2024-03-01T12:01:00Z",
 "ended": "2024-03-01T12:01:59Z",
 "revision": 1
}""",
    }
    assert memory.session("b") == replace(session, source="")
    assert memory.exchange("b-1") == memory.exchange("b-1", "b") == exchange
    assert repo.git("log", "--format=%an <%ae>|%cn|%s", REF) == (
        "git skillmesh <git-skillmesh@localhost>|git skillmesh|sessions: 1 new"
    )


def test_a_second_import_of_the_same_writes_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    sessions = [make_session("a"), make_session("b", 2), Session("empty", "codex", ())]
    assert memory.add(sessions) == Written(new=("a", "b"))
    tip = repo.git("rev-parse", REF)
    objects = repo.git("count-objects", "-v")
    assert memory.add(sessions) == Written(unchanged=("a", "b"))
    assert memory.add([]) == Written()
    assert repo.git("rev-parse", REF) == tip
    assert repo.git("count-objects", "-v") == objects


def test_a_grown_session_adds_only_what_is_new(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    memory.add([make_session("s", 2)])
    before = tree_of(repo)
    assert memory.add([make_session("s", 3), make_session("t", 1)]) == Written(("t",), ("s",))
    after = tree_of(repo)
    head = f"sessions/{key_of('s')[0]}/{key_of('s')[1]}/{key_of('s')}/session.json"
    kept = {path: text for path, text in before.items() if path != head}
    assert kept.items() <= after.items()
    assert len(after) == len(before) + 1 + 2
    assert memory.session("s") == make_session("s", 3)


def test_just_the_new_exchanges_go_behind_the_stored_ones(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    whole = make_session("s", 5)
    memory.add([replace(whole, exchanges=whole.exchanges[:2])])
    memory.add([replace(whole, exchanges=whole.exchanges[2:4])])
    memory.add([replace(whole, exchanges=whole.exchanges[3:])])
    assert memory.session("s") == whole
    assert memory.add([whole]) == Written(unchanged=("s",))
    assert list(memory.exchanges("s")) == list(whole.exchanges)


def test_a_growing_exchange_stores_each_byte_once(tmp_path: Path) -> None:
    """Imported after every tool call, as a hook at each commit of a long run would."""
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    whole = make_exchange(1, calls=12, response="".join(f"<said {n:03}>" for n in range(12)))
    for count in range(1, 13):
        calls = list(whole.tools[:count])
        if count % 2:  # the last call has no answer yet
            calls[-1] = replace(calls[-1], output="")
        part = replace(whole, tools=tuple(calls), response=whole.response[: count * 10])
        memory.add([Session("s", "codex", (part,))])
        assert list(memory.exchanges("s")) == [part]
    memory.add([Session("s", "codex", (whole,))])
    assert memory.session("s").exchanges == (whole,)
    stored = "".join(blobs_written(repo).values())
    for number in range(12):
        assert stored.count(f"<said {number:03}>") == 1
        assert stored.count(f"edited {number} of s") == 1
        assert stored.count(f"x = 1 + {number}\\n") == 1


def test_an_older_view_of_a_session_takes_nothing_away(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    whole = make_session("s", 3)
    memory.add([whole])
    shorter = replace(whole.exchanges[0], response="do", tools=whole.exchanges[0].tools[:1])
    old = replace(whole, exchanges=(shorter,), title="Old title", branch="")
    assert memory.add([old]) == Written(unchanged=("s",))
    assert memory.session("s") == whole


def test_a_new_title_is_a_new_revision(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    memory.add([make_session("s", title="first")])
    assert memory.add([make_session("s", title="better")]) == Written(grown=("s",))
    assert (memory.head("s").title, memory.head("s").revision) == ("better", 2)
    assert memory.add([make_session("s", title="")]) == Written(unchanged=("s",))


def test_odd_contents_come_back(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    texts = ("", "\0\x1b[31m\u2028\u00e9\U0001f600", "\ud800 half a pair", "x\r\ny\n", '"\\{')
    exchanges = tuple(
        replace(make_exchange(n, owner=text), prompt=text, response=text)
        for n, text in enumerate(texts)
    )
    session = Session("../\u00e9 /x\n", "my agent", exchanges, title="\ud800\u2028")
    assert memory.add([session]) == Written(new=(session.session_id,))
    assert memory.session(session.session_id) == session
    assert memory.add([session]) == Written(unchanged=(session.session_id,))


def test_two_exchanges_of_one_name_are_both_kept(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    one, two = make_exchange(1), replace(make_exchange(2), exchange_id="s-1")
    session = Session("s", "codex", (one, two))
    memory.add([session])
    assert memory.session("s").exchanges == (one, replace(two, exchange_id="s-1~2"))
    assert memory.add([session]) == Written(unchanged=("s",))


def test_redaction_stands_at_the_door(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)

    def redact(exchange: Exchange) -> Exchange:
        def clean(text: str) -> str:
            return text.replace("hunter2", "[gone]")

        return replace(
            exchange, prompt=clean(exchange.prompt), response=clean(exchange.response),
            exchange_id="[gone]",
        )  # fmt: skip

    memory = MemoryStore(discover(repo.path), redact)
    exchange = Exchange("e1", "my password is hunter2", "hunter2, I see")
    memory.add([Session("s", "codex", (exchange,), "use hunter2", "/h/hunter2", "hunter2")])
    assert "hunter2" not in "".join(blobs_written(repo).values())
    assert memory.session("s") == Session(
        "s", "codex", (Exchange("e1", "my password is [gone]", "[gone], I see"),),
        "use [gone]", "/h/[gone]", "[gone]",
    )  # fmt: skip


def test_sessions_are_listed_by_time(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    assert memory.sessions() == ()
    memory.add([make_session("late", 5), make_session("early", 1), make_session("mid", 2)])
    assert [(s.head.session_id, s.exchanges) for s in memory.sessions()] == [
        ("early", 1), ("mid", 2), ("late", 5),
    ]  # fmt: skip


def test_what_is_not_there_is_a_mistake_with_a_name(tmp_path: Path) -> None:
    memory = open_memory(make_repo(tmp_path))
    for ask in (memory.session, memory.head, memory.events, memory.forget):
        with pytest.raises(UsageError, match="no such session: x"):
            ask("x")
    with pytest.raises(UsageError, match="no such session: x"):
        memory.append_event("x", Event("status", "analyzed"))
    memory.add([make_session("s")])
    with pytest.raises(UsageError, match="no such exchange: s-9"):
        memory.exchange("s-9")
    with pytest.raises(UsageError, match="session s has no exchange s-9"):
        memory.exchange("s-9", "s")


def test_events_are_added_and_read_back(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    memory.add([make_session("b")])
    analyzed = Event("status", "analyzed", "b-1", "2024-03-02T00:00:00Z")
    confidence = Event("confidence", 0.75, "b-2", "2024-03-01T00:00:00Z")
    memory.append_events("b", [analyzed, confidence, analyzed])
    memory.append_events("b", [])
    memory.append_event("b", analyzed)
    assert memory.events("b") == (confidence, analyzed)
    assert memory.all_events() == {key_of("b"): (confidence, analyzed)}
    assert statuses(memory.events("b")) == {"b-1": Status.ANALYZED}
    files = {path: text for path, text in tree_of(repo).items() if "/events/" in path}
    assert sorted(path.rpartition("/")[2][:15] for path in files) == ["20240302000000-"] * 2
    assert memory.add([make_session("b")]) == Written(unchanged=("b",))


def test_a_damaged_session_is_named_and_hides_no_other(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    memory.add([make_session("a", 1), make_session("b", 1)])
    index = {"GIT_INDEX_FILE": os.fspath(tmp_path / "index")}
    repo.git("read-tree", REF, env=index)
    name = next(name for name in tree_of(repo) if name.startswith(f"{FOLDER}/exchanges/"))
    blob = repo.git("hash-object", "-w", "--stdin", stdin="not json\n")
    repo.git("update-index", "--cacheinfo", f"100644,{blob},{name}", env=index)
    tree = repo.git("write-tree", env=index)
    repo.git("update-ref", REF, repo.git("commit-tree", tree, "-p", REF, "-m", "damage"))
    with pytest.raises(Damaged, match=r"0001-3e499e752620c6a9-\w+\.jsonl cannot be read"):
        memory.session("b")
    assert memory.session("a") == make_session("a", 1)
    assert len(memory.sessions()) == 2
    blob = repo.git("hash-object", "-w", "--stdin", stdin='{"session_id": "a"}\n')
    repo.git("update-index", "--cacheinfo", f"100644,{blob},{FOLDER}/session.json", env=index)
    tree = repo.git("write-tree", env=index)
    repo.git("update-ref", REF, repo.git("commit-tree", tree, "-p", REF, "-m", "another id"))
    assert [found.head.session_id for found in memory.sessions()] == ["a"]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("kind", ["bare", "worktree", "shallow", "plain"])
def test_kinds_of_repositories(tmp_path: Path, object_format: str, kind: str) -> None:
    repo = make_repo(tmp_path, "first", object_format=object_format, files={"a": "1\n"})
    repo.commit("second", {"a": "2\n"})
    if kind == "bare":
        repo = make_repo(tmp_path, "bare", bare=True, object_format=object_format)
    elif kind == "shallow":
        repo = repo.clone(tmp_path / "shallow", "--depth=1")
    elif kind == "worktree":
        main, repo = repo, repo.worktree(tmp_path / "linked", "other")
    memory = open_memory(repo)
    memory.add([make_session(f"s{n}") for n in range(40)])
    memory.add([make_session("s1", 4)])
    memory.forget("s2")
    assert memory.session("s1") == make_session("s1", 4)
    assert len(memory.sessions()) == 39
    repo.git("fsck", "--strict", "--no-dangling")
    if kind == "worktree":
        assert open_memory(main).session("s1") == make_session("s1", 4)
        assert main.git("status", "--porcelain") == repo.git("status", "--porcelain") == ""


def test_a_configuration_full_of_obstacles(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    for name in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL", "DATE"):
            monkeypatch.delenv(f"GIT_{name}_{part}", raising=False)
    (home / ".gitconfig").write_text(
        GIT_CONFIG + "[user]\n\tuseConfigOnly = true\n\tsigningKey = nobody\n"
        "[gpg]\n\tprogram = false\n"
        "[commit]\n\tgpgSign = true\n\ttemplate = /nowhere\n[core]\n\tlogAllRefUpdates = always\n"
        "\tautocrlf = true\n\tcompression = 9\n[i18n]\n\tcommitEncoding = latin1\n"
        "[transfer]\n\tfsckObjects = true\n\tunpackLimit = 1\n[receive]\n\tdenyDeletes = true\n"
    )  # fmt: skip
    marks = tmp_path / "hook-ran"
    for hook in ("reference-transaction", "pre-commit", "post-commit", "post-rewrite"):
        repo.hook(hook, f"#!/bin/sh\necho {hook} >> '{marks}'\nexit 1\n")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index.lock")
    memory = open_memory(repo)
    memory.add([make_session("s"), make_session("t")])
    memory.append_event("s", Event("status", "analyzed", "s-1"))
    memory.forget("t")
    assert [found.head.session_id for found in memory.sessions()] == ["s"]
    assert not marks.exists()
    assert repo.git("log", "--format=%G?%cn", REF) == "\n".join(["Ngit skillmesh"] * 3)
    assert repo.git("reflog", "show", REF) == ""


def test_git_gc_takes_nothing_that_is_stored(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    memory.add([make_session("s"), make_session("t")])
    memory.add([make_session("s", 4)])
    before = tree_of(repo)
    repo.git("gc", "--quiet", "--prune=now")
    repo.git("prune", "--expire=now")
    assert tree_of(repo) == before
    assert memory.add([make_session("s", 5)]) == Written(grown=("s",))
    assert memory.session("s") == make_session("s", 5)


ROOT = Path(__file__).parents[2]
FORKED = multiprocessing.get_context("fork")  # a process of its own, without loading all again


class Writer:
    """A process that adds one session after the other and says so each time."""

    def __init__(self, repo: Repo, name: str, sessions: int) -> None:
        self._said, says = FORKED.Pipe(duplex=False)
        self._process = FORKED.Process(target=self._add, args=(repo, name, sessions, says))
        self._process.start()
        says.close()

    @staticmethod
    def _add(repo: Repo, name: str, sessions: int, says: Connection) -> None:
        memory = open_memory(repo)
        for number in range(sessions):
            memory.add([make_session(f"{name}{number}", 2), make_session("shared", number + 1)])
            says.send(f"{name}{number}")

    def next(self) -> str:
        """Wait for the next session, "" when it has ended."""
        try:
            said: str = self._said.recv()
        except EOFError:
            return ""
        return said

    def kill(self) -> None:
        """Kill it, whatever it does."""
        self._process.kill()

    def end(self) -> int:
        """Wait for its end, and return how it ended."""
        self._process.join(100)
        code = self._process.exitcode
        assert code is not None
        return code


def test_several_processes_lose_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    writers = [Writer(repo, name, 6) for name in "abcd"]
    assert [writer.end() for writer in writers] == [0] * 4
    memory = open_memory(repo)
    names = {found.head.session_id for found in memory.sessions()}
    assert names == {f"{name}{number}" for name in "abcd" for number in range(6)} | {"shared"}
    assert memory.session("shared") == make_session("shared", 6)
    for name in names - {"shared"}:
        assert memory.session(name) == make_session(name, 2)
    repo.git("fsck", "--strict", "--no-dangling")


def test_forgetting_and_packing_while_others_write(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    memory.add([make_session("shared", 1)])
    writers = [Writer(repo, name, 6) for name in "ab"]
    assert [writer.next() for writer in writers] == ["a0", "b0"]
    assert memory.forget("shared").sessions == ("shared",)
    repo.git("gc", "--quiet")
    assert [writer.end() for writer in writers] == [0, 0]
    names = {found.head.session_id for found in memory.sessions()}
    assert names == {f"{name}{number}" for name in "ab" for number in range(6)}
    assert key_of("shared") + "/" not in repo.git("rev-list", "--objects", REF)
    repo.git("fsck", "--strict", "--no-dangling")


def test_a_process_that_is_killed_loses_only_what_it_had_not_said(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    said: set[str] = set()
    for turn in range(5):
        writer = Writer(repo, f"k{turn}-", 500)
        said.add(writer.next())
        time.sleep(0.015 * turn)
        writer.kill()
        while more := writer.next():
            said.add(more)
        assert writer.end() == -signal.SIGKILL
    repo.git("fsck", "--strict", "--no-dangling")
    memory = open_memory(repo)
    names = {found.head.session_id for found in memory.sessions()}
    assert len(said) >= 5
    assert said <= names
    for name in names - {"shared"}:
        assert memory.session(name) == make_session(name, 2)
    assert memory.add([make_session("after")]) == Written(new=("after",))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("git_skillmesh.git.refs._PATIENCE_SECONDS", 0.2)


def test_a_lock_that_stays_is_named(tmp_path: Path, impatient: None) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    memory.add([make_session("s")])
    lock = repo.git_dir / "refs" / "skillmesh" / "memory.lock"
    lock.touch()
    with pytest.raises(Busy, match="another process keeps refs/skillmesh/memory"):
        memory.add([make_session("t")])
    lock.unlink()
    assert memory.add([make_session("t")]) == Written(new=("t",))


_ADD_ONE = """
import sys
from pathlib import Path
from git_skillmesh.errors import ReadOnly
from testing.memory import make_session, open_memory
from testing.repos import Repo
from testing.rights import respect_permissions
respect_permissions()
memory = open_memory(Repo(Path(sys.argv[1])))
try:
    memory.add([make_session("t")])
except ReadOnly as error:
    print(type(error).__name__, error.what)
print(len(memory.sessions()))
"""


def test_a_read_only_repository_is_named_and_can_be_read(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    open_memory(repo).add([make_session("s")])
    with read_only(repo.git_dir):
        done = subprocess.run(
            [sys.executable, "-c", _ADD_ONE, os.fspath(repo.path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(("src", "."))},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == "ReadOnly git cannot write to the repository\n1\n"


def test_a_large_session_is_stored_with_bounded_memory(tmp_path: Path) -> None:
    def exchanges() -> Iterator[Exchange]:
        for number in range(40):
            yield replace(make_exchange(number), response=f"{number} said. " * 100_000)

    memory = open_memory(make_repo(tmp_path))
    sessions = (Session(f"s{e.exchange_id}", "codex", (e,)) for e in exchanges())
    tracemalloc.start()
    assert len(memory.add(sessions).new) == 40
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15_000_000  # of 35 MB
    assert (
        sum(len(e.response) for n in range(40) for e in memory.exchanges(f"ss-{n}")) == 35_000_000
    )
