"""Shares with their interval: known values, and what holds for all counts."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.gate.estimate import Share


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_published_intervals(hits: int, total: int, low: float, high: float) -> None:
    share = Share(hits, total)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)


def test_nothing_counted_is_nothing_known() -> None:
    assert (Share(0, 0).value, Share(0, 0).low, Share(0, 0).high) == (0.0, 0.0, 1.0)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_within_and_more_of_the_same_says_more(counts: tuple[int, int]) -> None:
    hits, total = counts
    share, more = Share(hits, total), Share(10 * hits, 10 * total)
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert more.high - more.low < share.high - share.low


@pytest.mark.parametrize("true", [0.01, 0.1, 0.5])
def test_it_covers_the_true_share_about_as_often_as_it_says(true: float) -> None:
    total = 300
    covered = sum(
        comb(total, hits) * true**hits * (1 - true) ** (total - hits)
        for hits in range(total + 1)
        if Share(hits, total).low <= true <= Share(hits, total).high
    )
    assert 0.93 < covered < 0.98
