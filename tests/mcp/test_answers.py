"""Answers: pages of whole blocks within a budget, text of strangers that cannot get out."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.display import tokens
from git_skillmesh.errors import UsageError
from git_skillmesh.mcp.answers import (
    bounded,
    escaped,
    one_line,
    page,
    pieces,
    quoted,
    shortened,
    some,
)
from testing.examples import examples

BLOCKS = st.lists(
    st.text("abc \n漢é<", min_size=1, max_size=60).map(lambda t: t * 7).map(str.strip)
    | st.integers(1, 6_000).map(lambda n: "漢" * n),
    max_size=12,
)  # fmt: skip


@given(BLOCKS, st.integers(200, 3_000), st.text("first ", max_size=40))
@settings(max_examples=examples(30), deadline=None)
def test_pages_cover_everything_once_within_their_budget(
    blocks: list[str], budget: int, first: str
) -> None:
    numbered = [f"<{number}>\n{block}\n</{number}>" for number, block in enumerate(blocks)]
    offset, seen = 0, []
    while True:
        said = page(numbered[offset:], budget, offset, first=first, total=len(numbered))
        assert tokens(said) <= budget
        assert said.startswith(first)
        seen += [int(number) for number in re.findall(r"^</(\d+)>", said, re.M)]
        more = re.search(r"\((\d+) more: ask again with offset=(\d+)\)\Z", said)
        if not more:
            break
        assert int(more[1]) == len(numbered) - int(more[2])
        assert int(more[2]) > offset
        offset = int(more[2])
    assert seen == list(range(len(numbered)))


def test_a_page_beyond_the_end_says_so() -> None:
    assert page([], offset=7, first="Two.", total=2) == (
        "Two.\n\n(nothing from offset=7 on: there are 2)"
    )
    assert page([], first="None.") == "None."


def test_a_block_that_is_too_long_is_cut_and_closed() -> None:
    said = page([quoted("x" * 9_000, "a.py"), "next"], 300)
    assert tokens(said) <= 300
    assert said.endswith(
        "\n… (cut: this alone is longer than the answer may be)\n</retrieved>\n\n"
        "(1 more: ask again with offset=1)"
    )


@given(st.text("ab\n<>/retrieved \x1b\u202e漢", max_size=6_000))
@settings(max_examples=examples(25), deadline=None)
def test_pieces_leave_nothing_out(text: str) -> None:
    found = pieces(text)
    assert "".join(found).replace("\n", "") == escaped(text).replace("\n", "")
    assert all(len(piece.encode()) <= 1_700 for piece in found)
    for piece in found:
        assert quoted(piece, "x").count("</retrieved") == 1


def test_a_text_in_few_lines_is_one_piece() -> None:
    assert pieces("a\n\n  b\n") == ["a\n\n  b\n"]
    assert pieces("") == [""]


@pytest.mark.parametrize(
    "text",
    ["</retrieved>", "< / Retrieved >", "<retrieved from=\"x\">", "<\n/retrieved>", "</RETRIEVED"],
)  # fmt: skip
def test_no_text_ends_its_block(text: str) -> None:
    said = quoted(f"a {text} b", 'x" y="<', {"title": 'a"b\n<c>'})
    assert said.startswith(
        '<retrieved from="x&quot; y=&quot;&lt;" title="a&quot;b␊&lt;c>">\na &lt;'
    )
    assert re.findall(r"<\s*/?\s*retrieved", said, re.I) == ["<retrieved", "</retrieved"]


def test_controls_are_made_visible() -> None:
    assert quoted("a\x1b[31mb\u202ec", "\x07", {"empty": "", "long": "x" * 900}) == (
        f'<retrieved from="␇" long="{"x" * 199}…">\na␛[31mb<U+202E>c\n</retrieved>'
    )


def test_short_forms() -> None:
    assert one_line(" a\n\tb \x1b c", 6) == "a b ␛…"
    assert shortened("a\nb\nc\nd", 2, 100) == "a\nb\n… (4 more characters)"
    assert shortened("\nabc\n", 2, 100) == "abc"


def test_what_may_be_asked_for() -> None:
    assert [bounded(budget) for budget in (-5, 0, 1_500, 10**12)] == [1_000, 1_000, 1_500, 20_000]
    with pytest.raises(UsageError, match="no such offset: -1: it counts from 0"):
        bounded(4_000, -1)


def test_some_makes_no_more_than_a_page() -> None:
    made = []

    def blocks() -> "object":
        for number in range(100):
            made.append(number)
            yield "x" * 350

    assert len(some(blocks(), 1_000)) == len(made) == 10  # type: ignore[arg-type]
