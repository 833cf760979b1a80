"""Programs that some tests need and not every machine has.

In: a name. Out: where it is; without it the test is skipped, or fails where SKILLMESH_REQUIRE
(words such as "chromium nginx") says that it has to be there, as in CI.
"""

import os
import shutil
from typing import NoReturn

import pytest

# As it was before the tests were sealed.
OUTSIDE = dict(os.environ)
_REQUIRED = frozenset(OUTSIDE.get("SKILLMESH_REQUIRE", "").replace(",", " ").split())
# Debian puts servers where only root looks.
_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def program(name: str, *also: str) -> str:
    """Return the path of a program; `also` are other names that it has elsewhere."""
    search = os.pathsep.join([OUTSIDE.get("PATH", os.defpath), *_FOLDERS])
    found = next(filter(None, (shutil.which(one, path=search) for one in (name, *also))), None)
    if found is None:
        missing(name, f"{name} is not installed")
    return found


def missing(name: str, why: str) -> NoReturn:
    """Skip a test for want of something, or fail it where that is required."""
    if name in _REQUIRED:
        pytest.fail(f"required: {why}", pytrace=False)
    pytest.skip(why)
