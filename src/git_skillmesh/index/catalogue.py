"""The catalogue: which file versions, chunks, segments and trees the index knows.

In: rows. Out: rows. One SQLite database in WAL mode, so that readers never wait for the writer;
writers hold the index lock (index/locks.py). Paths and object ids are stored as bytes: git's
paths need not be UTF-8.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..chunking.model import Definition
from ..errors import Damaged
from .database import REBUILD, damage_reported, open_database
from .outlines import decode


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One chunk of a file version, as stored; `outline` as outlines.py writes it."""

    ordinal: int
    symbol: str
    kind: str
    key: str
    start_line: int
    end_line: int
    content_hash: bytes
    outline: str | None = None

    def definitions(self) -> Sequence[Definition]:
        """Return what begins in the chunk, in order. Raises `Damaged`."""
        return decode(self.outline, self.symbol, self.kind, self.start_line, self.end_line)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One version of a file, as stored."""

    id: int
    path: str
    blob: str
    reading: str
    language: str
    skip: str | None
    bytes: int
    chunks: int
    segment: int | None
    first_row: int | None


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file version to be stored; `first_row` counts within the segment it comes with."""

    path: str
    blob: str
    reading: str
    language: str
    skip: str | None
    bytes: int
    first_row: int
    chunks: Sequence[ChunkRow]


_CHUNK_COLUMNS = "ordinal, symbol, kind, key, start_line, end_line, content_hash, outline"
# Chunks or files asked for with one statement.
_AT_ONCE = 200
_FILE_COLUMNS = "id, path, blob, reading, language, skip, bytes, chunks, segment, first_row"


