"""The hermetic seal: every test, and every process it starts, sees only what the test made."""

import itertools
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import testing.examples  # noqa: F401  # `--hypothesis-profile` looks for it before any test is read
from testing.environment import TOKEN, sealed, stop_hooks, wait_for_hooks
from testing.repos import Repo

_OUTSIDE = dict(os.environ)
_NUMBERS = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def sealed_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Seal the environment for fixtures that outlive a single test."""
    home = tmp_path_factory.mktemp("session") / "home"
    # Whoever starts the tests in the background has Ctrl-C ignored, and programs inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        _seal(patch, sealed(_OUTSIDE, home))
        yield


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
    home = tmp_path_factory.mktemp(f"seal{token}", numbered=False) / "home"
    _seal(monkeypatch, {**sealed(_OUTSIDE, home), TOKEN: token})
    yield token
    stop_hooks(token)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pytest's, without its search for a free number among the folders of thousands of tests."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    return tmp_path_factory.mktemp(f"{name}-{next(_NUMBERS)}", numbered=False)


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
