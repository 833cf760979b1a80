"""The collection is replaced when the embedding model changes, and never half."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma import store
from git_skillmesh.chroma.mirror import Outcome, lag
from git_skillmesh.chroma.model import Row
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import Unavailable
from testing.chroma_rows import Place, assert_equal, vector_of

RowsOf = Callable[[Iterable[str], bool], Iterator[Row]]


def names(place: Place) -> list[str]:
    client = clients.open_client(place.target, 20)
    try:
        return sorted(collection.name for collection in client.list_collections())
    finally:
        clients.close(client)


def test_another_model_and_dimension(filled: Place) -> None:
    filled.rows.model_id, filled.rows.dimension = "model-2", 8
    with ChromaReader(filled.target) as reader, pytest.raises(Unavailable) as caught:
        reader.query("codebase_v1", vector_of("x", "model-2", 8), 3, None, "model-2")
    assert str(caught.value) == (
        "codebase_v1 holds vectors of model-1, not of model-2: git skillmesh index"
    )
    assert lag(filled.rows, filled.target, filled.state_dir) == 12
    assert filled.mirror() == Outcome(60, 0, 60)
    assert names(filled) == ["codebase_v1"]
    assert_equal(filled.rows, filled.target)
    assert filled.mirror() == Outcome(0, 0, 60)


def test_cut_off_while_the_replacement_is_filled(
    filled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = filled.rows
    rows.model_id, rows.dimension = "model-2", 8
    monkeypatch.setattr(rows, "rows", _failing(rows.rows, "src/module_9.py"))
    with pytest.raises(ZeroDivisionError):
        filled.mirror()
    monkeypatch.undo()
    assert names(filled) == ["codebase_v1", store.staging_name("codebase_v1", "model-2", 8)]
    with ChromaReader(filled.target) as reader:
        assert reader.info("codebase_v1")["model_id"] == "model-1"
    assert filled.mirror() == Outcome(60, 0, 60)
    assert names(filled) == ["codebase_v1"]
    assert_equal(rows, filled.target)


def test_cut_off_while_the_replacement_is_swapped_in(filled: Place) -> None:
    rows = filled.rows
    rows.model_id, rows.dimension = "model-2", 8
    staging = store.staging_name("codebase_v1", "model-2", 8)
    filled.mirror()
    # Right after the renaming, before it is noted.
    _forget_the_swap(filled, staging)
    assert filled.mirror() == Outcome(0, 0, 60)
    # Between deleting the old one and renaming the new.
    with filled.tampering() as collection:
        collection.modify(name=staging)
    _forget_the_swap(filled, staging)
    assert filled.mirror() == Outcome(0, 0, 60)
    assert names(filled) == ["codebase_v1"]
    assert_equal(rows, filled.target)


def _failing(rows: RowsOf, path: str) -> RowsOf:
    def fail(paths: Iterable[str], documents: bool) -> Iterator[Row]:
        for row in rows(paths, documents):
            if row.path == path:
                raise ZeroDivisionError
            yield row

    return fail


def _forget_the_swap(place: Place, staging: str) -> None:
    """Put the ledger back to where the swap was not noted yet."""
    with sqlite3.connect(place.state_dir / "mirror.db") as ledger:
        ledger.execute("UPDATE mirror SET collection=?, state=NULL", (staging,))
    ledger.close()


def test_many_deletions_lead_to_a_fresh_collection(
    filled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Chroma does not reuse the place of a deleted vector: the index only grows.
    monkeypatch.setattr("git_skillmesh.chroma.mirror.WASTE_ROWS", 40)
    with filled.tampering() as collection:
        before = collection.id
    with sqlite3.connect(filled.state_dir / "mirror.db") as ledger:
        ledger.execute("UPDATE mirror SET deleted=60")
    ledger.close()
    filled.rows.remove("c1", "src/module_0.py")
    assert filled.mirror() == Outcome(0, 5, 55)
    filled.rows.remove("c2", "src/module_1.py")
    assert filled.mirror() == Outcome(50, 0, 50)
    with filled.tampering() as collection:
        assert collection.id != before
    assert names(filled) == ["codebase_v1"]
    assert_equal(filled.rows, filled.target)


def test_a_repository_without_rows_fits_every_dimension(tmp_path: Path) -> None:
    client = clients.open_client(Target("persistent", path=tmp_path), 20)
    try:
        first, _ = store.open_for_writing(client, "codebase_v1", "r", "m", 0, False)
        grown, staging = store.open_for_writing(client, "codebase_v1", "r", "m", 4, False)
        assert (grown.id, staging) == (first.id, False)
        assert store.metadata_of(grown)["dimension"] == 4
        again, staging = store.open_for_writing(client, "codebase_v1", "r", "m", 0, False)
        assert (again.id, staging) == (first.id, False)
        assert store.metadata_of(again)["dimension"] == 4
        # Vectors of an unknown model are not joined.
        client.create_collection(
            "chat_history_v1", configuration={"hnsw": {"space": "cosine"}}
        ).add(ids=["a"], embeddings=[1.0, 0.0], metadatas=[{"repo_id": "r"}])
        _, staging = store.open_for_writing(client, "chat_history_v1", "r", "m", 2, False)
        assert staging
    finally:
        clients.close(client)


def test_a_replacement_that_a_later_change_left_behind_is_removed(filled: Place) -> None:
    client = clients.open_client(filled.target, 20)
    store.create(client, "codebase_v1__abandoned", "model-3", 4, staging_for="codebase_v1")
    client.create_collection("codebase_v1__of_somebody_else", embedding_function=None)
    clients.close(client)
    filled.rows.edit("c1", "src/module_0.py", f0="changed")
    filled.mirror()
    assert names(filled) == ["codebase_v1", "codebase_v1__of_somebody_else"]
