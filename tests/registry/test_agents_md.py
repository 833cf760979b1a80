"""A section in somebody's file: in it, renewed, and out again without a trace."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import UsageError
from git_skillmesh.registry.agents_md import merged, without
from testing.examples import examples

SECTION = "## Skills\n\n- `a.b`: One\n"
END = b"<!-- git-skillmesh skills: end -->"
FILES = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"# Title\n", b"\xef\xbb\xbf", b"\xff", b" ",
                     b"<!-- x -->\n", b"## Skills\n"]), max_size=8,
).map(b"".join)  # fmt: skip


@settings(max_examples=examples(80))
@given(st.none() | FILES, FILES)
def test_what_is_put_in_comes_out_again(old: bytes | None, after: bytes) -> None:
    once = merged(old, SECTION)
    assert once.startswith(old or b"")
    assert merged(once, SECTION) == once
    again = merged(once, "## Other\n")
    assert b"Other" in again
    assert b"a.b" not in again
    assert merged(again, SECTION) == once
    assert without(once) == old
    # What somebody writes below it stays, too.
    if not after.startswith((b"\r", b"\n")):
        newline = b"\r\n" if once.endswith(b"\r\n") else b"\n"
        line = newline if old and after and not old.endswith(b"\n") else b""
        assert without(once + after) == ((old or b"") + line + after if old or after else old)


def test_a_new_file() -> None:
    assert merged(None, SECTION) == (
        b"<!-- git-skillmesh skills: begin new -->\n" + SECTION.encode() + END + b"\n"
    )


def test_the_ends_of_lines_are_those_of_the_file() -> None:
    made = merged(b"# Agents\r\n", SECTION)
    assert made.count(b"\r\n") == made.count(b"\n") == 7
    assert made.startswith(
        b"# Agents\r\n\r\n<!-- git-skillmesh skills: begin 1 -->\r\n## Skills\r\n"
    )


@pytest.mark.parametrize(
    "old",
    [
        b"<!-- git-skillmesh skills: begin 1 -->\n",
        END,
        END + b"<!-- git-skillmesh skills: begin 1 -->",
        merged(b"a", SECTION) * 2,
        b"<!-- git-skillmesh skills: begin 7 -->" + END,
    ],
)
def test_marks_that_do_not_fit_are_left_alone(old: bytes) -> None:
    with pytest.raises(UsageError, match="do not fit"):
        merged(old, SECTION)
    with pytest.raises(UsageError, match="do not fit"):
        without(old)


def test_no_text() -> None:
    with pytest.raises(UsageError, match="not text"):
        merged("text".encode("utf-16"), SECTION)
