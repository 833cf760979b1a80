"""Stores of an older layout are completed where they stand; newer ones are refused."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from git_skillmesh.chroma import store
from git_skillmesh.chroma.collections import check_collections
from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.moving import upgrading
from git_skillmesh.chroma.moving.ends import End
from git_skillmesh.chroma.moving.upgrading import Upgraded, sample_of
from git_skillmesh.chroma.schemas import COLLECTIONS, SCHEMA_VERSION
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError
from testing.chroma_rows import Place, Rows, files_of, stored
from testing.moving import opened, vector_of

OLD = ("related_chat_ids", "indexed_at")


def aged(end: End, rows: Rows, *, said: "dict[str, Any] | None") -> None:
    """Make `codebase_v1` as a first version would have: fewer fields, and what `said` says."""
    configuration: Any = {"hnsw": {"space": "cosine"}}
    collection = end.client.create_collection(
        "codebase_v1", metadata=said, configuration=configuration, embedding_function=None
    )
    made = list(rows.rows(sorted(rows.files), documents=False))
    vectors: Any = [np.asarray(row.embedding, dtype=np.float32) for row in made]
    collection.upsert(
        ids=[row.id for row in made],
        embeddings=vectors,
        metadatas=[
            {**{k: v for k, v in row.metadata.items() if k not in OLD}, "row_hash": hash_of(row.id)}
            for row in made
        ],
    )


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def upgraded(end: End, rows: "Rows | None", dry_run: bool = False) -> list[Upgraded]:
    samples = {"codebase_v1": vars(sample_of(rows))} if rows else {}
    steps = list(upgrading.steps(end, samples, dry_run))
    assert steps[-1] == {"end": True}
    return [Upgraded(**step["result"]) for step in steps if "result" in step]


@pytest.fixture
def rows() -> Rows:
    return Rows(files_of(3))


@pytest.fixture
def end(tmp_path: Path) -> Iterator[End]:
    with opened(Target("persistent", path=tmp_path / "state" / "chroma")) as found:
        yield found


def vectors(end: End) -> dict[str, Any]:
    collection = end.find("codebase_v1")
    assert collection is not None
    got: Any = collection.get(include=["embeddings"])
    return {id_: vector.tolist() for id_, vector in zip(got["ids"], got["embeddings"], strict=True)}


@pytest.mark.parametrize(
    ("said", "was", "now"),
    [
        ({"schema": "codebase_v1", "schema_version": 0, "model_id": "model-1", "dimension": 16,
          "mirror:repo-a": "token", "x": 1}, 0, {"schema_version": SCHEMA_VERSION}),
        ({"model_id": "model-1"}, 0,
         {"schema": "codebase_v1", "schema_version": SCHEMA_VERSION, "dimension": 16}),
        (None, 0, {"schema": "codebase_v1", "schema_version": SCHEMA_VERSION, "dimension": 16,
                   "model_id": "model-1"}),
    ],
)  # fmt: skip
def test_what_is_missing_is_added_and_nothing_rebuilt(
    end: End, rows: Rows, said: "dict[str, Any] | None", was: int, now: dict[str, Any]
) -> None:
    aged(end, rows, said=said)
    before, uuid = vectors(end), end.find("codebase_v1").id  # type: ignore[union-attr]
    [planned] = upgraded(end, rows, dry_run=True)
    expected = Upgraded("codebase_v1", 15, was, SCHEMA_VERSION, now, dict.fromkeys(OLD, 15))
    assert planned == expected
    assert store.metadata_of(end.find("codebase_v1")) == (said or {})  # type: ignore[arg-type]
    assert upgraded(end, rows) == [expected]
    collection = end.find("codebase_v1")
    assert collection is not None
    assert collection.id == uuid
    assert vectors(end) == before
    kept = {key: value for key, value in (said or {}).items() if not key.startswith("mirror:")}
    assert store.metadata_of(collection) == {**kept, **now}
    for id_, record in stored(end.target).items():
        assert set(record["metadata"]) == set(COLLECTIONS["codebase_v1"].fields)
        assert record["metadata"]["related_chat_ids"] == ""
        assert record["metadata"]["row_hash"] == hash_of(id_)[:16] + "0" * 16
    [again] = upgraded(end, rows)
    assert (again.was, again.changed, again.problems) == (SCHEMA_VERSION, False, [])


def test_a_mirror_upgrades_by_itself(tmp_path: Path, rows: Rows) -> None:
    place = Place(
        Target("persistent", path=tmp_path / "state" / "chroma"), tmp_path / "state", rows
    )
    with opened(place.target) as end:
        said = {"schema": "codebase_v1", "schema_version": 0, "model_id": "model-1"}
        aged(end, rows, said=said)
        uuid = end.find("codebase_v1").id  # type: ignore[union-attr]
    assert place.mirror() == Outcome(upserted=15, deleted=0, rows=15)
    with opened(place.target) as end:
        collection = end.find("codebase_v1")
        assert collection is not None
        assert collection.id == uuid, "the same collection, not a new one"
        meta = store.metadata_of(collection)
        assert (meta["schema_version"], meta["dimension"]) == (SCHEMA_VERSION, 16)
    [report] = [r for r in check_collections(place.target, place.state_dir) if r.rows]
    assert (report.name, report.problems) == ("codebase_v1", ())


def test_a_model_that_nothing_proves(end: End, rows: Rows) -> None:
    aged(end, rows, said={"schema": "codebase_v1"})
    other = Rows(files_of(3), model_id="model-2")
    for known in (None, other):
        [done] = upgraded(end, known)
        assert done.problems == [
            "nobody noted which model its vectors are of, and nothing here proves it: "
            "the next index of the repository fills it anew"
        ]
        assert "model_id" not in store.metadata_of(end.find("codebase_v1"))  # type: ignore[arg-type]
    [done] = upgraded(end, rows)
    assert (done.said, done.problems) == ({"model_id": "model-1"}, [])


def test_newer_than_this_program(end: End, rows: Rows) -> None:
    said = {"schema": "codebase_v1", "schema_version": SCHEMA_VERSION + 1, "model_id": "model-1"}
    aged(end, rows, said=said)
    older = store.create(end.client, "derived_learnings_v1", "model-1", 16)
    older.modify(metadata={"schema": "derived_learnings_v1", "schema_version": 0})
    with pytest.raises(ConfigurationError) as refused:
        upgraded(end, rows)
    assert str(refused.value) == (
        f"codebase_v1 has schema {SCHEMA_VERSION + 1}, this program knows {SCHEMA_VERSION}: "
        "upgrade git-skillmesh"
    )
    found = end.find("derived_learnings_v1")
    assert store.metadata_of(found)["schema_version"] == 0, "nothing was changed before"  # type: ignore[arg-type]


def test_what_is_no_collection_of_ours(end: End) -> None:
    foreign = end.client.create_collection("codebase_v1", embedding_function=None)
    foreign.upsert(ids=["a.py:0:0"], embeddings=[vector_of(1)], metadatas=[{"file_path": "a.py"}])
    end.client.create_collection("notes", embedding_function=None)
    assert upgraded(end, None) == []
