"""Sessions keep everything on the way through JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions.model import (
    Act,
    Edit,
    Exchange,
    Problem,
    ToolCall,
    exchange_from_json,
    exchange_to_json,
)

words = st.text(max_size=20)
edits = st.builds(
    Edit, words, st.none() | words, st.none() | words, st.booleans(), st.integers(0, 9), words
)
calls = st.builds(
    ToolCall,
    words,
    words,
    st.sampled_from(Act),
    words,
    words,
    st.booleans(),
    words,
    st.tuples(words),
    st.lists(edits, max_size=3).map(tuple),
    st.tuples(words),
    words,
)
exchanges = st.builds(
    Exchange, words, words, words, words, words, words, st.lists(calls, max_size=3).map(tuple)
)


@given(exchanges)
def test_an_exchange_comes_back_whole(exchange: Exchange) -> None:
    stored = json.dumps(exchange_to_json(exchange))
    assert exchange_from_json(json.loads(stored)) == exchange


def test_what_is_empty_is_not_written() -> None:
    call = ToolCall("t1", "Write", Act.EDIT, edits=(Edit("a.py", after="x = 1\n", whole=True),))
    assert exchange_to_json(Exchange("e1", "write it", "", tools=(call,))) == {
        "exchange_id": "e1",
        "prompt": "write it",
        "response": "",
        "tools": [
            {
                "call_id": "t1",
                "name": "Write",
                "act": "edit",
                "edits": [{"path": "a.py", "after": "x = 1\n", "whole": True}],
            }
        ],
    }


def test_an_empty_file_is_not_a_deleted_one() -> None:
    for after in ("", None):
        call = ToolCall("t1", "Write", Act.EDIT, edits=(Edit("a.py", "x", after),))
        exchange = Exchange("e1", "empty it", "", tools=(call,))
        assert exchange_from_json(exchange_to_json(exchange)) == exchange


def test_unknown_keys_of_a_newer_version_are_left_out() -> None:
    document = {"exchange_id": "e1", "prompt": "p", "response": "r", "mood": "good"}
    assert exchange_from_json(document) == Exchange("e1", "p", "r")


def test_what_is_no_exchange_is_refused() -> None:
    with pytest.raises(TypeError):
        exchange_from_json({"prompt": "p"})
    call = {"call_id": "1", "name": "x", "act": "dance"}
    with pytest.raises(ValueError, match="dance"):
        exchange_from_json({"exchange_id": "e", "prompt": "", "response": "", "tools": [call]})


def test_a_problem_names_its_place() -> None:
    assert str(Problem("a.jsonl", 3, "no JSON")) == "a.jsonl:3: no JSON"
    assert str(Problem("a.jsonl", 0, "empty")) == "a.jsonl: empty"