class Catalogue:
    """Access to the database; open it with `open_catalogue`."""

    def __init__(self, connection: sqlite3.Connection, writable: bool) -> None:
        self.connection = connection
        self.writable = writable

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything the block writes, or nothing."""
        with damage_reported():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with damage_reported():
            return self.connection.execute(sql, values).fetchall()

    def meta(self, name: str) -> str | None:
        """Return a stored fact."""
        found = self.rows("SELECT value FROM meta WHERE name = ?", (name,))
        return str(found[0][0]) if found else None

    def set_meta(self, name: str, value: str) -> None:
        """Store a fact."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    # files and chunks

    def file_id(self, path: str, blob: str, reading: str) -> int | None:
        """Return the id of a file version that was read under these rules."""
        sql = "SELECT id FROM files WHERE path = ? AND blob = ? AND reading = ?"
        values = (os.fsencode(path), bytes.fromhex(blob), reading)
        with damage_reported():
            row = self.connection.execute(sql, values).fetchone()
        return int(row[0]) if row is not None else None

    def ids_of_path(self, path: str) -> list[int]:
        """Return the ids of all stored versions of a path."""
        rows = self.rows("SELECT id FROM files WHERE path = ?", (os.fsencode(path),))
        return [int(row[0]) for row in rows]

    def files(self, ids: Iterable[int]) -> dict[int, FileRow]:
        """Return the rows of file versions by id."""
        wanted = [int(number) for number in ids]
        found: dict[int, FileRow] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            sql = f"SELECT {_FILE_COLUMNS} FROM files WHERE id IN ({marks})"
            found |= {row[0]: _file_row(row) for row in self.rows(sql, part)}
        return found

    def all_files(self) -> Iterator[FileRow]:
        """Yield every stored file version."""
        for row in self.rows(f"SELECT {_FILE_COLUMNS} FROM files"):
            yield _file_row(row)

    def chunks(self, file: int) -> list[ChunkRow]:
        """Return the chunks of a file version in order."""
        rows = self.rows(
            f"SELECT {_CHUNK_COLUMNS} FROM chunks WHERE file = ? ORDER BY ordinal", (file,)
        )
        return [_chunk_row(row) for row in rows]

    def chunk(self, file: int, ordinal: int) -> ChunkRow:
        """Return one chunk. Raises `Damaged`."""
        rows = self.rows(
            f"SELECT {_CHUNK_COLUMNS} FROM chunks WHERE file = ? AND ordinal = ?", (file, ordinal)
        )
        if not rows:
            raise Damaged("the index lost a chunk", REBUILD)
        return _chunk_row(rows[0])

    def chunks_at(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], ChunkRow]:
        """Return some chunks by file and ordinal. Raises `Damaged`."""
        found: dict[tuple[int, int], ChunkRow] = {}
        for start in range(0, len(places), _AT_ONCE):
            part = places[start : start + _AT_ONCE]
            rows = self.rows(
                # In this order, or SQLite goes through all chunks.
                f"SELECT file, {_CHUNK_COLUMNS}"
                f" FROM (VALUES {','.join(['(?, ?)'] * len(part))}) CROSS JOIN chunks"
                " ON file = column1 AND ordinal = column2",
                [number for place in part for number in place],
            )
            found |= {(row[0], row[1]): _chunk_row(row[1:]) for row in rows}
        if len(found) < len(set(places)):
            raise Damaged("the index lost a chunk", REBUILD)
        return found

    def next_file_id(self) -> int:
        """Return an id above every stored one."""
        row = self.rows("SELECT coalesce(max(id), 0) + 1 FROM files")[0]
        return int(row[0])

    def add_files(self, files: Sequence[NewFile], segment: int | None, base: int) -> None:
        """Store file versions with ids `base`, `base + 1`, …; call inside a transaction."""
        now = int(time.time())
        self.connection.executemany(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    base + number,
                    os.fsencode(file.path),
                    bytes.fromhex(file.blob),
                    file.reading,
                    file.language,
                    file.skip,
                    file.bytes,
                    len(file.chunks),
                    segment if file.chunks else None,
                    file.first_row if file.chunks else None,
                    now,
                )
                for number, file in enumerate(files)
            ),
        )
        self.connection.executemany(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    base + number,
                    row.ordinal,
                    row.symbol,
                    row.kind,
                    None if row.key == row.symbol else row.key,
                    row.start_line,
                    row.end_line,
                    row.content_hash,
                    row.outline,
                )
                for number, file in enumerate(files)
                for row in file.chunks
            ),
        )

    def files_added_before(self, seconds: int) -> list[int]:
        """Return the ids of files stored before a moment (seconds since the epoch)."""
        rows = self.rows("SELECT id FROM files WHERE added_at <= ?", (seconds,))
        return [int(row[0]) for row in rows]

    def chunk_counts(self) -> dict[int, int]:
        """Return segment id → number of chunks whose files are still known."""
        rows = self.rows(
            "SELECT segment, sum(chunks) FROM files WHERE segment IS NOT NULL GROUP BY segment"
        )
        return {int(segment): int(count) for segment, count in rows}

    def remove_files(self, ids: Iterable[int]) -> None:
        """Forget file versions and their chunks; call inside a transaction."""
        values = [(int(number),) for number in ids]
        for table in ("chunks", "commits", "origins", "traced"):
            self.connection.executemany(f"DELETE FROM {table} WHERE file = ?", values)
        self.connection.executemany("DELETE FROM files WHERE id = ?", values)

    # segments

    def segments(self) -> list[tuple[int, int, int]]:
        """Return (id, documents, file_base) of every segment, oldest first."""
        rows = self.rows("SELECT id, documents, file_base FROM segments ORDER BY id")
        return [(int(a), int(b), int(c)) for a, b, c in rows]

    def next_segment_id(self) -> int:
        """Return the id the next segment will have; ids are never used twice."""
        rows = self.rows("SELECT seq FROM sqlite_sequence WHERE name = 'segments'")
        return int(rows[0][0]) + 1 if rows else 1

    def add_segment(self, number: int, documents: int, file_base: int, model: str | None) -> None:
        """Store a segment whose file is in place; call inside a transaction."""
        self.connection.execute(
            "INSERT INTO segments VALUES (?, ?, ?)", (number, documents, file_base)
        )
        if model is not None:
            self.add_vectors(number, model)

    def add_vectors(self, segment: int, model: str) -> None:
        """Record that the vectors of a segment are in place."""
        self.connection.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?)", (segment, model))

    def remove_segments(self, numbers: Iterable[int]) -> None:
        """Forget segments and their vectors; call inside a transaction."""
        values = [(number,) for number in numbers]
        self.connection.executemany("DELETE FROM segments WHERE id = ?", values)
        self.connection.executemany("DELETE FROM vectors WHERE segment = ?", values)

    def models(self) -> dict[int, set[str]]:
        """Return segment id → the models it has vectors of."""
        found: dict[int, set[str]] = {}
        for segment, model in self.rows("SELECT segment, model FROM vectors"):
            found.setdefault(int(segment), set()).add(str(model))
        return found

    def drop_other_models(self, model: str) -> list[tuple[int, str]]:
        """Forget vectors of all other models and return which; call inside a transaction."""
        rows = self.rows("SELECT segment, model FROM vectors WHERE model <> ?", (model,))
        self.connection.execute("DELETE FROM vectors WHERE model <> ?", (model,))
        return [(int(segment), str(name)) for segment, name in rows]

    # trees

    def tree(self, tree: str, rules: str) -> tuple[NDArray[np.int32], dict[str, str]] | None:
        """Return (file ids, attribute file → blob) of a tree that was read under these rules."""
        rows = self.rows(
            "SELECT members, attributes FROM trees WHERE tree = ? AND rules = ?",
            (bytes.fromhex(tree), rules),
        )
        if not rows:
            return None
        try:
            return np.frombuffer(rows[0][0], np.int32), json.loads(rows[0][1])
        except (ValueError, TypeError):
            raise Damaged("the index lost the list of a tree", REBUILD) from None

    def latest_trees(self, rules: str | None = None) -> list[tuple[str, str]]:
        """Return (tree, rules) of all known trees, the last used one first."""
        rows = self.rows("SELECT tree, rules FROM trees ORDER BY used_at DESC, tree")
        found = [(bytes(tree).hex(), str(name)) for tree, name in rows]
        return [item for item in found if rules is None or item[1] == rules]

    def put_tree(
        self, tree: str, rules: str, attributes: Mapping[str, str], members: NDArray[np.int32]
    ) -> None:
        """Store a tree as the last used one; call inside a transaction."""
        self.connection.execute(
            "INSERT OR REPLACE INTO trees VALUES"
            " (?, ?, ?, ?, (SELECT coalesce(max(used_at), 0) + 1 FROM trees))",
            (bytes.fromhex(tree), rules, json.dumps(dict(attributes)), members.tobytes()),
        )

    def forget_trees(self, trees: Iterable[tuple[str, str]]) -> None:
        """Forget trees; call inside a transaction."""
        self.connection.executemany(
            "DELETE FROM trees WHERE tree = ? AND rules = ?",
            [(bytes.fromhex(tree), rules) for tree, rules in trees],
        )


def _file_row(row: Sequence[Any]) -> FileRow:
    values = list(row)
    values[1], values[2] = os.fsdecode(values[1]), values[2].hex()
    return FileRow(*values)


def _chunk_row(row: Sequence[Any]) -> ChunkRow:
    ordinal, symbol, kind, key, start, end, digest, outline = row
    return ChunkRow(ordinal, symbol, kind, key or symbol, start, end, digest, outline)


def open_catalogue(path: Path, write: bool) -> Catalogue:
    """Open the catalogue; with `write`, create or upgrade it first.

    Raises FileNotFoundError (reading only), `Damaged`, `ReadOnly`.
    """
    return Catalogue(open_database(path, write), write)
