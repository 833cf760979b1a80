"""The lines that are shown."""

from git_skillmesh.retrieval.excerpt import best_lines, mark
from git_skillmesh.retrieval.results import Line
from git_skillmesh.retrieval.terms import parse


def test_the_first_line_and_the_best_two_in_file_order() -> None:
    lines = ["", "def close(self):", "    pass", "    self.session.close()", "    closing = 1", "x"]
    assert best_lines(lines, 10, mark(lines, parse("closing a session"))) == (
        Line(11, "def close(self):", ((4, 9),)),
        Line(13, "    self.session.close()", ((9, 16), (17, 22))),
        Line(14, "    closing = 1", ((4, 11),)),
    )


def test_blank_chunks_show_nothing_and_long_lines_are_cut() -> None:
    assert best_lines(["", "  "], 1, mark(["", "  "], parse("x"))) == ()
    (line,) = best_lines(["y" * 10_000], 1, mark(["y" * 10_000], parse("x")))
    assert line == Line(1, "y" * 400, ())
