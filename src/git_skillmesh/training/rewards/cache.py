"""The cache of what judging has read: `.git/skillmesh/training.db`, which may be deleted.

In: a repository. Out: tables of JSON by name, each row with a stamp that says what it was made of;
and places, which say for a key (a path, a commit, an exchange) which rows it concerns, so that what
a change does not concern need not be read. Commits never change and sessions name the tree they
were read from, so a row is either right or made again. Each batch is committed as it is read: what
is interrupted goes on from there.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from types import TracebackType
from typing import Any

from ...errors import Busy, Damaged, ReadOnly
from ...git.repository import Repository

NAME = "training.db"
# Raised whenever a row would be made otherwise; then all are made anew.
VERSION = 2
_TABLES = ("state", "facts", "commits", "links", "blames", "units", "rewards")
_PLACES = """
CREATE TABLE IF NOT EXISTS places (
    kind TEXT NOT NULL, key BLOB NOT NULL, name BLOB NOT NULL, PRIMARY KEY (kind, key, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places_of ON places (kind, name);
"""
_AT_ONCE = 500  # names in one question


class Cache:
    """The database, for as long as it is open. Raises `ReadOnly`, `Busy`, `Damaged`."""

    def __init__(self, repository: Repository) -> None:
        self._path = repository.state_dir / NAME
        self._depth = 0
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

    def get(self, table: str, name: str) -> Any:
        """Return the value of a row, None if there is none."""
        return self.some(table, [name]).get(name)

    def some(self, table: str, names: Iterable[str]) -> dict[str, Any]:
        """Return name → value of the rows with these names, those that there are."""
        asked = f"SELECT name, value FROM {table} WHERE name IN"
        return {_text(name): _read(value) for name, value in self._in(asked, names)}

    def all(self, table: str) -> Iterator[tuple[str, Any]]:
        """Yield every name and value of a table."""
        with _reported():
            for name, value in self.db.execute(f"SELECT name, value FROM {table} ORDER BY name"):
                yield _text(name), _read(value)

    def stamps(self, table: str) -> dict[str, str]:
        """Return the name and stamp of every row; no value is read."""
        with _reported():
            return {
                _text(name): stamp
                for name, stamp in self.db.execute(f"SELECT name, stamp FROM {table}")
            }

    def named(self, kind: str, keys: Iterable[str]) -> set[str]:
        """Return the names of what any of these keys concerns."""
        asked = f"SELECT DISTINCT name FROM places WHERE kind = '{kind}' AND key IN"
        return {_text(name) for (name,) in self._in(asked, keys)}

    def keys(self, kind: str, names: Iterable[str]) -> set[str]:
        """Return the keys that concern any of these."""
        asked = f"SELECT DISTINCT key FROM places WHERE kind = '{kind}' AND name IN"
        return {_text(key) for (key,) in self._in(asked, names)}

    def count(self, kind: str) -> int:
        """Return how many names of a kind have a place."""
        asked = "SELECT COUNT(DISTINCT name) FROM places WHERE kind = ?"
        with _reported():
            return int(self.db.execute(asked, (kind,)).fetchone()[0])

    def put(
        self, table: str, rows: Mapping[str, Any], stamps: Mapping[str, str] | None = None
    ) -> None:
        """Write rows."""
        listed = [
            (_bytes(name), (stamps or {}).get(name, ""), _written(value))
            for name, value in rows.items()
        ]
        with self.at_once():
            self.db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", listed)

    def drop(self, table: str, names: Iterable[str]) -> None:
        """Delete rows, and what concerns them."""
        listed = [(_bytes(name),) for name in names]
        with self.at_once():
            self.db.executemany(f"DELETE FROM {table} WHERE name = ?", listed)
            self.db.executemany(f"DELETE FROM places WHERE kind = '{table}' AND name = ?", listed)

    def place(self, kind: str, keys: Mapping[str, Iterable[str]]) -> None:
        """Say for each name which keys concern it, from now on these alone."""
        rows = [(kind, _bytes(key), _bytes(name)) for name in keys for key in set(keys[name])]
        with self.at_once():
            self.db.executemany(
                f"DELETE FROM places WHERE kind = '{kind}' AND name = ?",
                [(_bytes(name),) for name in keys],
            )
            self.db.executemany("INSERT INTO places VALUES (?, ?, ?)", rows)

    def displace(self, kind: str) -> None:
        """Forget all places of a kind."""
        with self.at_once():
            self.db.execute(f"DELETE FROM places WHERE kind = '{kind}'")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Make all that is written meanwhile one transaction."""
        self._depth += 1
        try:
            with _reported():
                if self._depth == 1:
                    with self.db:
                        yield
                else:
                    yield
        finally:
            self._depth -= 1

    def _in(self, asked: str, names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        left = iter(names)
        with _reported():
            while some := [_bytes(name) for name in islice(left, _AT_ONCE)]:
                yield from self.db.execute(f"{asked} ({', '.join('?' * len(some))})", some)

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
            if version != VERSION:
                tables = "".join(
                    f"CREATE TABLE IF NOT EXISTS {table} (name BLOB PRIMARY KEY,"
                    " stamp TEXT NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;\n"
                    for table in _TABLES
                )
                db.executescript(
                    f"BEGIN IMMEDIATE;{tables}{_PLACES}PRAGMA user_version = {VERSION};COMMIT;"
                )
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


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
