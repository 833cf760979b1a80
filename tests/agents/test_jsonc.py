"""The reader of JSON with comments: it agrees with json, and knows places and mistakes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.agents.jsonc import Node, NotJson, line_of, parse
from testing.examples import examples

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=examples(25))
@given(VALUES, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_it_reads_what_json_reads(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert repr(parse(text).value) == repr(json.loads(text))
    held = f'{{"a": {text}, "b": [{text},]}}'
    whole, quick = parse(held), parse(held, frozenset("c"))
    assert repr(quick.value) == repr(whole.value)
    assert quick.children == whole.children


@settings(max_examples=examples(80))
@given(st.text(st.sampled_from('{}[],:"a1 \n/*-\\te')))
def test_what_json_refuses_is_refused(text: str) -> None:
    """But for comments, and a comma after the last."""
    strict, lenient = _or_none(json.loads, text), _or_none(parse, text)
    if strict is not None:
        assert lenient is not None
        assert repr(lenient.value) == repr(strict[0])
    else:
        assert lenient is None or "/" in text or "," in text


def _or_none(read: Callable[[str], Any], text: str) -> Any:
    """Return what a text says: nodes as they are, other values in a list."""
    try:
        found = read(text)
    except NotJson as error:
        return None if 1 <= error.line <= text.count("\n") + 1 else [error]
    except ValueError:
        return None
    return found if isinstance(found, Node) else [found]


def test_places() -> None:
    text = '\ufeff{\r\n  // one\n  "a": [1, /* 2 */ {"b": "//"},],\n  "a": true\n}\n'
    root = parse(text)
    assert root.value == {"a": True}
    first, second = root.members
    assert text[first.start : first.end] == '"a": [1, /* 2 */ {"b": "//"},]'
    assert [text[s:e] for s, e in first.value.children] == ["1", '{"b": "//"}']
    assert root.member("a") is second
    assert root.at(("a",)) is second.value
    assert root.at(("a", "b")) is None
    assert line_of(text, second.start) == 4


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", 1, "it ends too early"),
        ('{"a": 1\n "b": 2}', 2, "a comma or } is missing"),
        ("[1,,2]", 1, "',' begins no value"),
        ("{,}", 1, "a key in quotes is missing"),
        ('{"a" 1}', 1, "a colon is missing"),
        ("{'a': 1}", 1, "a key in quotes is missing"),
        ('{"a": "x\ny"}', 1, "a string does not end in its line"),
        ('{"a": "\\q"}', 1, "a string with an escape that is none"),
        ("{} {}", 1, "more than one value"),
        ("{\n/* a", 2, "a comment does not end"),
        ("[" * 300, 1, "deeper than 200 levels"),
        ("[NaN]", 1, "'N' begins no value"),
        ("1" * 5000, 1, "a number with too many digits"),
    ],
)
def test_what_is_wrong(text: str, line: int, why: str) -> None:
    with pytest.raises(NotJson) as caught:
        parse(text)
    assert (caught.value.line, caught.value.why) == (line, why)
