"""The recorded session: what it shows happens, and its picture shows what was recorded."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts import recording
from scripts.terminal_picture import Screen, Unknown, draw, shown

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def told(text: str) -> str:
    """Return a session without what a clock says."""
    return re.sub(r"in \d+\.\d s$", "in … s", text, flags=re.MULTILINE)


def test_the_recording_is_what_happens(tmp_path: Path) -> None:
    seen = recording.record(tmp_path / "made")
    assert told(recording.written(seen)) == told((DOCS / "recording.txt").read_text())
    header, *events = [json.loads(line) for line in recording.cast(seen).splitlines()]
    assert (header["version"], header["width"]) == (2, recording.COLUMNS)
    assert [text for _, _, text in events] == [one.text for one in seen]
    assert sorted(time for time, _, _ in events) == [time for time, _, _ in events]


def test_cast_picture_and_text_are_of_one_recording() -> None:
    header, *events = map(json.loads, (DOCS / "recording.cast").read_text().splitlines())
    columns, rows = header["width"], header["height"]
    played = [(time, text) for time, _, text in events]
    assert shown(played, columns) == (DOCS / "recording.txt").read_text()
    assert draw(played, columns, rows) == (DOCS / "recording.svg").read_text()


def test_the_picture_is_small_and_refers_to_nothing() -> None:
    text = (DOCS / "recording.svg").read_text()
    assert len(text) < 300_000
    assert not re.search(r"<script|<image|<use|@import|url\(|\b(?:href|src|on\w+)=", text)


def test_a_picture_of_hostile_text_is_well_formed() -> None:
    root = ElementTree.fromstring(  # noqa: S314
        draw([(0, "$ "), (1, '<script>alert("1")</script>&\r\n')], 80, 4, title="</title><a>")
    )
    assert [text.text for text in root.iter(f"{SVG}tspan")] == [
        "$", '<script>alert("1")</script>&'
    ]  # fmt: skip
    assert root.find(f"{SVG}title").text == "</title><a>"  # type: ignore[union-attr]


def test_what_is_erased_goes_and_what_stays_is_not_drawn_twice() -> None:
    screen = Screen(80)
    screen.write(0, "\x1b[?25lone 1/9\r")
    screen.write(1, "\x1b[38;5;197mone\x1b[0m 2/9\r\n")
    screen.write(2, "\x1b[1A\x1b[2Kdone\r\n\x1b[?25h")
    lives = [(cell.letter, cell.since, cell.until) for cell in screen.cells if cell.column == 4]
    assert lives == [("1", 0, 1), ("2", 1, 2)]
    assert [cell.since for cell in screen.cells if cell.letter == "/"] == [0]
    assert {cell.style[0] for cell in screen.cells if cell.since == 1} == {"#ff005f", "#d1d7e0"}
    assert screen.text() == "done\n"


def test_long_lines_are_wrapped_and_the_screen_moves_up() -> None:
    events = [(0.0, "abcd"), (1.0, "ef\n"), (2.0, "g\n"), (3.0, "h")]
    assert shown(events, 4) == "abcd\nef\ng\nh\n"
    picture = draw(events, 4, 3)
    assert "#rows{transform:translateY(-18px)}" in picture
    assert "translateY(-36px)" not in picture
    assert "transform" not in draw(events, 4, 9).replace("transform:translateY(0)", "").replace(
        "transform:translateY(0px)", ""
    ).replace("transform:translateY(-0px)", "")


@pytest.mark.parametrize("text", ["\x1b[2J", "\x1b]0;title\x07", "\x07", "\t", "\x1b[48;5;1m"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(Unknown):
        shown([(0, f"a{text}b")], 80)
