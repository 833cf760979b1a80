"""Small pictures of numbers."""

import pytest

from git_skillmesh.gate.estimate import Share
from git_skillmesh.monitoring.plots import bar, duration, sparkline
from git_skillmesh.monitoring.words import interval_words, percent, share_words


def test_a_line_of_bars() -> None:
    assert sparkline([0, 1, 4, 8], 10) == " ▁▄█"
    assert sparkline([0, 1, 4, 8], 10, plain=True) == " .=@"
    assert sparkline([0, 0], 10) == "  "
    assert sparkline([], 10) == ""
    # However little it is, it can be seen.
    assert sparkline([1, 1_000], 10) == "▁█"


def test_what_does_not_fit_is_added_up_the_latest_whole() -> None:
    assert sparkline([8, 1, 1, 1, 1], 3) == "█▂▂"
    assert len(sparkline([1] * 400, 30)) == 29


def test_a_bar() -> None:
    assert [bar(share, 4) for share in (0, 0.001, 0.5, 1)] == ["", "▏", "██", "████"]
    assert [bar(share, 4, plain=True) for share in (0, 0.001, 0.5, 1)] == ["", "#", "##", "####"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""), (0.0, "0 µs"), (0.00004, "40 µs"), (0.0015, "1.5 ms"), (0.2504, "250 ms"),
        (0.9999, "1.0 s"), (59.0, "59 s"), (600, "10 min"), (7_300, "2.0 h"),
    ],
)  # fmt: skip
def test_a_duration(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_shares_in_words() -> None:
    assert [percent(x) for x in (0, 0.001, 0.5, 0.999, 1)] == [
        "0 %", "<1 %", "50 %", ">99 %", "100 %",
    ]  # fmt: skip
    assert share_words(Share(912, 1_203)) == "912 of 1,203 (76 %)"
    assert interval_words(Share(3, 9)) == "3 of 9: too little to say"
    assert interval_words(Share(5, 10)) == "5 of 10, 50 % (24 % to 76 %)"
