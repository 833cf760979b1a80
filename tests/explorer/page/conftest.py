"""One browser for all tests of the page, and what is built with node."""

import fcntl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.browser import NAMES, Browser, chromium
from testing.required import OUTSIDE, missing, program

WEB = Path(__file__).parents[3] / "web"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser for all tests of a process."""
    with chromium(program(*NAMES)) as started:
        yield started


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The packages of package-lock.json, fetched once for a checkout."""
    npm = program("npm")
    program("node")
    modules = WEB / "node_modules"
    lock, installed = WEB / "package-lock.json", modules / ".package-lock.json"
    # Two processes of tests must not both install.
    with (WEB / "package.json").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            done = subprocess.run(
                [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                cwd=WEB, env=OUTSIDE, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            if done.returncode:
                missing("node", f"npm ci: {done.stderr[-400:]}")
    return modules
