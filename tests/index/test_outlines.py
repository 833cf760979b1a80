"""Outlines in the catalogue: kept whole, short, and added to older catalogues."""

import sqlite3
from pathlib import Path

import pytest

from git_skillmesh.chunking import Chunk, chunk
from git_skillmesh.chunking.model import Definition
from git_skillmesh.errors import Damaged
from git_skillmesh.index.database import SCHEMA_VERSION
from git_skillmesh.index.outlines import decode, encode
from testing.indexing import ask, index
from testing.repos import make_repo
from tests.chunking.sample_files import SAMPLES

SOURCE = "# two\n\nclass A:\n    def one(self): ...\n\n    def two(self): ...\n"


def kept(one: Chunk) -> tuple[Definition, ...]:
    return tuple(decode(encode(one), one.symbol, one.kind, one.start_line, one.end_line))


def test_what_is_written_is_read_again() -> None:
    for sample in SAMPLES:
        for one in chunk(sample.source, sample.language):
            assert kept(one) == one.outline


def test_lines_count_from_the_chunk_and_paths_share_their_beginning() -> None:
    (one,) = chunk(SOURCE.encode(), "python")
    assert encode(one) == "2 2 5 2 1 \n3 3 3 1 1 .one\n5 5 5 1 2 two"


def test_a_chunk_that_is_its_definition_needs_no_outline() -> None:
    (function,) = chunk(b"def f():\n    pass\n", "python")
    (text,) = chunk(b"Nothing defined.\n", "text")
    assert (encode(function), encode(text)) == (None, "")
    assert kept(function) == (Definition("f", "function", 1, 1, 2),)
    assert kept(text) == ()


@pytest.mark.parametrize("text", ["x", "1 1 1 1", "1 1 1 99 0 a", "1 1 1 1 x a"])
def test_damage_is_reported(text: str) -> None:
    with pytest.raises(Damaged):
        decode(text, "a", "function", 1, 2)


def test_a_catalogue_without_outlines_is_upgraded(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": SOURCE})
    index(repo)
    path = repo.path / ".git/skillmesh/index/catalogue.db"
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE chunks DROP COLUMN outline")
        connection.execute("UPDATE files SET reading = '1' || substr(reading, 2)")
        connection.execute("DELETE FROM trees")
        for table in ("linked_paths", "links", "traced", "origins"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    (hit,) = ask(repo, "two").hits
    assert (hit.symbol, hit.line) == ("A.two", 6)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()
