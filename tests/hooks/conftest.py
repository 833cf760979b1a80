"""Helpers of the tests of hooks: install the shims, read the worker's log."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.install import Report, install
from testing.repos import Repo

Runs = Callable[[Repo], list[Path]]


@pytest.fixture(autouse=True)
def local_tier_only(hermetic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the Chroma tier, whose import takes longer than all the rest of a run."""
    monkeypatch.setenv("CHROMA_DB_IMPL", "off")


@pytest.fixture
def install_hooks() -> Callable[[Repo], Report]:
    """Return a function that installs the hooks in a repository."""
    return lambda repo: install(discover(repo.path))


@pytest.fixture
def runs(wait_for_worker: Callable[[Repo], str]) -> Runs:
    """Return a function that waits for the worker and returns the folders it has served so far."""

    def served(repo: Repo) -> list[Path]:
        found = re.findall(r"run (['\"].*['\"]) begin$", wait_for_worker(repo), re.MULTILINE)
        return [Path(ast.literal_eval(text)) for text in found]

    return served
