"""SEARCH/REPLACE blocks: what is written is parsed back, and applying it gives the state after."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.training.dataset.blocks import (
    Block,
    Misfit,
    Shown,
    applied,
    blocks_of,
    parse_context,
    parse_edits,
    prose,
    rendered,
    shown,
)
from testing.examples import examples

LINES = st.sampled_from(
    ["a", "b", "", "    return x", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "========= ",
     "\r",
     "*** end edits", "*** begin context", "*** edit a.py", "x (no newline)", "\u2028", "é"]
)  # fmt: skip
TEXTS = st.builds(
    lambda lines, end: "\n".join(lines) + end,
    st.lists(LINES, max_size=25),
    st.sampled_from(["", "\n"]),
)
PATHS = st.sampled_from(["a.py", "src/b c.py", 'q"uote.py', "new\nline", "ümlaut", "--x"])


@settings(max_examples=examples(150), deadline=None)
@given(PATHS, st.none() | TEXTS, st.none() | TEXTS)
def test_applying_what_was_parsed_back_gives_the_file_after(
    path: str, before: str | None, after: str | None
) -> None:
    blocks = blocks_of(path, before, after)
    parsed = parse_edits(f"Done.\n\n{rendered(blocks)}\n")
    assert parsed == blocks
    start = {} if before is None else {path: before}
    assert applied(start, parsed) == ({} if after is None else {path: after})


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.builds(Shown, PATHS, TEXTS, st.integers(1, 99), st.just(False)), max_size=3), TEXTS
)
def test_a_context_is_parsed_back(files: list[Shown], asked: str) -> None:
    text = f"{prose(asked)}\n\n{shown(files)}"
    assert parse_context(text) == tuple(files)


def test_the_form() -> None:
    before = "".join(f"line {n}\n" for n in range(20))
    after = before.replace("line 9\n", "nine\nand more\n")
    found = (*blocks_of("src/a.py", before, after), Block("move", "b", target="c d"))
    assert rendered(found) == (
        "*** begin edits\n*** edit src/a.py\n<<<<<<< SEARCH\nline 6\nline 7\nline 8\nline 9\n"
        "line 10\nline 11\nline 12\n=======\nline 6\nline 7\nline 8\nnine\nand more\nline 10\n"
        'line 11\nline 12\n>>>>>>> REPLACE\n*** move b "c d"\n*** end edits'
    )


@pytest.mark.parametrize(
    "text",
    ["*** begin edits", "*** begin edits\nx", "*** begin edits\n*** edit a\nx",
     "*** begin edits\n*** edit a\n<<<<<<< SEARCH\nx", '*** begin edits\n*** delete "a'],
)  # fmt: skip
def test_what_is_no_edit_is_refused(text: str) -> None:
    with pytest.raises(Misfit):
        parse_edits(text)


@pytest.mark.parametrize("line", ["\u00b2", "9" * 5_000, "x"])
def test_a_part_whose_line_is_no_number(line: str) -> None:
    part = f"*** part a.py {line}\n<<<<<<< TEXT\nx\n>>>>>>> TEXT"
    text = f"*** begin context\n{part}\n*** end context"
    assert parse_context(text) == (Shown("a.py", "x\n", 1, False),)


def test_a_block_that_fits_twice_is_refused() -> None:
    with pytest.raises(Misfit, match="twice"):
        applied({"a": "x\ny\nx\n"}, [Block("edit", "a", "x\n", "z\n")])
