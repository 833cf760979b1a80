"""The worker: requests, lock, quiet period, log, and what remains of a failure."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from git_skillmesh.errors import last_error
from git_skillmesh.hooks import worker
from git_skillmesh.hooks.install import Report
from git_skillmesh.hooks.main import worker_command
from git_skillmesh.hooks.worker import Desk
from git_skillmesh.index.store import Store
from testing.environment import hook_processes
from testing.repos import Repo, make_repo

Install = Callable[[Repo], Report]
Runs = Callable[[Repo], list[Path]]
Wait = Callable[[Repo], str]

QUIET, PATIENCE = 0.3, 2.0  # what the worker promises; were it to wait for less, a test would fail


def start_worker(repo: Repo) -> "subprocess.Popen[bytes]":
    """Start a worker as a shim does, but keep hold of it."""
    return subprocess.Popen(worker_command("post-commit"), cwd=repo.path)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_many_quick_commits_make_one_or_two_runs(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    with watched(repo.state_dir / "requests") as times:
        for number in range(12):
            repo.git("commit", "--quiet", "--allow-empty", "-m", f"commit {number}")
        served = runs(repo)
    assert set(served) == {repo.path}
    # On a machine so slow that the requests come late, the worker finds quiet moments between
    # them, or its patience ends.
    came = sorted(times)
    pauses = sum(after - before >= QUIET for before, after in pairwise(came))
    assert len(served) <= 2 + pauses + (came[-1] - came[0]) // PATIENCE


@contextmanager
def watched(folder: Path) -> Iterator[set[float]]:
    """Note when requests came, while the block lasts."""
    times: set[float] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            with suppress(FileNotFoundError):  # none yet, or taken up between two looks
                times.update(path.stat().st_mtime for path in folder.iterdir())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()


def test_two_worktrees_that_commit_at_the_same_moment_are_both_served(
    tmp_path: Path, install_hooks: Install, runs: Runs
) -> None:
    main = make_repo(tmp_path, files={"a.txt": "1\n"})
    linked = main.worktree(tmp_path / "linked", "topic")
    install_hooks(main)
    commit = ["git", "commit", "--quiet", "--allow-empty", "-m", "now"]
    both = [subprocess.Popen(commit, cwd=repo.path) for repo in (main, linked)]
    assert [process.wait() for process in both] == [0, 0]
    assert sorted(runs(main)) == sorted([main.path, linked.path])


@pytest.mark.usefixtures("cold_start")  # a forked one outlives its shadow for a moment
def test_a_killed_worker_leaves_its_work_to_the_next(
    tmp_path: Path, install_hooks: Install, runs: Runs, hermetic: str
) -> None:
    main = make_repo(tmp_path, files={"a.txt": "1\n"})
    linked = main.worktree(tmp_path / "linked", "topic")
    install_hooks(main)
    requests = main.state_dir / "requests"
    with Store(main.opened()).writing(10):  # so that it cannot end before it is killed
        linked.git("commit", "--quiet", "--allow-empty", "-m", "not served")
        until(lambda: requests.is_dir() and any(path.name[0] != "." for path in requests.iterdir()))
        for pid in hook_processes(hermetic):
            os.kill(pid, signal.SIGKILL)
        begun = runs(main)
    assert begun in ([], [linked.path])
    main.git("commit", "--quiet", "--allow-empty", "-m", "served")
    assert sorted(runs(main)[len(begun) :]) == sorted([main.path, linked.path])
    assert list(requests.iterdir()) == []


def test_a_request_that_was_in_work_when_its_worker_died_is_served_again(
    tmp_path: Path, runs: Runs
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    gone = tmp_path / "removed worktree"
    desk = Desk(repo.state_dir)
    for folder in (repo.path, gone):
        desk.request(folder)
    for path in list(desk.requests.iterdir()):
        path.rename(f"{path}.running")
    linked = repo.worktree(tmp_path / "linked", "topic")
    assert start_worker(linked).wait() == 0
    assert sorted(runs(repo)) == sorted([repo.path, linked.path])
    assert f"run {os.fspath(gone)!r} skipped: the folder is gone\n" in desk.log_path.read_text()
    assert list(desk.requests.iterdir()) == []


def test_a_worker_beside_another_leaves_a_request_and_ends(tmp_path: Path, runs: Runs) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    desk = Desk(repo.state_dir)
    with hold(desk):
        assert start_worker(repo).wait() == 0
        assert len(list(desk.requests.iterdir())) == 1
        assert runs(repo) == []
    assert start_worker(repo).wait() == 0
    assert runs(repo) == [repo.path]


def hold(desk: Desk) -> AbstractContextManager[bool]:
    desk.state.mkdir(parents=True, exist_ok=True)
    return desk._lock()


def test_a_request_that_comes_during_a_run_is_served_after_it(tmp_path: Path, runs: Runs) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    first = start_worker(repo)
    desk = Desk(repo.state_dir)
    until(lambda: desk.log_path.is_file() and " begin" in desk.log_path.read_text())
    second = start_worker(repo)
    assert (first.wait(), second.wait()) == (0, 0)
    assert runs(repo) == [repo.path, repo.path]


def test_no_request_is_ever_lost(tmp_path: Path, runs: Runs) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    trees = [repo.worktree(tmp_path / f"tree{number}", f"b{number}") for number in range(4)]
    workers = []
    for number in range(12):
        workers.append(start_worker(trees[number % 4]))
        time.sleep(0.06)
    assert {process.wait() for process in workers} == {0}
    assert set(runs(repo)) == {tree.path for tree in trees}
    assert list((repo.state_dir / "requests").iterdir()) == []


def test_a_failure_is_logged_and_recorded_until_a_run_succeeds(
    tmp_path: Path, install_hooks: Install, wait_for_worker: Wait
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    install_hooks(repo)
    # A configuration that cannot be used is the user's mistake, and the commit passes.
    repo.git("config", "skillmesh.index.jobs", "many")
    said = repo.run("commit", "--quiet", "--allow-empty", "-m", "x")
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    log = wait_for_worker(repo)
    assert f"run {os.fspath(repo.path)!r} failed: " in log
    assert "Traceback (most recent call last):" in log
    error = last_error(repo.state_dir)
    assert error is not None
    assert error["where"] == os.fspath(repo.path)
    assert "index.jobs" in error["what"]
    assert error["what"] in log
    repo.git("config", "--unset", "skillmesh.index.jobs")
    repo.git("commit", "--quiet", "--allow-empty", "-m", "y")
    assert " end after " in wait_for_worker(repo)
    assert last_error(repo.state_dir) is None


def test_a_success_elsewhere_does_not_hide_a_failure(tmp_path: Path, wait_for_worker: Wait) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    broken, gone = tmp_path / "broken", tmp_path / "gone"
    broken.mkdir()
    for where, kept in ((broken, True), (gone, False)):
        record = {"time": "2024-03-01T12:00:00Z", "what": "no luck", "where": os.fspath(where)}
        repo.state_dir.mkdir(exist_ok=True)
        (repo.state_dir / "last-error.json").write_text(json.dumps(record))
        assert start_worker(repo).wait() == 0
        assert " end after " in wait_for_worker(repo)
        assert last_error(repo.state_dir) == (record if kept else None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"time": 1}', "\x00"])
def test_a_damaged_record_of_an_error_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "last-error.json").write_text(content)
    assert last_error(tmp_path) is None


def test_the_log_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LOG_BYTES", 1000)
    desk = Desk(tmp_path)
    desk.request(tmp_path)
    for number in range(200):
        desk.log(f"line {number} \udcff\n  and a second")
    names = sorted(path.name for path in desk.log_path.parent.iterdir())
    assert names == ["worker.log", "worker.log.1"]
    assert all(path.stat().st_size < 1200 for path in desk.log_path.parent.iterdir())
    assert desk.log_path.read_text().endswith("line 199 \\udcff\n  and a second\n")


def test_nothing_of_the_commit_leaks_into_the_work(
    tmp_path: Path, runs: Runs, wait_for_worker: Wait
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    lying = {
        "GIT_INDEX_FILE": ".git/next-index-1.lock",
        "GIT_PREFIX": "deep/",
        "GIT_OBJECT_DIRECTORY": "/nonexistent",
    }
    process = subprocess.Popen(
        worker_command("post-commit"), cwd=repo.path, env={**os.environ, **lying}
    )
    assert process.wait() == 0
    assert runs(repo) == [repo.path]
    assert " end after " in wait_for_worker(repo)


def test_the_log_keeps_what_log_level_says(tmp_path: Path, wait_for_worker: Wait) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repo.git("config", "skillmesh.log.level", "error")
    assert start_worker(repo).wait() == 0
    assert wait_for_worker(repo) == ""
    repo.git("config", "skillmesh.index.maxbytes", "lots")
    assert start_worker(repo).wait() == 0
    (line,) = [line for line in wait_for_worker(repo).splitlines() if " failed: " in line]
    assert line.endswith(
        "failed: index.maxbytes is 'lots' in git config: it must be a whole number"
    )
