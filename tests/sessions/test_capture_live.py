"""Agents at work while workers are killed: the memory has each exchange once, and whole."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.install import install
from git_skillmesh.sessions.events import Event
from git_skillmesh.sessions.reading import MemoryReader
from testing.agents import ClaudeCode, remembered
from testing.environment import TOKEN, hook_processes
from testing.memory import open_memory
from testing.repos import Repo, make_repo

Wait = Callable[[Repo], str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setenv("CHROMA_DB_IMPL", "off")
    made = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    install(discover(made.path))
    return made


def work(repo: Repo, home: Path) -> Iterator[None]:
    """Two sessions at once, a subagent, a commit by the agent, a resumed session."""
    one, two = ClaudeCode(repo, home, "one"), ClaudeCode(repo, home, "two")
    one.asked("p1", "write the lamp")
    yield
    one.edits("e1", "lamp.py", "lamp = 1\n")
    two.asked("q1", "write the switch")
    yield
    one.delegates("t1", "ab12", "look around", "seen")
    two.edits("f1", "switch.py", "switch = 1\n")
    yield
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "lamp and switch")
    one.runs("c1", "git commit -m 'lamp and switch'", f"[main {repo.head[:7]}] lamp and switch")
    yield
    one.says("a1", "The lamp is there.")
    two.says("b1", "The switch is there.")
    yield
    three = one.resumed_as("three")
    three.asked("r1", "now make it red")
    three.edits("g1", "lamp.py", "lamp = 'red'\n")
    yield
    three.says("d1", "It is red.")
    two.asked("q2", "and blue")
    two.says("b2", "It is blue.")
    yield


def expected(repo: Repo) -> dict[str, list[tuple[str, str, list[str]]]]:
    return {
        "one": [("p1", "The lamp is there.", ["call-e1", "call-t1", "call-c1"])],
        "one-ab12": [("t1-p", "seen", [])],
        "two": [("q1", "The switch is there.", ["call-f1"]), ("q2", "It is blue.", [])],
        "three": [("r1", "It is red.", ["call-g1"])],
    }


def shape(repo: Repo) -> dict[str, list[tuple[str, str, list[str]]]]:
    return {
        name: [(e.exchange_id, e.response, [c.call_id for c in e.tools]) for e in exchanges]
        for name, exchanges in remembered(repo).items()
    }


def test_each_exchange_is_there_once(repo: Repo, home: Path, wait_for_worker: Wait) -> None:
    for _ in work(repo, home):
        pass
    log = wait_for_worker(repo)
    assert "failed" not in log
    assert shape(repo) == expected(repo)
    parents = {
        s.head.session_id: s.head.parent for s in MemoryReader(discover(repo.path)).sessions()
    }
    assert parents == {"one": "", "one-ab12": "one", "two": "", "three": ""}
    (task,) = [c for e in remembered(repo)["one"] for c in e.tools if c.name == "Task"]
    (commit,) = [c for e in remembered(repo)["one"] for c in e.tools if c.commits]
    assert (task.session, commit.commits) == ("one-ab12", (repo.head[:7],))
    # Nothing that agents sent is left, and a further run finds nothing to do.
    assert list((repo.state_dir / "live").iterdir()) == []
    commits = repo.git("rev-list", "--count", "refs/skillmesh/memory")
    repo.git("commit", "--quiet", "--allow-empty", "-m", "nothing new")
    wait_for_worker(repo)
    assert repo.git("rev-list", "--count", "refs/skillmesh/memory") == commits


def test_workers_that_are_killed_lose_and_double_nothing(
    repo: Repo, home: Path, wait_for_worker: Wait
) -> None:
    chance, token = random.Random(0), os.environ[TOKEN]
    killed = 0
    for _ in work(repo, home):
        latest = time.monotonic() + 1.1  # not every step starts a worker
        while time.monotonic() < latest and not hook_processes(token):
            time.sleep(0.01)
        time.sleep(chance.choice((0.0, 0.1, 0.2, 0.4)))
        for pid in hook_processes(token):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    assert killed
    repo.git("commit", "--quiet", "--allow-empty", "-m", "at last")
    wait_for_worker(repo)
    assert shape(repo) == expected(repo)
    assert list((repo.state_dir / "live").iterdir()) == []


def test_what_is_stored_is_what_an_import_of_the_end_stores(
    repo: Repo, home: Path, wait_for_worker: Wait
) -> None:
    """Captured step by step, while caches are deleted now and then."""
    for number, _ in enumerate(work(repo, home)):
        wait_for_worker(repo)
        if number in (2, 4):
            for path in repo.state_dir.glob("capture.db*"):
                path.unlink()
    assert shape(repo) == expected(repo)
    captured = remembered(repo)
    repo.git("update-ref", "-d", "refs/skillmesh/memory")
    done = repo.skillmesh("import", "claude-code")
    assert (done.returncode, done.stderr) == (0, "")
    assert remembered(repo) == captured


def test_a_fork_does_not_bring_back_what_was_forgotten(
    repo: Repo, home: Path, wait_for_worker: Wait
) -> None:
    one = ClaudeCode(repo, home, "one")
    one.asked("p1", "a secret plan")
    one.says("a1", "Very well.")
    wait_for_worker(repo)
    open_memory(repo).append_events("one", [Event("status", "analyzed", "p1")])
    open_memory(repo).forget("one")
    two = one.resumed_as("two")
    one.path.unlink()
    two.asked("p2", "something else")
    two.says("a2", "Done.")
    wait_for_worker(repo)
    assert shape(repo) == {"two": [("p2", "Done.", [])]}
