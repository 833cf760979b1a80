"""Splits: whatever is shared, nothing is on two sides, and what is newer is never before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.training.dataset.splitting import Groups, leaks, split
from testing.examples import examples

LINES = st.lists(
    st.tuples(
        st.integers(0, 40), st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=3)
    ),
    max_size=60,
)


def divided(lines: list[tuple[int, list[str]]]) -> list[str]:
    groups = Groups()
    for number, (_, keys) in enumerate(lines):
        for key in keys:
            groups.unite(number, key)
    return split([f"{time:02}" for time, _ in lines], [groups.root(n) for n in range(len(lines))])


@settings(max_examples=examples(100), deadline=None)
@given(LINES)
def test_nothing_leaks(lines: list[tuple[int, list[str]]]) -> None:
    found = divided(lines)
    assert leaks(found, [f"{time:02}" for time, _ in lines], [keys for _, keys in lines]) == []
    assert not lines or "train" in found
    assert found.count("test") <= len(lines) / 2


def test_the_newest_test() -> None:
    lines = [(number, [f"k{number // 2}"]) for number in range(40)]
    assert divided(lines) == ["train"] * 32 + ["validation"] * 4 + ["test"] * 4


def test_a_leak_is_told() -> None:
    assert leaks(["train", "test"], ["1", "2"], [["a"], ["a"]]) == ["a is in test and train"]
    assert leaks(["train", "test"], ["3", "2"], [["a"], ["b"]]) == [
        "train goes on to 3, test begins 2"
    ]
