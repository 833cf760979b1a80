"""Ctrl-C and kill -9 in the middle of a run of several processes: the index stays usable."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from testing.commands import call
from testing.indexing import documents, dump
from testing.repos import Repo, make_repo

pytestmark = pytest.mark.usefixtures("cold_start")  # signals meet a process as a user starts it

FILES = 1_001  # 400 a batch, and a third that waits, with more than a query reads by itself
QUERIES = ("handler_77", "answer the request with a number", "class Model993")
ALONE = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "skillmesh.index.jobs",
         "GIT_CONFIG_VALUE_0": "1"}  # fmt: skip
# The third process that reads blobs waits until somebody opens the gate; the others go on.
GIT = """\
#!/bin/sh
case "$*" in
*"cat-file --batch "*|*"cat-file --batch")
    until mkdir "{here}/reader.${{n:=1}}" 2> /dev/null; do n=$((n + 1)); done
    test $n != 3 || read -r opened < "{here}/gate" ;;
esac
exec {git} "$@"
"""


@pytest.fixture(scope="module")
def large(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository whose first index takes several processes."""
    repo = make_repo(tmp_path_factory.mktemp("large"))
    repo.commit(
        "first",
        {
            f"p{n % 17}/m{n}.py": f"class Model{n}:\n    def handler_{n}(self, request):\n"
            f'        """Answer number {n}."""\n        return request + {n}\n'
            for n in range(FILES)
        },
    )
    return repo


@pytest.fixture(scope="module")
def from_scratch(large: Repo) -> tuple[list[tuple[object, ...]], list[dict[str, object]]]:
    """What an index made in one go, by one process, holds and answers."""
    said = call(large.path, "index", "--chroma", "off", "-q", env=ALONE)
    assert (said.returncode, said.stderr) == (0, "")
    found = dump(large), documents(large, *QUERIES)
    shutil.rmtree(large.state_dir)
    return found


def heed_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Gate:
    """A folder for PATH with a git whose third reader of blobs waits here."""

    folder: Path
    pipe: int

    def open(self) -> None:
        """Let it go on, whether it has come already or comes later."""
        os.write(self.pipe, b"open\n")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    (tmp_path / "git").write_text(GIT.format(here=tmp_path, git=shutil.which("git")))
    (tmp_path / "git").chmod(0o755)
    os.mkfifo(tmp_path / "gate")
    made = Gate(tmp_path, os.open(tmp_path / "gate", os.O_RDWR))
    yield made
    os.close(made.pipe)


@pytest.fixture
def running(large: Repo, gate: Gate) -> Iterator[subprocess.Popen[bytes]]:
    """An index run in mid-work: of its three batches the catalogue has some, one is being read."""
    process = subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", "index", "--chroma", "off"],
        cwd=large.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, **ALONE, "GIT_CONFIG_VALUE_0": "2",
             "PATH": f"{gate.folder}:{os.environ['PATH']}"},
        preexec_fn=heed_interrupts,
    )  # fmt: skip
    wait_until(lambda: files_in_catalogue(large) > 0 and (gate.folder / "reader.3").exists())
    assert process.poll() is None
    yield process
    gate.open()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    shutil.rmtree(large.state_dir, ignore_errors=True)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def files_in_catalogue(repo: Repo) -> int:
    path = repo.state_dir / "index" / "catalogue.db"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM files").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0


def children(pid: int) -> list[int]:
    """Return the processes that build batches for the run `pid`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid and b"spawn_main" in command:
            found.append(int(entry.name))
    return found


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}/cmdline").exists() and
                   Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)  # fmt: skip


def check_usable_then_finish(
    large: Repo, from_scratch: tuple[list[tuple[object, ...]], list[dict[str, object]]]
) -> None:
    said = call(large.path, "query", "handler_77")
    assert said.returncode in (0, 1)
    assert "Traceback" not in said.stderr
    behind = json.loads(call(large.path, "status", "--json").stdout)["index"]["behind"]
    assert 0 < behind < FILES
    rest = json.loads(call(large.path, "index", "--chroma", "off", "--json", env=ALONE).stdout)
    assert 0 < rest["files_read"] <= behind
    assert (dump(large), documents(large, *QUERIES)) == from_scratch
    assert json.loads(call(large.path, "doctor", "--json").stdout)["ok"]
    folder = large.state_dir / "index" / "segments"
    assert [path.name for path in folder.iterdir() if not path.name[0].isdigit()] == []


def test_ctrl_c(
    large: Repo,
    from_scratch: tuple[list[tuple[object, ...]], list[dict[str, object]]],
    running: "subprocess.Popen[bytes]",
    gate: Gate,
) -> None:
    workers = children(running.pid)
    assert workers
    os.killpg(running.pid, signal.SIGINT)  # what a terminal sends: to all of them
    gate.open()
    out, errors = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, b"")
    assert errors.endswith(b"git-skillmesh: interrupted; run it again to go on\n")
    assert gone(workers)
    check_usable_then_finish(large, from_scratch)


def test_kill_9(
    large: Repo,
    from_scratch: tuple[list[tuple[object, ...]], list[dict[str, object]]],
    running: "subprocess.Popen[bytes]",
) -> None:
    workers = children(running.pid)
    assert workers
    running.kill()
    running.communicate(timeout=60)
    wait_until(lambda: gone(workers), 20)
    check_usable_then_finish(large, from_scratch)


def test_a_killed_worker_does_not_stop_the_run(
    large: Repo,
    from_scratch: tuple[list[tuple[object, ...]], list[dict[str, object]]],
    running: "subprocess.Popen[bytes]",
) -> None:
    workers = children(running.pid)
    assert workers
    os.kill(workers[0], signal.SIGKILL)
    out, errors = running.communicate(timeout=60)
    assert (running.returncode, out) == (0, b"")
    assert errors.startswith(f"indexed {FILES:,} files, ".encode())
    assert errors.count(b"\n") == 1
    assert (dump(large), documents(large, *QUERIES)) == from_scratch


def test_ctrl_c_while_the_workers_start(large: Repo) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", "index", "--chroma", "off"],
        cwd=large.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=heed_interrupts,
    )  # fmt: skip
    wait_until(lambda: bool(children(process.pid)))
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    shutil.rmtree(large.state_dir, ignore_errors=True)
    assert (process.returncode, out) == (130, b"")
    assert errors.endswith(b"git-skillmesh: interrupted; run it again to go on\n")
