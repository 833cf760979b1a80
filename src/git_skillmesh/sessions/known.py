"""What has been read before and what is stored where: a cache of the disk and of the memory.

In: a repository. Out: answers in the time of a look-up: which session keeps an exchange, which
readings of it were taken in, which files have not changed since. It lies in
`.git/skillmesh/capture.db`; whoever deletes it loses time and nothing else.
"""

import contextlib
import fcntl
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import Busy, ReadOnly
from ..files import is_unwritable
from ..git.process import GitFailed
from ..git.refs import read_ref
from ..git.repository import Repository
from ..git.trees import diff_trees, list_tree
from . import layout
from .layout import Segment

_NAME = "capture.db"
_SCHEMA = 1
_TABLES = """
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE kept (exchange TEXT, session TEXT, PRIMARY KEY (exchange, session)) WITHOUT ROWID;
CREATE INDEX kept_by_session ON kept (session);
CREATE TABLE taken (digest TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE files (path BLOB PRIMARY KEY, stamp TEXT) WITHOUT ROWID;
CREATE TABLE verdicts (path BLOB, tops TEXT, ours INTEGER, PRIMARY KEY (path, tops)) WITHOUT ROWID;
"""
_ALL = ("state", "kept", "taken", "files", "verdicts")


class Known:
    """The cache, for as long as it is open. With `keep=False` it is made anew and not kept."""

    def __init__(self, repository: Repository, ref: str = layout.REF, *, keep: bool = True) -> None:
        self._repository = repository
        self._ref = ref
        self._path = str(repository.state_dir / _NAME) if keep else ":memory:"
        self._db = self._open()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def refresh(self) -> None:
        """Follow the ref: look at what has been added to it since the last time, or at all."""
        tip = read_ref(self._repository, self._ref)
        seen = self._state("tip")
        if tip == seen:
            return
        if tip is None or seen is None or not self._follow(seen, tip):
            with self._db:
                for table in ("kept", "taken", "files"):
                    self._db.execute(f"DELETE FROM {table}")
                if tip is not None:
                    self._keep(list_tree(self._repository, tip))
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO state VALUES ('tip', ?)", (tip or "",))

    def keepers(self, exchange: str) -> list[str]:
        """Return the keys of the sessions that keep an exchange (`layout.exchange_key`)."""
        found = self._db.execute(
            "SELECT session FROM kept WHERE exchange = ? ORDER BY session", (exchange,)
        )
        return [session for (session,) in found]

    def has_session(self, key: str) -> bool:
        """Whether any exchange of a session is stored."""
        query = "SELECT 1 FROM kept WHERE session = ? LIMIT 1"
        return self._db.execute(query, (key,)).fetchone() is not None

    def was_taken(self, digest: str) -> bool:
        """Whether the very same reading was taken in before."""
        query = "SELECT 1 FROM taken WHERE digest = ?"
        return self._db.execute(query, (digest,)).fetchone() is not None

    def take(self, digests: Iterable[str]) -> None:
        """Remember readings that are stored now."""
        with self._db:
            rows = ((digest,) for digest in digests)
            self._db.executemany("INSERT OR IGNORE INTO taken VALUES (?)", rows)

    def is_unchanged(self, path: bytes, stamp: str) -> bool:
        """Whether a file was read when it had this stamp."""
        found = self._db.execute("SELECT stamp FROM files WHERE path = ?", (path,)).fetchone()
        return found is not None and found[0] == stamp

    def has_read(self, stamps: Iterable[tuple[bytes, str]]) -> None:
        """Remember (path, stamp) of files that are stored now."""
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", stamps)

    def verdict(self, path: bytes, tops: str) -> bool | None:
        """Return whether the session in a file began in one of the folders, None if not known."""
        query = "SELECT ours FROM verdicts WHERE path = ? AND tops = ?"
        found = self._db.execute(query, (path, tops)).fetchone()
        return None if found is None else bool(found[0])

    def judge(self, path: bytes, tops: str, ours: bool) -> None:
        """Remember a verdict: what a session says of its folder does not change."""
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", (path, tops, ours))

    def _follow(self, seen: str, tip: str) -> bool:
        try:
            changes = diff_trees(self._repository, seen, tip)
        except GitFailed:  # forgotten, and gone with `git gc`
            return False
        gone = [_kept_in(change.path) for change in changes if change.new is None]
        if any(gone) and not any(change.path.startswith(layout.FORGOTTEN) for change in changes):
            return False  # the ref was put back
        with self._db:
            # What was taken in and is kept no more stays known: a fork that repeats what was
            # forgotten does not bring it back.
            rows = filter(None, gone)
            self._db.executemany("DELETE FROM kept WHERE exchange = ? AND session = ?", rows)
            self._keep(change.path for change in changes if change.new is not None)
        return True

    def _keep(self, paths: Iterable[str]) -> None:
        rows = filter(None, map(_kept_in, paths))
        self._db.executemany("INSERT OR IGNORE INTO kept VALUES (?, ?)", rows)

    def _state(self, name: str) -> str | None:
        found = self._db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return found[0] or None if found else None

    def _open(self) -> sqlite3.Connection:
        try:
            return self._opened()
        except sqlite3.DatabaseError as error:
            if self._path == ":memory:" or is_unwritable(error):
                raise ReadOnly(f"cannot write {self._path}", str(error)) from None
        # Damaged, or of another version: it can be made anew.
        try:
            Path(self._path).unlink(missing_ok=True)
            return self._opened()
        except (OSError, sqlite3.DatabaseError) as error:
            raise ReadOnly(f"cannot write {self._path}", str(error)) from None

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=30)
        try:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version != _SCHEMA:
                with database:
                    for table in _ALL:
                        database.execute(f"DROP TABLE IF EXISTS {table}")
                    for statement in _TABLES.strip().split(";\n"):
                        database.execute(statement)
                    database.execute(f"PRAGMA user_version = {_SCHEMA}")
            database.execute("SELECT 1 FROM kept LIMIT 1")
        except BaseException:
            database.close()
            raise
        return database


def _kept_in(path: str) -> tuple[str, str] | None:
    """Return (exchange, session) that a path of the memory stands for."""
    parts = path.split("/")
    if len(parts) != 6 or parts[0] != layout.SESSIONS or parts[4] != layout.EXCHANGES:
        return None
    segment = Segment.parse(parts[5])
    return (segment.exchange, parts[3]) if segment else None


@contextlib.contextmanager
def alone(repository: Repository, wait_seconds: float = 600) -> Iterator[None]:
    """Let one process at a time take conversations in. Raises `ReadOnly`, `Busy`.

    Two that store a conversation and its fork at the same moment would each keep the beginning.
    """
    try:
        repository.state_dir.mkdir(parents=True, exist_ok=True)
        stream = (repository.state_dir / "capture.lock").open("ab")
    except OSError as error:
        raise ReadOnly(f"cannot write {repository.state_dir}", error.strerror or "") from None
    with stream:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Busy(
                        "another process is storing conversations", "try again in a moment"
                    ) from None
            time.sleep(0.05)
        yield
