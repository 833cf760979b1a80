"""Counts and durations that add up, and percentiles that are near enough."""

import random

import pytest

from git_skillmesh.monitoring.tally import Tally, bound_of, bucket_of, joined


def tally_of(*microseconds: int | None) -> Tally:
    made = Tally()
    for one in microseconds:
        made.add(one)
    return made


@pytest.mark.parametrize("microseconds", [1, 7, 999, 1_000, 1_001, 65_000, 3_600_000_000])
def test_a_duration_is_within_its_bucket(microseconds: int) -> None:
    bucket = bucket_of(microseconds)
    assert bound_of(bucket - 1) < microseconds / 1e6 <= bound_of(bucket) * (1 + 1e-9)


def test_nothing_and_very_much_have_buckets_too() -> None:
    assert (bucket_of(0), bucket_of(-5), bucket_of(10**18)) == (-40, -40, 120)


def test_percentiles_are_within_a_tenth_of_the_true_ones() -> None:
    numbers = random.Random(3)
    values = sorted(int(numbers.lognormvariate(10, 1.5)) + 1 for _ in range(5_000))
    tally = tally_of(*values)
    for share in (0.1, 0.5, 0.95, 0.99):
        true = values[int(share * len(values)) - 1] / 1e6
        assert tally.quantile(share) == pytest.approx(true, rel=0.1)
    assert tally.quantile(1.0) == values[-1] / 1e6


def test_no_duration_has_no_percentile() -> None:
    tally = tally_of(None, None)
    assert (tally.count, tally.timed, tally.quantile(0.5)) == (2, 0, None)


def test_joined_is_as_if_all_had_been_added_to_one() -> None:
    parts = tally_of(5, 900, None), tally_of(70_000), Tally()
    assert joined(parts) == tally_of(5, 900, None, 70_000)


def test_how_many_took_at_most_so_long() -> None:
    tally = tally_of(900, 1_000, 1_500, 3_000, None)
    assert [tally.up_to(seconds) for seconds in (0.001, 0.002, 0.004)] == [2, 3, 4]


def test_a_document_gives_the_same_tally() -> None:
    tally = tally_of(1, 20, 300, None)
    assert Tally.read(tally.document()) == tally
