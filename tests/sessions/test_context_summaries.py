"""Prompts and responses in a sentence or two, whatever they hold."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions.summaries import (
    LONGEST,
    cut,
    summary_of_prompt,
    summary_of_response,
)

BUILD_LOG = """given what you know about @apps/docs/ fix this build error
➜  docs git:(main) npm run build

> docs@0.1.0 build
> next build

[21:34:03.175] Creating an optimized production build ...
Failed to compile.
/srv/app/provider.tsx:12:3
npm error code ELIFECYCLE
    at Object.<anonymous> (/srv/app/index.js:1:1)
"""
PLAN = """Implement the following plan:

# Retry lost scans

## Context

| file | why |
|---|---|
| scan.py | holds the loop |

```python
for scan in scans: pass
```

1. Wait longer each time.
2. Please **do not** touch `scan_all`, see [the notes](https://example.org/notes).
"""
ANSWER = """I'll look at how scans are started.

Let me read the loop first.

Now let me run the tests.

The scans were lost because the loop stopped at the first timeout. I've added a retry that waits \
longer each time.

| file | lines |
|---|---|
| scan.py | 12 |

Want me to commit this?
"""


def test_short_prompts_are_their_own_summary() -> None:
    assert summary_of_prompt("yeah please fix all 11 issues") == "yeah please fix all 11 issues"
    assert summary_of_prompt("/clear") == "/clear"
    assert summary_of_prompt("") == ""
    assert summary_of_response(" \n\t\n") == ""


def test_what_was_pasted_is_left_out() -> None:
    assert summary_of_prompt(BUILD_LOG) == (
        "given what you know about @apps/docs/ fix this build error; Failed to compile."
    )


def test_marks_of_markdown_tables_and_code_are_left_out() -> None:
    assert summary_of_prompt(PLAN) == (
        "Implement the following plan: Retry lost scans; \u2026 "
        "Please do not touch scan_all, see the notes."
    )


def test_an_answer_is_what_came_of_it() -> None:
    assert summary_of_response(ANSWER) == (
        "The scans were lost because the loop stopped at the first timeout. "
        "I've added a retry that waits longer each time."
    )


@pytest.mark.parametrize(
    ("prompt", "summary"),
    [
        (
            "Hallo!\nDie Suche findet nichts mehr. Bitte behebe das.\n```\nKeyError: 'q'\n```",
            "Die Suche findet nichts mehr. Bitte behebe das.",
        ),
        (
            "搜索功能坏了。请修复它。\n```\nKeyError\n```\n谢谢。",
            "搜索功能坏了。 请修复它。",
        ),
        (
            "La recherche ne trouve rien. Peux-tu corriger ça ?\n2024-03-01T10:00:00 ERROR boom",
            "La recherche ne trouve rien. Peux-tu corriger ça ?",
        ),
    ],
)
def test_any_language(prompt: str, summary: str) -> None:
    assert summary_of_prompt(prompt) == summary


def test_the_ask_is_found_behind_much_else() -> None:
    details = " ".join(f"Detail number {n} of the story goes on for a while." for n in range(60))
    summary = summary_of_prompt(f"The import is slow. {details} Can you make it faster?")
    assert summary.startswith("The import is slow. ")
    assert summary.endswith("\u2026 Can you make it faster?")


def test_nothing_but_a_log_is_better_than_nothing() -> None:
    assert summary_of_prompt("```\nKeyError: 'q'\n```") == "KeyError: 'q'"


def test_control_characters_and_reversed_writing_are_kept_out() -> None:
    hostile = (
        "\x1b]0;owned\x07\x1b[31mFix\x1b[0m the\x00 \u202epath\u200b\r\nof a\x9b file\x7f\ud800"
    )
    assert summary_of_prompt(hostile) == "Fix the path of a file"


@given(st.text(max_size=400), st.booleans())
def test_any_text(text: str, answer: bool) -> None:
    summary = summary_of_response(text) if answer else summary_of_prompt(text)
    assert len(summary) <= LONGEST
    assert summary.isprintable()
    assert summary == summary.strip()


@pytest.mark.parametrize(
    "piece",
    ["a", "a ", "a. ", "\n", "*", "**a", "`", "```\n", "<", "<a ", "[", "![", "[a](", "|", "\x1b[",
     "ok ", "ok, ", "-", "- ", "a:", "1:", "a@", "/a", "Let me ", "#", "  ", "\u3002", "const a: "],
)  # fmt: skip
def test_ten_megabytes_take_bounded_time(piece: str) -> None:
    text = piece * (10_000_000 // len(piece))
    start = time.process_time()
    summary_of_prompt(text)
    summary_of_response(text)
    assert time.process_time() - start < 3


def test_cut_between_words() -> None:
    assert cut("one two three", 13) == "one two three"
    assert cut("one two three", 12) == "one two\u2026"
    assert cut("x" * 20, 10) == "x" * 9 + "\u2026"
