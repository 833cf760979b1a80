"""Events: facts that are added later, and what a set of them amounts to."""

from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions.events import (
    Event,
    Status,
    decode_events,
    encode_events,
    in_order,
    latest,
    statuses,
)

times = st.sampled_from(["", "2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"])
facts = st.builds(
    Event, st.just("status"), st.sampled_from([*Status, "dance"]), st.sampled_from("ab"), times
)


@given(st.lists(facts, max_size=8), st.lists(facts, max_size=8))
def test_order_and_repetition_are_immaterial(one: list[Event], two: list[Event]) -> None:
    assert statuses(one + two) == statuses(two + one + one)
    assert latest(one + two, "status") == latest(two + one, "status")
    assert in_order(decode_events(encode_events(one))) == in_order(one)
    assert encode_events(one) == encode_events(one[::-1] + one)


def test_the_furthest_step_counts_whatever_the_clocks_say() -> None:
    late, early = "2024-03-02T00:00:00Z", "2024-03-01T00:00:00Z"
    assert statuses(
        [
            Event("status", "promoted_to_learning", "a", early),
            Event("status", "analyzed", "a", late),
            Event("status", "rewarded_implemented", "b", early),
            Event("status", "ignored_not_implemented", "b", late),
            Event("status", "captured", "c", late),
            Event("confidence", 0.5, "d", late),
        ]
    ) == {"a": Status.PROMOTED, "b": Status.IGNORED, "c": Status.CAPTURED}


def test_lines_that_are_no_events_are_left_out() -> None:
    data = b'junk\n[1]\n{"kind": "x"}\n{"kind": "link", "value": {"n": 1}, "by": "newer"}\n'
    assert decode_events(data) == [Event("link", {"n": 1})]
