"""Values of records: their types, their times, and what JSON allows and UTF-8 does not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions.importers.records import Misfit, get, need, parse_json, utc


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("2026-01-23T15:39:47.740Z", "2026-01-23T15:39:47.740Z"),
        ("2026-01-23T15:39:47Z", "2026-01-23T15:39:47.000Z"),
        ("2026-01-23T16:39:47.5+01:00", "2026-01-23T15:39:47.500Z"),
        ("2026-01-23T15:39:47.123456789", "2026-01-23T15:39:47.123Z"),
        (1769182787740, "2026-01-23T15:39:47.740Z"),
        (1769182787, "2026-01-23T15:39:47.000Z"),
        (None, ""),
        ("", ""),
    ],
)
def test_times(given: object, told: str) -> None:
    assert utc(given) == told


@pytest.mark.parametrize("wrong", ["soon", [], True, 1e300, float("nan"), "2026-13-01T00:00:00"])
def test_what_is_no_time(wrong: object) -> None:
    with pytest.raises(Misfit):
        utc(wrong)


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_kept() -> None:
    assert (
        parse_json(rb'"\ud83d\ude00 \ud83d x \\ud83d \uDE00"')
        == "\U0001f600 \ufffd x \\ud83d \ufffd"
    )


@given(st.text())
def test_every_text_comes_through(text: str) -> None:
    assert parse_json(json.dumps(text).encode()) == text


def test_values_of_another_type() -> None:
    assert get({}, "a", str, "-") == get({"a": None}, "a", str, "-") == "-"
    with pytest.raises(Misfit, match='"a" is a list, not text'):
        get({"a": []}, "a", str, "")
    with pytest.raises(Misfit, match='"a" is missing'):
        need({}, "a", dict)
    with pytest.raises(Misfit, match='"a" is null, not an object'):
        need({"a": None}, "a", dict)
