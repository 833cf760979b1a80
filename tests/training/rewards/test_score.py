"""The formula: what each part does to a score, and what a verdict needs."""

from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.training.model import Verdict
from git_skillmesh.training.rewards.score import (
    WEIGHTS,
    Evidence,
    parts_of,
    score_of,
    verdict_of,
)

COUNTS = [one.name for one in fields(Evidence) if one.type is int]


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    """Lines of one exchange; each linked line goes one way."""
    alive, substance, lasted, reverted, replaced, corrected, rest = (
        draw(st.integers(0, 40)) for _ in range(7)
    )
    linked = alive + substance + lasted + reverted + replaced + corrected + rest
    return Evidence(
        written=draw(st.integers(0, 200)), linked=linked, alive=alive, in_substance=substance,
        lasted=lasted, reverted=reverted, replaced=replaced, corrected=corrected,
        redone=draw(st.integers(0, 300)), missing=draw(st.sampled_from([None, True])),
        tests=draw(st.sampled_from([None, 1.0, 0.5, -1.0])), committed=draw(st.booleans()),
        young=draw(st.booleans()),
    )  # fmt: skip


@given(evidence())
def test_parts_and_scores_stay_in_their_ranges(one: Evidence) -> None:
    parts = parts_of(one)
    assert parts.keys() <= WEIGHTS.keys()
    assert all(-1 <= value <= 1 for value in parts.values())
    assert 0 <= score_of(parts) <= 1
    verdict = verdict_of(one, parts)
    assert (verdict is Verdict.TOO_YOUNG) == (one.young and bool(one.written or one.committed))
    if verdict in (Verdict.IMPLEMENTED, Verdict.IGNORED):
        assert (verdict is Verdict.IMPLEMENTED) == (score_of(parts) > 0.5)


def score(**counts: Any) -> float:
    return score_of(parts_of(Evidence(written=10, linked=10, committed=True, **counts)))


def test_shares() -> None:
    assert [score(alive=count) for count in (0, 2, 4, 5, 6, 8, 10)] == [
        0.1, 0.231, 0.45, 0.574, 0.69, 0.858, 0.943,
    ]  # fmt: skip
    assert score(in_substance=10) == 0.909
    assert score(lasted=10) == 0.786
    assert score(alive=5, replaced=5) < score(alive=5, corrected=5) < score(alive=5)
    assert score(alive=5, reverted=5) < score(alive=5, replaced=5)


def test_tests_alone_decide_nothing() -> None:
    one = Evidence(written=10, tests=1.0)
    assert verdict_of(one, parts_of(one)) is Verdict.UNDECIDED
    assert verdict_of(Evidence(), {}) is Verdict.NO_CODE


def test_what_stood_in_part_was_not_ignored() -> None:
    def verdict(**counts: Any) -> Verdict:
        one = Evidence(written=10, linked=10, committed=True, **counts)
        return verdict_of(one, parts_of(one))

    assert verdict(replaced=10) is Verdict.IGNORED
    assert verdict(replaced=9, alive=1) is Verdict.UNDECIDED
    assert verdict(replaced=9, in_substance=1) is Verdict.UNDECIDED
    assert verdict(replaced=9, lasted=1) is Verdict.UNDECIDED
    assert verdict(reverted=9, alive=1) is Verdict.IGNORED
