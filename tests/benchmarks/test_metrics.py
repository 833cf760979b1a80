"""Measures of a ranking."""

import pytest

from benchmarks.metrics import interval, mean, ndcg, scores


def test_a_perfect_ranking() -> None:
    assert scores([1, 2], 2) == {"ndcg@10": 1.0, "ndcg@5": 1.0, "mrr": 1.0, "recall@10": 1.0}


def test_nothing_found() -> None:
    assert set(scores([], 3).values()) == {0.0}
    assert set(scores([11], 1).values()) == {0.0}


def test_a_second_place() -> None:
    found = scores([2, 7], 2)
    assert found["mrr"] == 0.5
    assert found["recall@10"] == 1.0
    # 1/log2(3) + 1/log2(8) of 1 + 1/log2(3)
    assert found["ndcg@10"] == pytest.approx((0.63093 + 0.33333) / 1.63093, abs=1e-5)
    assert found["ndcg@5"] == pytest.approx(0.63093 / 1.63093, abs=1e-5)


def test_more_targets_than_places() -> None:
    assert ndcg(range(1, 11), 30, 10) == pytest.approx(1.0)


def test_the_interval_is_that_of_groups() -> None:
    """Ten repositories that are all right or all wrong say little, however many questions."""
    groups = {str(number): [float(number % 2)] * 100 for number in range(10)}
    low, high = interval(groups)
    assert low < 0.3 < 0.7 < high
    alone = {str(number): [float(number % 2)] for number in range(1_000)}
    low, high = interval(alone)
    assert 0.46 < low < 0.5 < high < 0.54
    assert interval(groups) == interval(groups)


def test_the_mean() -> None:
    assert (mean([]), mean([1.0, 0.0])) == (0.0, 0.5)
