"""Splits: whatever is shared, nothing is on two sides, and what is newer is never before."""

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from git_skillmesh.training.dataset.splitting import LEFT_OUT, Groups, leaks, split
from testing.examples import examples

LINES = st.lists(
    st.tuples(
        st.integers(0, 40), st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=3)
    ),
    max_size=60,
)


def divided(lines: Sequence[tuple[int, list[str]]]) -> list[str]:
    groups = Groups()
    for number, (_, keys) in enumerate(lines):
        for key in keys:
            groups.unite(number, key)
    return split([f"{time:02}" for time, _ in lines], [groups.root(n) for n in range(len(lines))])


@settings(max_examples=examples(60), deadline=None)
@given(LINES)
@example([(0, []), (0, []), (1, []), (1, ["a"]), (1, ["a"]), (1, ["a"]), (1, ["a"])])
def test_nothing_leaks(lines: list[tuple[int, list[str]]]) -> None:
    found = divided(lines)
    kept = [(name, *line) for name, line in zip(found, lines, strict=True) if name != LEFT_OUT]
    names, times = [name for name, _, _ in kept], [f"{time:02}" for _, time, _ in kept]
    assert leaks(names, times, [keys for _, _, keys in kept]) == []
    assert not lines or "train" in found
    assert found.count("test") <= len(lines) / 2
    assert found.count(LEFT_OUT) <= len(lines) / 2


@settings(max_examples=examples(60), deadline=None)
@given(LINES)
def test_nothing_is_left_out_where_groups_are_small(lines: list[tuple[int, list[str]]]) -> None:
    alone = [(time, [f"k{number % 20}"]) for number, (time, _) in enumerate(lines)]
    if len(alone) % 20 == 0:
        assert LEFT_OUT not in divided(alone)


def test_the_newest_test() -> None:
    lines = [(number, [f"k{number // 2}"]) for number in range(40)]
    assert divided(lines) == ["train"] * 32 + ["validation"] * 4 + ["test"] * 4


def test_a_large_group_that_goes_on_is_cut() -> None:
    """Half of the lines are one group, whose last line is the newest of all."""
    lines = [(number, ["long"] if number % 2 else [f"k{number}"]) for number in range(40)]
    found = divided(lines)
    own, long = found[::2], found[1::2]
    assert own == ["train"] * 12 + ["validation"] * 4 + ["test"] * 4
    assert long == ["train"] * 12 + [LEFT_OUT] * 8


def test_a_large_group_at_the_end_is_not_cut() -> None:
    """Nothing is held out from before what is new as a whole."""
    lines = [(number, ["long"] if number >= 20 else [f"k{number}"]) for number in range(40)]
    assert LEFT_OUT not in divided(lines)


def test_a_leak_is_told() -> None:
    assert leaks(["train", "test"], ["1", "2"], [["a"], ["a"]]) == ["a is in test and train"]
    assert leaks(["train", "test"], ["3", "2"], [["a"], ["b"]]) == [
        "train goes on to 3, test begins 2"
    ]
