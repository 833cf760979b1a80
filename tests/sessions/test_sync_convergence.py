"""Clones that write, forget and sync in any order end with the same memory, and nothing is lost.

benchmarks/sync_convergence.py does the same for as long as one likes.
"""

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from testing.examples import examples
from testing.sharing import ACTIONS, Step, World

steps = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3), st.integers(0, 2), st.integers(1, 3)),
    min_size=4,
    max_size=12,
)
_EXAMPLES = itertools.count()


@pytest.fixture(scope="module")
def folder(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


# Forgotten here after it was shared, changed there meanwhile, and a sync that is refused between.
FORGOTTEN: list[Step] = [
    ("add", 0, 0, 3), ("add", 1, 1, 2), ("sync", 0, 0, 1), ("sync", 1, 0, 1), ("sync", 2, 0, 1),
    ("grow", 1, 0, 3), ("event", 2, 1, 1), ("forget", 0, 0, 1), ("refused", 0, 0, 1),
    ("sync", 1, 0, 1), ("forget", 2, 1, 1), ("killed", 2, 0, 1), ("note", 1, 0, 1),
    ("both", 0, 0, 1),
]  # fmt: skip


@settings(
    max_examples=examples(4),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@example(clones=3, hubs=1, taken=FORGOTTEN)
@given(clones=st.integers(2, 4), hubs=st.integers(1, 2), taken=steps)
def test_clones_converge_and_lose_nothing(
    folder: Path, clones: int, hubs: int, taken: list[Step]
) -> None:
    world = World(folder / str(next(_EXAMPLES)), clones, hubs)
    world.take(taken)
    world.settle()
    world.check()
