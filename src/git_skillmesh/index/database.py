"""The catalogue's database file: its schema, how it is opened, what its errors mean.

In: a path. Out: an SQLite connection in WAL mode whose schema is the newest.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Damaged, ReadOnly
from ..files import is_unwritable

REBUILD = "git skillmesh index --rebuild"

# Version 1: first. Later versions only add tables and columns, in `_UPGRADES`.
SCHEMA_VERSION = 3
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, documents INTEGER NOT NULL, file_base INTEGER NOT NULL
);
CREATE TABLE vectors (
    segment INTEGER NOT NULL, model TEXT NOT NULL, PRIMARY KEY (segment, model)
) WITHOUT ROWID;
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path BLOB NOT NULL, blob BLOB NOT NULL, reading TEXT NOT NULL,
    language TEXT NOT NULL, skip TEXT, bytes INTEGER NOT NULL, chunks INTEGER NOT NULL,
    segment INTEGER, first_row INTEGER, added_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX files_by_version ON files (path, blob, reading);
CREATE TABLE commits (
    worktree TEXT NOT NULL, file INTEGER NOT NULL, commit_id BLOB NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (worktree, file)
) WITHOUT ROWID;
CREATE INDEX commits_by_file ON commits (file);
CREATE TABLE chunks (
    file INTEGER NOT NULL, ordinal INTEGER NOT NULL, symbol TEXT NOT NULL, kind TEXT NOT NULL,
    key TEXT, start_line INTEGER NOT NULL, end_line INTEGER NOT NULL, content_hash BLOB NOT NULL,
    PRIMARY KEY (file, ordinal)
) WITHOUT ROWID;
CREATE TABLE trees (
    tree BLOB NOT NULL, rules TEXT NOT NULL, attributes TEXT NOT NULL, members BLOB NOT NULL,
    used_at INTEGER NOT NULL, PRIMARY KEY (tree, rules)
) WITHOUT ROWID;
"""
_UPGRADES: dict[int, str] = {
    2: "ALTER TABLE chunks ADD COLUMN outline TEXT",
    3: """
CREATE TABLE linked_paths (path BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE links (
    commit_id BLOB NOT NULL, session TEXT NOT NULL, exchange TEXT NOT NULL, lines INTEGER NOT NULL,
    PRIMARY KEY (commit_id, session, exchange)
) WITHOUT ROWID;
CREATE INDEX links_by_session ON links (session, exchange);
CREATE TABLE traced (file INTEGER PRIMARY KEY, run INTEGER NOT NULL);
CREATE TABLE origins (
    file INTEGER NOT NULL, ordinal INTEGER NOT NULL, session TEXT NOT NULL, exchange TEXT NOT NULL,
    lines INTEGER NOT NULL, PRIMARY KEY (file, ordinal, session, exchange)
) WITHOUT ROWID;
CREATE INDEX origins_by_session ON origins (session, exchange)""",
}


@contextmanager
def damage_reported() -> Iterator[None]:
    """Turn errors of a damaged or unwritable database into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if is_unwritable(error):
            full = ": is the disk full?" if "I/O" in str(error) else ""
            raise ReadOnly("the index cannot be written", f"{error}{full}") from None
        raise Damaged(f"the catalogue of the index: {error}", REBUILD) from None
    except sqlite3.DatabaseError as error:
        raise Damaged(f"the catalogue of the index: {error}", REBUILD) from None


def open_database(path: Path, write: bool) -> sqlite3.Connection:
    """Open the database; with `write`, create it first. One of an older version is upgraded.

    Raises FileNotFoundError (reading only: there is none, or an empty one), `Damaged`, `ReadOnly`.
    """
    if not write and not path.exists():
        raise FileNotFoundError(path)
    with damage_reported():
        connection = _open_for_writing(path) if write else _open_for_reading(path)
        if not write and 0 < _version(connection) < SCHEMA_VERSION:
            # A newer program may ask before it writes.
            connection.close()
            connection = _open_for_writing(path)
            try:
                _create_or_upgrade(connection)
            finally:
                connection.close()
            connection = _open_for_reading(path)
        try:
            if write:
                _create_or_upgrade(connection)
            else:
                # One snapshot for as long as it is open: what a writer prunes stays readable.
                connection.execute("BEGIN")
                _check_version(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _open_for_writing(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_for_reading(path: Path) -> sqlite3.Connection:
    uri = path.resolve().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=30, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # A read-only disk: WAL needs a shared-memory file; nobody can write, so read it as it is.
        connection.close()
        connection = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(connection: sqlite3.Connection) -> None:
    version = _version(connection)
    if version == 0:
        raise FileNotFoundError("the catalogue is empty")
    if version > SCHEMA_VERSION:
        raise Damaged(
            f"the index was written by a newer version (schema {version})",
            "upgrade git-skillmesh, or run: git skillmesh index --rebuild",
        )


def _create_or_upgrade(connection: sqlite3.Connection) -> None:
    version = _version(connection)
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        _check_version(connection)
    connection.execute("BEGIN IMMEDIATE")
    if _version(connection) == version:
        scripts = [_SCHEMA] if version == 0 else []
        scripts += [_UPGRADES[step] for step in range(max(version, 1) + 1, SCHEMA_VERSION + 1)]
        for statement in ";".join(scripts).split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
