"""Collections of users' own: what is done to an open store (through the writer: tests/mcp)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma import own_store
from git_skillmesh.chroma.own import LONGEST_DOCUMENT, OwnCollections
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError, UsageError
from git_skillmesh.index.vectors import builtin_source

MODEL = "model-1"


@pytest.fixture(scope="module")
def client(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    opened = clients.open_client(
        Target("persistent", path=tmp_path_factory.mktemp("own") / "chroma"), 20
    )
    yield opened
    clients.close(opened)


def vector(number: int) -> Any:
    return np.eye(8, dtype=np.float32)[number]


def test_a_collection_is_made_once(client: Any) -> None:
    assert own_store.create(client, "made-once", "What we decided", MODEL, 8)
    assert not own_store.create(client, "made-once", "Something else", MODEL, 8)
    assert own_store.described(own_store.opened(client, "made-once")) == {
        "collection_name": "made-once", "description": "What we decided", "documents": 0,
    }  # fmt: skip
    with pytest.raises(UsageError, match="there is no collection none: chroma_list_collections"):
        own_store.opened(client, "none")


def test_documents_are_added_once_changed_and_deleted(client: Any) -> None:
    own_store.create(client, "documents", "", MODEL, 8)
    held = own_store.opened(client, "documents")
    assert own_store.add(held, "a", {"topic": "retry", "n": 1}, "wait longer", vector(0))
    assert own_store.add(held, "b", {}, "no metadata", vector(1))
    assert not own_store.add(held, "a", {"topic": "retry", "n": 1}, "wait longer", vector(0))
    others: list[tuple[dict[str, Any], str]] = [
        ({"topic": "retry"}, "wait longer"), ({"topic": "retry", "n": 1}, "no"),
    ]  # fmt: skip
    for metadata, text in others:
        with pytest.raises(UsageError, match="documents has another document a"):
            own_store.add(held, "a", metadata, text, vector(0))
    assert own_store.change(held, "a", {"n": None, "done": True, "score": 0.5}) == {
        "topic": "retry", "done": True, "score": 0.5,
    }  # fmt: skip
    assert own_store.change(held, "b", {"first": "one"}) == {"first": "one"}
    got: Any = held.get(include=["metadatas", "documents"])
    assert list(zip(got["ids"], got["metadatas"], got["documents"], strict=True)) == [
        ("a", {"topic": "retry", "done": True, "score": 0.5}, "wait longer"),
        ("b", {"first": "one"}, "no metadata"),
    ]
    own_store.delete(held, "b")
    assert held.get(include=[])["ids"] == ["a"]
    for gone in (
        lambda: own_store.delete(held, "b"),
        lambda: own_store.change(held, "b", {"a": 1}),
    ):
        with pytest.raises(UsageError, match="there is no document b in documents"):
            gone()
    with pytest.raises(ConfigurationError, match="holds vectors of model-1, not of model-2"):
        own_store.same_model(held, "model-2")


@pytest.mark.parametrize(
    "name", ["", "ab", "-ab", "a b", "a/b", "ü-notes", "x" * 65, "codebase_v1", "codebase_v1-a",
             "chat_history_v1__x", "mine__other", "a\nb"],
)  # fmt: skip
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        own_store.checked_name(name)


@pytest.mark.parametrize(
    "metadata",
    [{"a": [1]}, {"a": {"b": 1}}, {"": 1}, {"a\n": 1}, {"k" * 101: 1}, {"a": float("nan")},
     {"a": float("inf")}, {"a": 2**63}, {"chroma:document": "x"},
     dict.fromkeys(map(str, range(65)), 1)],
)  # fmt: skip
def test_metadata_that_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="metadata"):
        own_store.checked_metadata(metadata)


def test_documents_that_are_refused(tmp_path: Path) -> None:
    target = Target("persistent", path=tmp_path / "chroma")
    own = OwnCollections(target, tmp_path, builtin_source())
    for text, why in ((" \n", "empty"), ("x" * (LONGEST_DOCUMENT + 1), "at most 100000")):
        with pytest.raises(UsageError, match=why):
            own.add("notes", text)
    for name in ("codebase_v1", "nothing"):
        with pytest.raises(UsageError, match="there is no collection"):
            own.delete(name, "a")
    with pytest.raises(UsageError, match="an id has at most"):
        own.add("notes", "text", "a\x1b[31m")
