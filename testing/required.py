"""Programs that a test needs and that not every machine has.

In: the name of a program. Out: its path; where it is missing the test is skipped, or fails if the
environment requires it: `SKILLMESH_REQUIRE=nginx,chromium`, as CI does.
"""

import os
import shutil
from pathlib import Path

import pytest

# Read before the tests seal the environment.
REQUIRED = frozenset(filter(None, os.environ.get("SKILLMESH_REQUIRE", "").split(",")))
# Debian puts servers where only root looks.
_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def program(name: str, *other_names: str) -> Path:
    """Return the first of these programs that is here; the first name is the one to require."""
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOLDERS])
    for known in (name, *other_names):
        found = shutil.which(known, path=search)
        if found:
            return Path(found)
    if name in REQUIRED:
        pytest.fail(f"{name} is not installed, and SKILLMESH_REQUIRE names it")
    pytest.skip(f"{name} is not installed")
