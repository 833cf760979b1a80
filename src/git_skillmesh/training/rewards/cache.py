"""The cache of what judging has read: `.git/skillmesh/training.db`, which may be deleted.

In: a repository. Out: tables of JSON by key. Commits never change and sessions name the tree they
were read from, so a row is either right or made again. Each batch is committed as it is read: what
is interrupted goes on from there.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

from ...errors import Busy, Damaged, ReadOnly
from ...git.repository import Repository

NAME = "training.db"
# Raised whenever a row would be made otherwise; then all are made anew.
VERSION = 1
_TABLES = ("state", "facts", "commits", "links", "blames", "units", "rewards")


class Cache:
    """The database, for as long as it is open. Raises `ReadOnly`, `Busy`, `Damaged`."""

    def __init__(self, repository: Repository) -> None:
        self._path = repository.state_dir / NAME
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.db = self._open()
        except OSError as error:
            raise ReadOnly("the cache of rewards cannot be written", str(error.strerror)) from None

    def __enter__(self) -> "Cache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.db.close()

    def get(self, table: str, key: str) -> Any:
        """Return the value of a key, None if there is none."""
        with _reported():
            row = self.db.execute(f"SELECT value FROM {table} WHERE name = ?", (key,)).fetchone()
        return _read(row[0]) if row else None

    def all(self, table: str) -> Iterator[tuple[str, Any]]:
        """Yield every key and value of a table."""
        with _reported():
            for name, value in self.db.execute(f"SELECT name, value FROM {table} ORDER BY name"):
                yield name, _read(value)

    def names(self, table: str) -> set[str]:
        """Return every key of a table."""
        with _reported():
            return {name for (name,) in self.db.execute(f"SELECT name FROM {table}")}

    def put(self, table: str, rows: Mapping[str, Any]) -> None:
        """Write rows, in one transaction."""
        with _reported(), self.db:
            self.db.executemany(
                f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",
                [(name, _written(value)) for name, value in rows.items()],
            )

    def drop(self, table: str, names: Iterable[str]) -> None:
        """Delete rows."""
        with _reported(), self.db:
            self.db.executemany(
                f"DELETE FROM {table} WHERE name = ?",
                [(name,) for name in names],
            )

    def _open(self) -> sqlite3.Connection:
        with _reported():
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self._remove()  # no database: it is a cache
                return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=60)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                db.close()
                self._remove()
                db = sqlite3.connect(self._path, timeout=60)
            db.execute("PRAGMA journal_mode = WAL")
            with db:
                for table in _TABLES:
                    db.execute(
                        f"CREATE TABLE IF NOT EXISTS {table}"
                        " (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
                    )
                db.execute(f"PRAGMA user_version = {VERSION}")
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _read(value: bytes) -> Any:
    return json.loads(zlib.decompress(value))


def _written(value: Any) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)


class _reported:  # noqa: N801  # reads as a word in `with _reported():`
    """Turn errors of the database into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.OperationalError):
            text = str(error)
            if "locked" in text:
                raise Busy("another process is judging", "try again") from None
            raise ReadOnly("the cache of rewards cannot be written", text) from None
        if isinstance(error, sqlite3.DatabaseError):
            mend = f"delete .git/skillmesh/{NAME}"
            raise Damaged(f"the cache of rewards: {error}", mend) from None
