"""Prompts and responses in a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions.brief import prompt_in_brief, response_in_brief


def test_a_prompt_is_how_it_begins() -> None:
    assert prompt_in_brief("  Fix it.\n\n  Now. ") == "Fix it. Now."
    assert prompt_in_brief("word " * 1000) == "word " * 59 + "word …"


@pytest.mark.parametrize(
    ("response", "brief"),
    [
        ("", ""),
        ("Done.", "Done."),
        (
            "Let me look.\n\n**Now** `fetch_scans` waits *longer*.",
            "Now fetch_scans waits *longer*.",
        ),
        (
            "It waits for the depot.\n\n```\ncode that is not words\n```\n",
            "It waits for the depot.",
        ),
        ("It waits for the depot.\n\nShall I commit these changes now?", "It waits for the depot."),
        ("## Done\n\n- see [the page](https://example.org) for more", "see the page for more"),
        ("```\nonly code", ""),
    ],
)
def test_a_response_is_what_it_says_in_the_end(response: str, brief: str) -> None:
    assert response_in_brief(response) == brief


@given(st.text())
def test_one_bounded_line(text: str) -> None:
    for brief in (prompt_in_brief(text), response_in_brief(text)):
        assert "\n" not in brief
        assert len(brief) <= 302
