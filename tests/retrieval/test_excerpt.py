"""The lines that are shown."""

from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.retrieval.excerpt import _Finder, best_lines, mark, stems_of
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


@given(
    st.lists(st.sampled_from(["retry", "re", "x1", "get", "naïve", "s", "\u017ft"]), min_size=1),
    st.text("rRetyTX1gG_s \u017f\u212a.\nİun2-é", max_size=60),
)
def test_plain_text_is_searched_like_any_other(words: list[str], text: str) -> None:
    finder = _Finder(frozenset(words))
    spans = [(start, end) for start, end, _ in finder.find(text)]
    wanted = [
        span for span in finder._words(text) if stems_of(text[slice(*span)]) & frozenset(words)
    ]
    assert spans == wanted
