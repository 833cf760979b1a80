from pathlib import Path

import pytest

from git_skillmesh.chroma.ledger import Known, Ledger, Record


def known(path: str, row_hash: str = "h", commit: str = "c") -> Known:
    return Known(path, row_hash, "content", commit)


def test_a_batch_is_unknown_until_it_is_recorded(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        mirror = ledger.of("t", "r", "uuid", "codebase_v1", "m").id
        ledger.mark_unknown(mirror, [("a", "p"), ("b", "q")])
        assert ledger.unknown_paths(mirror) == {"p", "q"}
        ledger.record(mirror, [("a", known("p"))], ["b"])
        assert ledger.unknown_paths(mirror) == set()
        found = ledger.find("t", "r", "codebase_v1")
        assert found is not None
        assert found.deleted == 1
        assert ledger.known(mirror, ["a", "b"]) == {"a": known("p")}
        ledger.mark_unknown(mirror, [("a", "p")])
        # The commit stays known while the record is in flight.
        assert ledger.known(mirror, ["a"]) == {"a": known("p", row_hash="")}
        assert (ledger.count(mirror), ledger.recent_commits(mirror)) == (1, ["c"])


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        mirror = ledger.of("t", "r", "uuid", "codebase_v1", "m").id
        ledger.announce(mirror, "token")
        ledger.complete(mirror, "state", "token")
        ledger.announce(mirror, "next")
    with Ledger(tmp_path) as ledger:
        assert ledger.find("t", "r", "codebase_v1") == Record(
            mirror, "codebase_v1", "uuid", "state", "m", 0, ("token", "next")
        )
        assert ledger.find("other", "r", "codebase_v1") is None


def test_a_replacement_takes_the_place_of_the_old_collection(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        old = ledger.of("t", "r", "old", "codebase_v1", "m1").id
        ledger.record(old, [("a", known("p"))], [])
        new = ledger.of("t", "r", "new", "codebase_v1__x", "m2").id
        ledger.record(new, [("b", known("q"))], [])
        found = ledger.find("t", "r", "codebase_v1")
        assert found is not None
        assert found.id == old
        ledger.of("t", "r", "new", "codebase_v1", "m2")
        found = ledger.find("t", "r", "codebase_v1")
        assert found is not None
        assert (found.id, found.model) == (new, "m2")
        assert list(ledger.ids(old)) == []
        assert list(ledger.ids(new)) == ["b"]


def test_believing_the_store_keeps_what_is_in_flight_unknown(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        mirror = ledger.of("t", "r", "uuid", "codebase_v1", "m").id
        ledger.record(mirror, [(id_, known("p")) for id_ in "abc"], [])
        ledger.mark_unknown(mirror, [("a", "p")])
        ledger.replace(mirror, [("a", "h", "p", "c"), ("b", "h", "p", "c"), ("d", "x", "q", "e")])
        assert ledger.known(mirror, list("abcd")) == {
            "a": Known("p", "", "", "c"),
            "b": Known("p", "h", "content", "c"),
            "d": Known("q", "x", "", "e"),
        }


def test_commits_that_are_gone_lead_to_their_paths(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        mirror = ledger.of("t", "r", "uuid", "codebase_v1", "m").id
        rows = [("a", known("p", commit="1")), ("b", known("q", commit="2"))]
        ledger.record(mirror, rows, [])
        assert sorted(ledger.recent_commits(mirror)) == ["1", "2"]
        assert ledger.paths_of_commits(mirror, {"2"}) == {"q"}
        ledger.forget_commits(mirror, ["2"])
        assert ledger.recent_commits(mirror) == ["1"]


def test_more_ids_than_sqlite_takes_at_once(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        mirror = ledger.of("t", "r", "uuid", "codebase_v1", "m").id
        ids = [f"id{n}" for n in range(1200)]
        ledger.record(mirror, [(id_, known(id_)) for id_ in ids], [])
        assert sorted(ledger.known(mirror, ids)) == sorted(ids)
        assert sorted(ledger.ids(mirror, ids)) == sorted(ids)


@pytest.mark.parametrize("content", [b"garbage" * 1000, b""])
def test_a_file_that_cannot_be_read_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mirror.db").write_bytes(content)
    with Ledger(tmp_path) as ledger:
        assert ledger.find("t", "r", "codebase_v1") is None
        assert ledger.count(ledger.of("t", "r", "u", "codebase_v1", "m").id) == 0
