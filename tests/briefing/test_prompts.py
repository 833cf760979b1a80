"""What a prompt names."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.briefing.prompts import Named, read_prompt
from testing.examples import examples


def names(text: str) -> list[str]:
    return [f"{one.path}:{one.line}" if one.line else one.path for one in read_prompt(text).paths]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("look at src/api/client.py please", ["src/api/client.py"]),
        ("why src/a.py:12 and b.ts#L7?", ["src/a.py:12", "b.ts:7"]),
        ("see @docs/plan.md, and ./run.sh.", ["docs/plan.md", "run.sh"]),
        ('  File "/w/x/app.py", line 31, in f', ["/w/x/app.py:31"]),
        ("everything in src/parcels/ is slow", ["src/parcels"]),
        ("https://example.com/a/b.html says so", []),
        ("It stops. Then it is Done.", []),
        ("apps/[id]/page.tsx breaks", ["apps/[id]/page.tsx"]),
    ],
)
def test_paths(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("why does parse_header fail", ("parse_header",)),
        ("HTTPServer and fetchScans()", ("HTTPServer", "fetchScans")),
        ("`Depot.scans` against `retry`", ("Depot.scans", "retry")),
        ("std::vector_of in Rust", ("vector_of",)),
        ("The Depot answers. Why?", ()),
        ("run_all.py is a file", ()),
    ],
)
def test_symbols(text: str, expected: tuple[str, ...]) -> None:
    assert set(expected) <= set(read_prompt(text).symbols)
    assert bool(read_prompt(text).symbols) is bool(expected)


@pytest.mark.parametrize(
    "text",
    [
        "", "yes", "yes, go on", "ok great, please continue", "/compact", "/clear ", "\0\0\0",
        "<system-reminder>fetch_scans in src/a.py is wrong</system-reminder> go on",
        "<command-name>/init</command-name><command-args>src/a.py</command-args>",
        "This session is being continued from a previous conversation about src/a.py",
        "[Request interrupted by user]", "commit and push", "looks good to me, thanks!",
    ],
)  # fmt: skip
def test_prompts_that_ask_for_nothing(text: str) -> None:
    assert read_prompt(text).is_idle


def test_words_are_stems_and_topics_leave_paths_out() -> None:
    prompt = read_prompt("retries in src/depot/tracking.py should wait longer for depots")
    assert prompt.words == ("retri", "src", "depot", "track", "wait", "longer")
    assert prompt.topics == ("retri", "wait", "longer", "depot")
    assert not prompt.asks_why
    assert read_prompt("why does the depot wait").asks_why


@settings(max_examples=examples(60), deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    prompt = read_prompt(text)
    assert all(isinstance(one, Named) and one.path for one in prompt.paths)
    assert len(prompt.paths) <= 12


@pytest.mark.parametrize(
    "unit",
    [
        "a/",
        "a.",
        "(",
        "[",
        "`a.",
        "a_",
        "aB",
        "<system-reminder>",
        'File "',
        "~~~\n",
        "@",
        "x" * 199 + " ",
        "a." * 99 + " ",
        "@" * 200 + "\n",
        "a/" * 100 + " ",
        "aB" * 100 + "- ",
    ],
)
def test_hostile_prompts_take_no_time(unit: str) -> None:
    before = time.process_time()
    read_prompt(unit * (200_000 // len(unit)))
    assert time.process_time() - before < 0.5
