import dataclasses

import numpy as np
import pytest

from git_skillmesh.chroma.ledger import Known
from git_skillmesh.chroma.model import Row
from git_skillmesh.chroma.prepare import HALF, prepare

ROW = Row(
    id="id",
    path="src/a.py",
    embedding=[1.0, 2.0],
    metadata={"file_path": "src/a.py", "commit_sha": "new", "indexed_at": "now", "start_line": 1},
    document="text",
    content_hash="same",
)


def test_the_hash_has_a_half_for_the_content_and_one_for_the_metadata() -> None:
    base = prepare(ROW, None, frozenset(), "repo")
    moved = prepare(
        dataclasses.replace(ROW, metadata={**ROW.metadata, "start_line": 2}),
        None,
        frozenset(),
        "repo",
    )
    later = prepare(
        dataclasses.replace(ROW, metadata={**ROW.metadata, "indexed_at": "later"}),
        None,
        frozenset(),
        "repo",
    )
    turned = prepare(
        dataclasses.replace(ROW, embedding=np.array([1, 3], np.float32)), None, frozenset(), "repo"
    )
    silent = prepare(dataclasses.replace(ROW, document=None), None, frozenset(), "repo")
    empty = prepare(dataclasses.replace(ROW, document=""), None, frozenset(), "repo")
    assert later.row_hash == base.row_hash
    assert moved.row_hash[:HALF] == base.row_hash[:HALF]
    assert moved.row_hash[HALF:] != base.row_hash[HALF:]
    halves = {record.row_hash[:HALF] for record in (base, turned, silent, empty)}
    assert len(halves) == 4
    assert turned.row_hash[HALF:] == base.row_hash[HALF:]


def test_the_record_carries_the_repository_and_its_hash() -> None:
    record = prepare(ROW, None, frozenset(), "repo")
    assert record.metadata == {
        "file_path": "src/a.py",
        "commit_sha": "new",
        "indexed_at": "now",
        "start_line": 1,
        "repo_id": "repo",
        "row_hash": record.row_hash,
    }
    assert record.vector == np.array([1, 2], "<f4").tobytes()
    assert record.known == Known("src/a.py", record.row_hash, "same", "new")


@pytest.mark.parametrize(
    ("old", "valid", "commit"),
    [
        (Known("p", "h", "same", "old"), {"old"}, "old"),
        (Known("p", "h", "same", "old"), set(), "new"),
        (Known("p", "h", "other", "old"), {"old"}, "new"),
        (Known("p", "h", "", "old"), {"old"}, "new"),
        (Known("p", "BODY", "", "old"), {"old"}, "old"),
        (None, {"old"}, "new"),
    ],
)
def test_an_unchanged_chunk_keeps_the_commit_that_is_still_valid(
    old: Known | None, valid: set[str], commit: str
) -> None:
    body = prepare(ROW, None, frozenset(), "repo").row_hash[:HALF]
    if old is not None and old.row_hash == "BODY":
        old = dataclasses.replace(old, row_hash=body)
    record = prepare(ROW, old, frozenset(valid), "repo")
    assert record.metadata["commit_sha"] == commit


def test_bytes_that_are_no_text_become_visible() -> None:
    path = b"caf\xe9.py".decode("utf-8", "surrogateescape")
    row = dataclasses.replace(ROW, path=path, metadata={"file_path": path}, document="a\udcffb")
    record = prepare(row, None, frozenset(), "repo")
    assert record.path == record.metadata["file_path"] == "caf\\udce9.py"
    assert record.document == "a\\udcffb"


def test_a_vector_that_is_no_vector_is_refused() -> None:
    with pytest.raises(ValueError, match="the vector of id is not finite"):
        prepare(dataclasses.replace(ROW, embedding=[1.0, float("nan")]), None, frozenset(), "repo")
