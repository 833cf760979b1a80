"""A moment of benchmarks/together.py: two servers, shells and commits, and a kill."""

import os
from pathlib import Path

from testing.soak import Soak, leftovers


def test_nothing_is_lost_and_nothing_stale(tmp_path: Path) -> None:
    soak = Soak(tmp_path, 1, dict(os.environ))
    # Both servers have answered, one was killed and came back, and there was more to find after;
    # a very busy machine gets as far as it gets.
    enough = {"servers started": 3, "servers killed": 1, "chroma_query_documents": 6, "commit": 3}
    assert soak.run(60, shells=1, kills=(1, 2), enough=enough), soak.failures
    assert soak.failures == []
    assert soak.counts["servers started"] >= 2
    assert leftovers(soak.token) == []
