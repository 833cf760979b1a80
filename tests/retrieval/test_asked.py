"""What a query is besides words."""

import pytest

from git_skillmesh.retrieval.asked import Form, read_query


@pytest.mark.parametrize(
    ("text", "phrases", "message"),
    [
        ('where is "unknown option" raised', ("unknown option",), ""),
        ('"unknown option"', ("unknown option",), ""),
        ('"timeout"', ("timeout",), ""),
        ("what does `retry` do", (), ""),
        ("'two words' here", ("two words",), ""),
        ("don't use isn't", (), ""),
        ("ValueError: unknown option 'foo'", (), "unknown option 'foo'"),
        ("error: too many arguments", (), "too many arguments"),
        ("Failed to render schema", (), "Failed to render schema"),
        ("how is a failed request sent again", (), ""),
        ("parse_header", (), ""),
    ],
)
def test_phrases_and_messages(text: str, phrases: tuple[str, ...], message: str) -> None:
    asked = read_query(text)
    assert (asked.phrases, asked.message) == (phrases, message)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("tool.ruff.lint.select", (("tool", "ruff", "lint", "select"),)),
        ("where is compilerOptions.strict set", (("compilerOptions", "strict"),)),
        ("line-length", (("line-length",),)),
        ("where is schedule set", (("schedule",),)),
        ("the max_retries setting", (("max_retries",),)),
        ("where is max_retries used", ()),
        ("how connection pooling works", ()),
        ("Router.add()", ()),
    ],
)
def test_keys(text: str, keys: tuple[tuple[str, ...], ...]) -> None:
    assert read_query(text).keys == keys


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("how do I configure logging", Form.HOW_TO),
        ("What is a session?", Form.HOW_TO),
        ("why are hooks skipped", Form.HOW_TO),
        ("configuring the sandbox", Form.TOPIC),
        ("which release dropped Python 3.7", Form.RELEASE),
        ("upgrading to 3.0", Form.RELEASE),
        ("how does the router match a path", Form.CODE),
        ("where is a header parsed", Form.CODE),
        ("what is the function that parses a header", Form.CODE),
        ("parse_header", Form.CODE),
    ],
)
def test_the_form_of_a_question(text: str, form: Form) -> None:
    assert read_query(text).form is form


def test_a_trace_is_looked_up_by_its_message_and_functions() -> None:
    asked = read_query("TypeError: no size\n    at send (/srv/lib/reply.js:120:7)\n")
    assert asked.words == "TypeError: no size\nsend"
    assert asked.message == "no size"
    assert asked.form is Form.CODE
