"""A few seconds of benchmarks/together.py: two servers, shells and commits, and a kill."""

import os
from pathlib import Path

from testing.soak import Soak, leftovers


def test_nothing_is_lost_and_nothing_stale(tmp_path: Path) -> None:
    soak = Soak(tmp_path, 1, dict(os.environ))
    assert soak.run(8, shells=1, kills=(4, 6)), soak.failures
    assert soak.failures == []
    assert soak.counts["servers started"] >= 2
    assert leftovers(soak.token) == []
