"""The hermetic seal: every test, and every process it starts, sees only what the test made."""

import gc
import itertools
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import testing.examples  # noqa: F401  # `--hypothesis-profile` looks for it before any test is read
from testing.chroma_server import ChromaServer
from testing.environment import (
    TOKEN,
    newest_process,
    processes_started,
    sealed,
    stop_hooks,
    wait_for_hooks,
)
from testing.repos import Repo
from testing.warm import COLD, Warm

# As the program does it for itself: threads that wait for work cost more than the work.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
_OUTSIDE = dict(os.environ)
_NUMBERS = itertools.count()
_SERVED = pytest.StashKey[str]()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without looking for garbage among them, then and later: they all stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def sealed_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Seal the environment for fixtures that outlive a single test."""
    home = tmp_path_factory.mktemp("session") / "home"
    # Whoever starts the tests in the background has Ctrl-C ignored, and programs inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        _seal(patch, sealed(_OUTSIDE, home))
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Of several processes that run tests, let all fork from the same warm ones: loaded once."""
    if _OUTSIDE.get(COLD) or not Warm.possible():
        return
    config: pytest.Config = node.config
    if _SERVED not in config.stash:
        folder = Path(tempfile.mkdtemp(prefix="skillmesh-warm-"))
        made = Warm(folder)
        made.serve(sealed(_OUTSIDE, folder / "home"))
        config.stash[_SERVED] = os.fspath(folder)
        config.add_cleanup(made.stop)
    node.workerinput["warm"] = config.stash[_SERVED]


@pytest.fixture(scope="session", autouse=True)
def warm(
    sealed_session: None, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Warm]:
    """Let processes of the program start warm; with SKILLMESH_COLD_START=1 all start cold."""
    served = getattr(request.config, "workerinput", {}).get("warm")
    made = Warm(tmp_path_factory.mktemp("warm"), Path(served) if served else None)
    if _OUTSIDE.get(COLD) or not made.possible():
        yield made
        return
    made.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", made.python)
        yield made
    made.stop()


@pytest.fixture(scope="session")
def server(
    sealed_session: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ChromaServer]:
    """One Chroma server for all tests, which starts when it is first asked for and stays up.

    Each test uses a database, or at least ids of repositories, of its own.
    """
    made = ChromaServer(tmp_path_factory.mktemp("chroma-server"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def cold_start(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start processes as for a user: for tests of signals, of imports, of the start itself."""
    monkeypatch.setattr(sys, "executable", warm.real)


def _seal(patch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in set(os.environ) - set(environment) - {"PYTEST_CURRENT_TEST", "PYTEST_VERSION"}:
        patch.delenv(name)
    for name, value in environment.items():
        if os.environ.get(name) != value:
            patch.setenv(name, value)


@pytest.fixture(autouse=True)
def hermetic(
    sealed_session: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Give each test a home of its own and a token that names the processes it starts."""
    token = f"{os.getpid()}-{next(_NUMBERS)}"
    before, newest = processes_started(), newest_process()
    home = tmp_path_factory.getbasetemp() / f"seal{token}" / "home"
    _seal(monkeypatch, {**sealed(_OUTSIDE, home), TOKEN: token})
    yield token
    if processes_started() != before:
        stop_hooks(token, newest)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pytest's, without its search for a free number among the folders of thousands of tests."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    folder = tmp_path_factory.getbasetemp() / f"{name}-{next(_NUMBERS)}"
    folder.mkdir(0o700)
    return folder


@pytest.fixture
def home(hermetic: str) -> Path:
    """The home folder of this test."""
    return Path(os.environ["HOME"])


@pytest.fixture
def wait_for_worker(hermetic: str) -> Callable[[Repo], str]:
    """Return a function that waits until all background work is over; it returns the log."""

    def wait(repo: Repo) -> str:
        wait_for_hooks(hermetic)
        log = repo.state_dir / "log" / "worker.log"
        return log.read_text() if log.is_file() else ""

    return wait
