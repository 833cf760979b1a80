"""Records of an exchange: laws of uniting them, and what a grown exchange adds."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions.model import Act, Edit, Exchange, ToolCall
from git_skillmesh.sessions.records import (
    Incomplete,
    Record,
    additions,
    decode,
    digest,
    encode,
    exchange_of,
    records_of,
    unite,
)
from testing.memory import make_exchange

words = st.text(max_size=6)
calls = st.builds(
    ToolCall,
    st.sampled_from(["", "a", "b", "b~1"]),
    words,
    st.sampled_from(Act),
    words,
    words,
    st.booleans(),
    edits=st.lists(st.builds(Edit, words, st.none() | words, words), max_size=2).map(tuple),
)
exchanges = st.builds(
    Exchange, st.just("e"), words, words, tools=st.lists(calls, max_size=4).map(tuple)
)


@given(exchanges)
def test_an_exchange_comes_back_from_its_lines(exchange: Exchange) -> None:
    assert exchange_of(unite(decode(encode(records_of(exchange))))) == exchange


def test_half_a_surrogate_pair_comes_back() -> None:
    exchange = Exchange("e", "\ud800", "\udfff\u00e9")
    assert exchange_of(unite(decode(encode(records_of(exchange))))) == exchange


@given(st.lists(exchanges, min_size=1, max_size=4), st.randoms())
def test_the_order_of_records_is_immaterial(made: list[Exchange], chance: object) -> None:
    """Each is stored over what is there, as several imports would; then all is shuffled."""
    records: list[Record] = []
    for exchange in made:
        state = unite(records) if records else {}
        new = additions(state, exchange)
        records += new
        assert additions(unite(records), exchange) == []
    state = unite(records)
    for order in itertools.islice(itertools.permutations(records), 30):
        assert unite(order) == state
    assert unite(records + records) == state


def test_a_grown_exchange_adds_only_what_is_new() -> None:
    old = make_exchange(1, calls=1, response="I begin, with quite a few words to say.")
    new = replace(
        make_exchange(1, calls=2, response=old.response + " Then I end."),
        ended="2024-03-01T13:00:00Z",
    )
    state = unite(records_of(old))
    text, call = additions(state, new)
    assert text == {
        "base": digest(state[""]),
        "append": {"response": " Then I end."},
        "set": {"ended": "2024-03-01T13:00:00Z"},
    }
    assert call == records_of(new)[2]
    assert exchange_of(unite([*records_of(old), call, text])) == new


def test_two_ways_to_grow_end_as_the_richest() -> None:
    start = make_exchange(1, calls=1, response="start, and so on for some time,")
    one = replace(start, response=start.response + " left")
    two = replace(start, response=start.response + " right turn", tools=())
    records = records_of(start)
    state = unite(records)
    both = [*records, *additions(state, one), *additions(state, two)]
    assert exchange_of(unite(both)) == replace(two, tools=start.tools)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no json\n", "Expecting value"),
        (b"[1]\n", "a line is no JSON object"),
        (b'{"prompt": "p"}\n', "a record is neither a text nor a tool call"),
        (b'{"base": "0000", "append": {}, "set": {}}\n', "the record 0000 is missing"),
        (b'{"call_id": "c", "name": "n", "act": "edit"}\n', "KeyError"),
        (b'{"exchange_id": "e"}\n', "TypeError"),
        (b'{"exchange_id": "e", "prompt": "", "response": ""}\n{"call_id": "c"}\n', "KeyError"),
    ],
)
def test_what_is_no_exchange_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(Incomplete, match=said):
        exchange_of(unite(decode(data)))


def test_growth_that_does_not_fit_is_refused() -> None:
    (text,) = records_of(Exchange("e", "p", "r"))
    growth = {"base": digest(text), "append": {"mood": "x"}, "set": {}}
    with pytest.raises(Incomplete, match="does not fit it"):
        unite([text, growth])
