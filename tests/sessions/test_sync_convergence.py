"""Clones that write, forget and sync in any order end with the same memory, and nothing is lost.

benchmarks/sync_convergence.py does the same for as long as one likes.
"""

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from testing.sharing import ACTIONS, Step, World

steps = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 4), st.integers(0, 3), st.integers(1, 3)),
    min_size=4,
    max_size=14,
)
_EXAMPLES = itertools.count()


@pytest.fixture(scope="module")
def folder(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(clones=st.integers(2, 4), hubs=st.integers(1, 2), taken=steps)
def test_clones_converge_and_lose_nothing(
    folder: Path, clones: int, hubs: int, taken: list[Step]
) -> None:
    world = World(folder / str(next(_EXAMPLES)), clones, hubs)
    world.take(taken)
    world.settle()
    world.check()
