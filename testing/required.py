"""Programs that some tests need and not every machine has.

In: a name. Out: where it is; without it the test is skipped, or fails where SKILLMESH_REQUIRE
(words such as "chromium node") says that it has to be there, as in CI.
"""

import os
import shutil
from typing import NoReturn

import pytest

# As it was before the tests were sealed.
OUTSIDE = dict(os.environ)
_REQUIRED = frozenset(OUTSIDE.get("SKILLMESH_REQUIRE", "").replace(",", " ").split())


def program(name: str, *also: str) -> str:
    """Return the path of a program; `also` are other names that it has elsewhere."""
    found = next(filter(None, map(shutil.which, (name, *also))), None)
    if found is None:
        missing(name, f"{name} is not installed")
    return found


def missing(name: str, why: str) -> NoReturn:
    """Skip a test for want of something, or fail it where that is required."""
    if name in _REQUIRED:
        pytest.fail(f"required: {why}", pytrace=False)
    pytest.skip(why)
