"""Excerpts as wide as the screen: cut in columns, the match in sight, control characters shown."""

import pytest

from git_skillmesh.cli.context import Context
from git_skillmesh.cli.excerpts import aside, excerpt
from git_skillmesh.display import width_of
from git_skillmesh.retrieval.results import Line


def shown(line: Line, width: int, used: int = 10, on_screen: bool = True) -> str:
    context = Context(colour="never")
    context.__dict__.update(width=width, on_screen=on_screen)
    return excerpt(context, line, used)


@pytest.mark.parametrize(
    ("text", "mark", "cut"),
    [
        ("short", "", "short"),
        ("just as wide as there is room.", "", "just as wide as there is room."),
        ("one column wider than there is.", "", "one column wider than there i…"),
        ("\ttab\there", "", "    tab here"),
        ("match far to the right, which is there: found(it) and more", "found",
         "…is there: found(it) and more"),
        ("match far to the right, which is there: found(it) and more still", "found",
         "…is there: found(it) and more…"),
        ("漢字" * 20, "", "漢字" * 7 + "…"),
        ("\x1b[31mred" + "x" * 40, "red", "␛[31mred" + "x" * 21 + "…"),
    ],
)  # fmt: skip
def test_a_line_is_cut_at_the_edge_of_the_screen(text: str, mark: str, cut: str) -> None:
    start = text.find(mark) if mark else 0
    line = Line(1, text, ((start, start + len(mark)),) if mark else ())
    assert shown(line, 40) == cut
    assert width_of(cut) <= 30


def test_a_pipe_keeps_what_a_line_holds() -> None:
    line = Line(1, "x" * 200, ((170, 180),))
    assert shown(line, 40, on_screen=False) == "x" * 180 + " …"
    assert shown(Line(1, "x" * 150, ()), 40, on_screen=False) == "x" * 150


def test_matches_stay_marked_and_reasons_keep_to_a_line() -> None:
    context = Context(colour="always")
    context.__dict__.update(width=20, on_screen=True)
    assert excerpt(context, Line(1, "a match", ((2, 7),)), 10) == "a \x1b[1;33mmatch\x1b[0m"
    assert aside(context, "why: one, two, three", 10) == "\x1b[2mwhy: one,…\x1b[0m"
    assert aside(context, "why: one, two, three", 10, whole=True).count("three") == 1
