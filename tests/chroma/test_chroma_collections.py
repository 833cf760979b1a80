from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma import store
from git_skillmesh.chroma.collections import (
    CollectionReport,
    check_collections,
    ensure_collections,
)
from git_skillmesh.chroma.schemas import COLLECTIONS, SCHEMA_VERSION
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError, Unavailable
from testing.chroma_rows import Place

EMBEDDINGS = {name: {"model_id": "model-1", "dimension": "16"} for name in COLLECTIONS}


def report(name: str, status: Any, rows: int = 0, *problems: str) -> CollectionReport:
    return CollectionReport(
        name, status, rows, SCHEMA_VERSION, "cosine", "model-1", 16, tuple(problems)
    )


def test_all_are_created_and_then_in_order(tmp_path: Path) -> None:
    target = Target("persistent", path=tmp_path / "chroma")
    with pytest.raises(Unavailable):
        check_collections(target, tmp_path)
    assert ensure_collections(target, tmp_path, EMBEDDINGS) == [
        report(name, "created") for name in COLLECTIONS
    ]
    assert check_collections(target, tmp_path) == [report(name, "ok") for name in COLLECTIONS]


def test_one_is_there_and_the_others_are_missing(filled: Place) -> None:
    assert check_collections(filled.target, filled.state_dir) == [
        report("codebase_v1", "ok", 60),
        *(
            CollectionReport(name, "missing", problems=("it does not exist",))
            for name in list(COLLECTIONS)[1:]
        ),
    ]


def test_what_is_wrong_is_said_and_older_versions_are_upgraded(filled: Place) -> None:
    client = clients.open_client(filled.target, 20)
    chats = client.create_collection("chat_history_v1", embedding_function=None)
    chats.add(ids=["a"], embeddings=[1.0, 2.0], metadatas=[{"session_id": "s"}])
    old = client.get_collection("codebase_v1", embedding_function=None)
    token = (old.metadata or {})["mirror:repo-a"]
    old.modify(metadata={**(old.metadata or {}), "schema_version": 0})
    clients.close(client)
    found = ensure_collections(filled.target, filled.state_dir, EMBEDDINGS)
    assert found[0] == report("codebase_v1", "upgraded", 60)
    lacking = sorted(set(COLLECTIONS["chat_history_v1"].fields) - {"session_id"})
    assert found[1] == CollectionReport(
        "chat_history_v1",
        "wrong",
        1,
        0,
        "l2",
        "",
        2,
        ("its space is l2, not cosine", "records lack " + ", ".join(lacking)),
    )
    assert [each.status for each in found[2:]] == ["created"] * 3
    # An upgrade keeps what mirrors left in the metadata: nothing has to be read again.
    with filled.tampering() as collection:
        assert collection.metadata["mirror:repo-a"] == token


def test_a_newer_version_is_refused_and_left_alone(filled: Place) -> None:
    with filled.tampering() as collection:
        collection.modify(metadata={**(collection.metadata or {}), "schema_version": 99})
    told = f"codebase_v1 has schema 99, this program knows {SCHEMA_VERSION}: upgrade git-skillmesh"
    client = clients.open_client(filled.target, 20)
    with pytest.raises(ConfigurationError) as caught:
        store.ensure(client, EMBEDDINGS)
    clients.close(client)
    assert str(caught.value) == told
    filled.rows.edit("c1", "src/module_0.py", f0="changed")
    with pytest.raises(ConfigurationError) as caught:
        filled.mirror()
    assert str(caught.value) == told
    found = check_collections(filled.target, filled.state_dir)[0]
    assert (found.rows, found.schema_version, found.problems) == (
        60,
        99,
        (f"its schema 99 is newer than this program's {SCHEMA_VERSION}",),
    )


class Counted:
    """A collection of `rows`, of which the first `ours` are of the repository that is asked for."""

    def __init__(self, rows: int, ours: int) -> None:
        self.rows, self.ours, self.asked = rows, ours, 0

    def count(self) -> int:
        return self.rows

    def get(self, where: object, limit: int, offset: int, include: object) -> dict[str, list[int]]:
        self.asked += 1
        return {"ids": list(range(self.ours))[offset : offset + limit]}


def test_rows_are_counted_with_few_requests() -> None:
    def count(rows: int, ours: int, guess: int | None) -> tuple[int, int]:
        held: Any = Counted(rows, ours)
        return store.count(held, "repo", guess), held.asked

    assert count(300_000, 150_000, 150_000) == (150_000, 1)
    assert count(300_000, 300_000, None) == (300_000, 1)
    assert count(300_000, 0, 0) == (0, 1)
    assert count(0, 0, 7) == (0, 0)
    for guess, most in ((149_990, 10), (150_020, 11), (0, 40), (None, 40)):
        found, asked = count(300_000, 150_000, guess)
        assert (found, asked <= most) == (150_000, True), (guess, asked)
    for rows in range(9):
        for ours in range(rows + 1):
            for guess in (None, *range(-1, 11)):
                assert count(rows, ours, guess)[0] == ours, (rows, ours, guess)
