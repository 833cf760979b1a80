"""Sets of numbers are what NumPy's functions for sets make of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.index.sets import distinct, united, without

_numbers = st.lists(st.integers(-3, 9), max_size=12)


@given(_numbers, _numbers)
def test_they_are_what_numpy_says(left: list[int], right: list[int]) -> None:
    one, other = np.array(left, np.int32), np.array(right, np.int32)
    for ours, theirs in (
        (distinct(one), np.unique(one)),
        (united(one, other), np.union1d(one, other)),
        (without(one, other), np.setdiff1d(one, other)),
    ):
        assert (ours.tolist(), ours.dtype) == (theirs.tolist(), theirs.dtype)


def test_scores_may_be_fractions() -> None:
    assert distinct(np.array([0.5, 0.25, 0.5])).tolist() == [0.25, 0.5]
