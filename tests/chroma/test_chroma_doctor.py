import shutil
from pathlib import Path

from git_skillmesh.chroma.doctor import Finding, examine, repair
from git_skillmesh.chroma.mirror import Outcome, lag
from git_skillmesh.chroma.target import Target
from testing.chroma_rows import Place, Rows, assert_equal, files_of, vector_of


def ids_of(place: Place, path: str) -> list[str]:
    return [row.id for row in place.rows.rows([path], documents=False)]


def finding(kind: str, ids: list[str], message: str) -> Finding:
    return Finding(kind, "codebase_v1", tuple(ids), message)


def test_a_store_that_is_behind_is_not_damaged(filled: Place) -> None:
    filled.rows.edit("c1", "src/module_0.py", f0="changed")
    assert examine(filled.rows, filled.target, filled.state_dir) == [
        finding("behind", [], "1 changed paths are not mirrored yet")
    ]


def test_every_kind_of_damage_is_found_and_mended(filled: Place) -> None:
    gone = ids_of(filled, "src/module_0.py")
    (relabelled,) = ids_of(filled, "src/module_1.py")[:1]
    (retold,) = ids_of(filled, "src/module_2.py")[:1]
    (turned,) = ids_of(filled, "src/module_3.py")[:1]
    with filled.tampering() as collection:
        collection.delete(ids=gone)
        collection.update(ids=[relabelled], metadatas=[{"start_line": 99, "stray": True}])
        text = filled.rows.files["src/module_2.py"]["f0"]
        collection.update(
            ids=[retold],
            embeddings=[vector_of(text, "model-1", 16)],
            documents=["what nobody wrote"],
        )
        collection.update(ids=[turned], embeddings=[vector_of("else", "model-1", 16)])
        collection.add(
            ids=["stray"],
            embeddings=[vector_of("stray", "model-1", 16)],
            metadatas=[{"repo_id": "repo-a", "file_path": "src/module_0.py"}],
        )
        collection.add(
            ids=["foreign"],
            embeddings=[vector_of("foreign", "model-1", 16)],
            metadatas=[{"repo_id": "repo-b"}],
        )
    found = {f.kind: f for f in examine(filled.rows, filled.target, filled.state_dir, 60)}
    shown = ", ".join(gone[:3]) + ", …"
    assert found == {
        "missing": finding("missing", gone, f"5 records are missing: {shown}"),
        "extra": finding("extra", ["stray"], "1 records do not belong there: stray"),
        "ledger": finding("ledger", ["stray"], "1 records are not as the ledger has them: stray"),
        "metadata": finding(
            "metadata", [relabelled], f"1 records have other metadata: {relabelled}"
        ),
        "document": finding("document", [retold], f"1 records have another text: {retold}"),
        "vector": finding("vector", [turned], f"1 records have another vector: {turned}"),
        "unfindable": finding(
            "unfindable", [turned], f"1 records are not found by their own vector: {turned}"
        ),
    }
    repaired = repair(filled.rows, filled.target, filled.state_dir)
    assert (repaired.deleted, repaired.rows) == (1, 60)
    assert examine(filled.rows, filled.target, filled.state_dir, 60) == []
    assert_equal(filled.rows, filled.target)
    with filled.tampering() as collection:
        assert collection.get(ids=["foreign"])["ids"] == ["foreign"]


def test_garbage_in_the_database_is_moved_aside(filled: Place) -> None:
    damaged = filled.target.store / "chroma.sqlite3"
    damaged.write_bytes(b"garbage" * 2000)
    (found,) = examine(filled.rows, filled.target, filled.state_dir)
    assert (found.kind, found.ids) == ("unreadable", ())
    assert repair(filled.rows, filled.target, filled.state_dir) == Outcome(60, 0, 60)
    (aside,) = filled.state_dir.glob("chroma.damaged-*")
    assert (aside / damaged.name).read_bytes() == b"garbage" * 2000


def test_garbage_in_the_vector_index(tmp_path: Path) -> None:
    # Chroma keeps fewer than a thousand vectors in its database only.
    rows = Rows(files_of(21, chunks=50))
    place = Place(Target("persistent", path=tmp_path / "chroma"), tmp_path, rows)
    place.mirror()
    next(place.target.store.glob("*/data_level0.bin")).write_bytes(b"garbage")
    (found,) = examine(rows, place.target, tmp_path)
    assert (found.kind, found.ids) == ("unreadable", ())


def test_a_folder_that_was_removed(filled: Place) -> None:
    shutil.rmtree(filled.target.store)
    assert lag(filled.rows, filled.target, filled.state_dir) is None
    told = f"there is no Chroma store in {filled.target.store}"
    assert examine(filled.rows, filled.target, filled.state_dir) == [finding("absent", [], told)]
    assert repair(filled.rows, filled.target, filled.state_dir) == Outcome(60, 0, 60)
    assert_equal(filled.rows, filled.target)
