"""Order, ties and the filling of the page."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.retrieval import ranker
from git_skillmesh.retrieval.features import NAMES
from git_skillmesh.retrieval.ranker import fill_page, linear, reciprocal_ranks, weights

PENALTY = weights().second_hit_penalty


def test_the_shipped_weights_name_every_feature() -> None:
    document = json.loads(Path(ranker.__file__).with_name("ranker.json").read_bytes())
    assert sorted(document["weights"]) == sorted(NAMES)


def test_linear_is_the_weighted_sum() -> None:
    features = np.arange(2.0 * len(NAMES)).reshape(2, len(NAMES))
    assert linear(features) == pytest.approx(features @ weights().values)


def test_a_second_hit_of_a_file_is_pushed_down_and_ties_go_by_path() -> None:
    scores = np.array([3.0, 2.9, 2.8, 2.8])
    files = [1, 1, 2, 3]
    ties = [("a", 0), ("a", 1), ("c", 0), ("b", 0)]
    page = fill_page(scores, files, ties.__getitem__, 4)
    assert page == [
        (0, 3.0),
        (3, 2.8),
        (2, 2.8),
        (1, pytest.approx(2.9 - PENALTY)),
    ]
    assert fill_page(scores, files, ties.__getitem__, 1) == [(0, 3.0)]


@given(
    st.lists(st.tuples(st.floats(0, 9), st.integers(0, 4)), min_size=1, max_size=20),
    st.randoms(),
)
def test_the_page_does_not_depend_on_the_order_of_candidates(
    rows: list[tuple[float, int]], random: Random
) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)

    def page(chosen: list[int]) -> list[tuple[int, float]]:
        scores = np.array([rows[n][0] for n in chosen])
        ties = [(f"{rows[n][1]}", n) for n in chosen]
        return [
            (chosen[row], value)
            for row, value in fill_page(scores, [rows[n][1] for n in chosen], ties.__getitem__, 10)
        ]

    assert page(order) == page(list(range(len(rows))))


def test_reciprocal_ranks_fuse_and_ignore_what_has_no_score() -> None:
    words, vectors = np.array([2.0, 1.0, 0.0]), np.array([0.0, 0.5, 0.9])
    assert reciprocal_ranks([words, vectors]).tolist() == pytest.approx(
        [1 / 61, 1 / 62 + 1 / 62, 1 / 61]
    )


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 3)), min_size=1, max_size=300),
    st.integers(1, 12),
)
def test_the_page_is_that_of_all_rows(rows: list[tuple[int, float]], size: int) -> None:
    """The page looks at the best rows only; lowering all of them gives the same one."""
    files = [file for file, _ in rows]
    scores = np.array([score for _, score in rows])
    ties = [(f"{file}", place) for place, file in enumerate(files)]
    whole = fill_page(scores, files, ties.__getitem__, len(rows))
    assert fill_page(scores, files, ties.__getitem__, size) == whole[:size]
