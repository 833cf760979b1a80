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
