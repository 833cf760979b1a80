"""Conditions mean the same here and in Chroma, which is asked about the same records."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.target import Target
from git_skillmesh.chroma.where import matches, parse
from git_skillmesh.errors import UsageError
from testing.examples import examples

RECORDS: dict[str, dict[str, Any]] = {
    "one": {"a": 1, "b": "x", "c": True},
    "two": {"a": 2, "b": "y", "c": False, "d": 0.5},
    "three": {"a": 3, "b": "x", "d": -1.5},
    "four": {"b": "1", "c": True},
}
NUMBERS = st.sampled_from([1, 2, 3])
WORDS = st.sampled_from(["x", "y", "1"])
OPERATIONS = st.one_of(
    st.tuples(st.just("a"), st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), NUMBERS),
    st.tuples(st.just("b"), st.sampled_from(["$eq", "$ne"]), WORDS),
    st.tuples(st.just("c"), st.sampled_from(["$eq", "$ne"]), st.booleans()),
    st.tuples(st.just("a"), st.sampled_from(["$in", "$nin"]), st.lists(NUMBERS, min_size=1)),
    st.tuples(st.just("b"), st.sampled_from(["$in", "$nin"]), st.lists(WORDS, min_size=1)),
).map(lambda found: {found[0]: {found[1]: found[2]}})
CONDITIONS = st.recursive(
    st.one_of(OPERATIONS, st.dictionaries(st.just("b"), WORDS, min_size=1)),
    lambda inner: st.tuples(
        st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=2, max_size=3)
    ).map(lambda found: {found[0]: found[1]}),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def collection(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("where") / "chroma"
    client = clients.open_client(Target("persistent", path=folder), 20)
    made: Any = client.create_collection("records", embedding_function=None)
    made.add(
        ids=list(RECORDS), metadatas=list(RECORDS.values()), embeddings=[[1.0, 0.0]] * len(RECORDS)
    )
    yield made
    clients.close(client)


@settings(max_examples=examples(30), deadline=None)
@given(condition=CONDITIONS)
def test_what_chroma_selects_is_selected(collection: Any, condition: dict[str, Any]) -> None:
    where = parse(json.dumps(condition))
    expected = set(collection.get(where=where, include=[])["ids"])
    assert {name for name, held in RECORDS.items() if matches(where, held)} == expected


def test_nothing_is_no_condition() -> None:
    for text in ("", "  ", "{}", "null"):
        assert parse(text) == {}
    assert matches({}, {"a": 1})
    assert parse('{"a": 1, "b": "x"}') == {"$and": [{"a": 1}, {"b": "x"}]}


@pytest.mark.parametrize(
    "text",
    ["nonsense", "[]", "3", '{"$and": {}}', '{"$and": []}', '{"$not": [{"a": 1}]}', '{"a": {}}',
     '{"a": {"$gt": "x"}}', '{"a": {"$gt": true}}', '{"a": {"$in": []}}', '{"a": {"$in": 3}}',
     '{"a": [1]}', '{"a": {"$eq": 1, "$ne": 2}}', '{"a": null}', '{"$or": [{"a": 1}, 3]}',
     "[" * 3000, '{"$and": [' * 40 + '{"a": 1}' + "]}" * 40],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="where cannot be used"):
        parse(text)
