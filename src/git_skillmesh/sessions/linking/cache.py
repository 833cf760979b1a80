"""The cache of what exchanges wrote, by line: its tables, and how it follows the memory.

In: the memory of a repository. Out: an SQLite database in `.git/skillmesh/linking.db`. It may be
deleted at any time. Only exchanges whose files in the memory are new are read.
"""

import posixpath
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType

from ...errors import Busy, Damaged, ReadOnly
from ...files import is_unwritable
from ...git.database import ObjectDatabase
from ...git.repository import Repository
from ...git.treeobjects import Entries
from .. import layout
from ..layout import Segment
from ..reading import exchange_in, fetched, segments_in, state_of
from .lines import key, normal, weight
from .written import UNKNOWN, Done, Writing, done_in, milliseconds

NAME = "linking.db"
VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shards (name TEXT PRIMARY KEY, tree TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    key TEXT PRIMARY KEY, shard TEXT NOT NULL, tree TEXT NOT NULL, id TEXT NOT NULL,
    parent TEXT NOT NULL, branch TEXT NOT NULL, started INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_id ON sessions (id);
CREATE INDEX IF NOT EXISTS sessions_by_shard ON sessions (shard);
CREATE TABLE IF NOT EXISTS exchanges (
    id INTEGER PRIMARY KEY, session TEXT NOT NULL, name TEXT NOT NULL, files TEXT NOT NULL,
    exchange_id TEXT NOT NULL, last INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS exchanges_by_name ON exchanges (session, name);
CREATE TABLE IF NOT EXISTS paths (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, base TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS paths_by_base ON paths (base);
CREATE TABLE IF NOT EXISTS writings (
    id INTEGER PRIMARY KEY, exchange INTEGER NOT NULL, path INTEGER NOT NULL, at INTEGER NOT NULL,
    kind TEXT NOT NULL, text BLOB NOT NULL, new BLOB NOT NULL, small BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS writings_by_exchange ON writings (exchange);
CREATE INDEX IF NOT EXISTS writings_by_path ON writings (path, at);
CREATE TABLE IF NOT EXISTS lines (
    line INTEGER NOT NULL, gone INTEGER NOT NULL, path INTEGER NOT NULL, at INTEGER NOT NULL,
    writing INTEGER NOT NULL, PRIMARY KEY (line, gone, path, at, writing)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lines_by_writing ON lines (writing);
CREATE TABLE IF NOT EXISTS events (
    kind TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, exchange INTEGER NOT NULL,
    value TEXT NOT NULL, PRIMARY KEY (kind, name, at, exchange, value)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_exchange ON events (exchange);
CREATE TABLE IF NOT EXISTS looked (commit_id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS looked_by_time ON looked (at);
"""


class _Unusable(Exception):
    """The file is no database of this version."""


class Cache:
    """The database, for as long as it is open. One process writes at a time."""

    def __init__(self, repository: Repository, ref: str = layout.REF) -> None:
        self._repository = repository
        self._ref = ref
        self._path = repository.state_dir / NAME
        self.db = self._open()

    def __enter__(self) -> "Cache":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.db.close()

    def _open(self) -> sqlite3.Connection:
        """Open the database; what is none, or of another version, is made anew."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return self._connect()
            except _Unusable:
                for suffix in ("", "-wal", "-shm"):
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
                return self._connect()
        except OSError as error:
            raise ReadOnly("the cache of links cannot be written", error.strerror or "") from None

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=60, isolation_level=None)
        try:
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
                db.executescript(
                    f"PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; {_SCHEMA}"
                    f"PRAGMA user_version = {VERSION}; COMMIT;"
                )
                version = VERSION
            if version == VERSION:
                return db
        except sqlite3.OperationalError:
            db.close()
            raise
        except sqlite3.DatabaseError:
            pass
        db.close()
        raise _Unusable

    # -- bringing it up to date --------------------------------------------------------------------

    def update(self) -> None:
        """Read what is new in the memory. Raises `Damaged`."""
        with ObjectDatabase(self._repository) as objects:
            tip = objects.tip(self._ref)
            tree = tip.commit.tree if tip else ""
            if self.state("memory") == tree:
                return
            earliest: list[int] = []
            self.db.execute("PRAGMA synchronous = OFF")
            self.db.execute("BEGIN IMMEDIATE")
            try:
                stored = dict(self.db.execute("SELECT name, tree FROM shards"))
                shards = _shards(objects, tree)
                for name, shard in shards.items():
                    if stored.get(name) != shard:
                        earliest += self._update_shard(objects, name, shard)
                for name in stored.keys() - shards.keys():
                    self._drop_sessions(name, ())
                    self.db.execute("DELETE FROM shards WHERE name = ?", (name,))
                self.set_state("memory", tree)
                if (waiting := self.arrived()) is not None:
                    earliest.append(waiting)
                self.set_state("arrived", str(min(earliest, default="")))
                self.db.execute("COMMIT")
            except BaseException:
                self.db.execute("ROLLBACK")
                raise

    def _update_shard(self, objects: ObjectDatabase, name: str, tree: str) -> list[int]:
        folders = {k: e.oid for k, e in objects.trees.entries(tree).items() if e.is_folder}
        self._drop_sessions(name, folders)
        known = dict(self.db.execute("SELECT key, tree FROM sessions WHERE shard = ?", (name,)))
        earliest = [
            found
            for session, folder in folders.items()
            if known.get(session) != folder
            for found in self._update_session(objects, name, session, folder)
        ]
        self.db.execute("INSERT OR REPLACE INTO shards VALUES (?, ?)", (name, tree))
        return earliest

    def _update_session(
        self, objects: ObjectDatabase, shard: str, session: str, tree: str
    ) -> Iterator[int]:
        folder = objects.trees.entries(tree)
        entry = folder.get(layout.HEAD)
        data = objects.reader.read(entry.oid) if entry else None
        head = layout.parse_head(fetched(data, self._ref)) if entry else None
        if head is None or head.key != session:
            return
        row = (session, shard, tree, head.session_id, head.parent, head.branch)
        self.db.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, milliseconds(head.started)),
        )
        listed = folder.get(layout.EXCHANGES)
        names = objects.trees.entries(listed.oid) if listed else {}
        for name, segments in segments_in(names).items():
            yield from self._update_exchange(objects, session, name, segments, names)

    def _update_exchange(
        self, objects: ObjectDatabase, session: str, name: str, segments: list[Segment],
        names: Entries,
    ) -> Iterator[int]:  # fmt: skip
        files = " ".join(sorted(names[segment.name].oid for segment in segments))
        row = self.db.execute(
            "SELECT id, files, last FROM exchanges WHERE session = ? AND name = ?", (session, name)
        ).fetchone()
        if row and row[1] == files:
            return
        last = row[2] if row else -1
        if row:
            self._drop_exchange(row[0])
        try:
            exchange = exchange_in(state_of(objects, segments, names))
        except Damaged:
            return  # of this exchange nothing is known; the others still count
        done = done_in(exchange)
        times = [*(writing.at for writing in done.writings), *(at for at, *_ in _events(done))]
        made = self.db.execute(
            "INSERT INTO exchanges (session, name, files, exchange_id, last)"
            " VALUES (?, ?, ?, ?, ?)",
            (session, name, files, exchange.exchange_id, max(times, default=-1)),
        ).lastrowid
        self._insert(made or 0, done)
        yield from (at for at in times if at > last)

    def _insert(self, exchange: int, done: Done) -> None:
        for writing in done.writings:
            path = self._path_id(writing.path)
            row = (exchange, path, writing.at, writing.kind, _packed("\n".join(writing.after)))
            small = _packed(f"{writing.replaced}\0{writing.replacement}")
            made = self.db.execute(
                "INSERT INTO writings (exchange, path, at, kind, text, new, small)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, bytes(writing.new), small if writing.replaced else b""),
            ).lastrowid
            self.db.executemany(
                "INSERT OR IGNORE INTO lines VALUES (?, ?, ?, ?, ?)",
                ((line, gone, path, writing.at, made) for line, gone in _keys(writing)),
            )
        self.db.executemany(
            "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)",
            ((kind, name, at, exchange, value) for at, kind, name, value in _events(done)),
        )

    def _path_id(self, path: str) -> int:
        path = path.encode("utf-8", "replace").decode()
        row = path, posixpath.basename(path)
        self.db.execute("INSERT OR IGNORE INTO paths (path, base) VALUES (?, ?)", row)
        return int(self.db.execute("SELECT id FROM paths WHERE path = ?", (path,)).fetchone()[0])

    def _drop_sessions(self, shard: str, kept: Iterable[str]) -> None:
        """Drop what has been forgotten since."""
        known = self.db.execute("SELECT key FROM sessions WHERE shard = ?", (shard,)).fetchall()
        for session in {row[0] for row in known} - set(kept):
            rows = self.db.execute("SELECT id FROM exchanges WHERE session = ?", (session,))
            for (exchange,) in rows.fetchall():
                self._drop_exchange(exchange)
            self.db.execute("DELETE FROM sessions WHERE key = ?", (session,))

    def _drop_exchange(self, exchange: int) -> None:
        self.db.execute(
            "DELETE FROM lines WHERE writing IN (SELECT id FROM writings WHERE exchange = ?)",
            (exchange,),
        )
        self.db.execute("DELETE FROM writings WHERE exchange = ?", (exchange,))
        self.db.execute("DELETE FROM events WHERE exchange = ?", (exchange,))
        self.db.execute("DELETE FROM exchanges WHERE id = ?", (exchange,))

    # -- what commits were looked at ---------------------------------------------------------------

    def state(self, name: str) -> str:
        """Return what is noted under a name, "" if nothing."""
        row = self.db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def set_state(self, name: str, value: str) -> None:
        """Note something under a name."""
        self.db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def arrived(self) -> int | None:
        """Return when the earliest of what is new was done, in milliseconds; None if nothing is.

        It stays new until `set_state("arrived", "")`.
        """
        text = self.state("arrived")
        return int(text) if text else None

    def remember(self, commits: Iterable[tuple[str, int]]) -> None:
        """Note commits that were looked at, each with its time in seconds."""
        self.db.executemany("INSERT OR REPLACE INTO looked VALUES (?, ?)", list(commits))

    def looked_since(self, at: int) -> list[str]:
        """Return the commits of a time or later, in seconds, that were looked at before."""
        rows = self.db.execute("SELECT commit_id FROM looked WHERE at >= ?", (at,))
        return [row[0] for row in rows]

    def oldest(self) -> tuple[int | None, bool]:
        """Return when the first session began, in milliseconds, and whether some do not tell."""
        first, untimed = self.db.execute(
            "SELECT min(nullif(started, 0)), count(*) > count(nullif(started, 0)) FROM sessions"
        ).fetchone()
        return first, bool(untimed)


@contextmanager
def damage_reported(repository: Repository) -> Iterator[None]:
    """Turn errors of the database and its folder into ours."""
    mend = f"rm {repository.state_dir / NAME}"
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise Busy("another process is linking", "try again") from None
        if is_unwritable(error):
            raise ReadOnly("the cache of links cannot be written", str(error)) from None
        raise Damaged(f"the cache of links: {error}", mend) from None
    except sqlite3.DatabaseError as error:
        raise Damaged(f"the cache of links: {error}", mend) from None


def _shards(objects: ObjectDatabase, tree: str) -> dict[str, str]:
    """Return name → tree of the folders that hold sessions."""
    top = objects.trees.folder(tree or None, layout.SESSIONS)
    outer = {name: entry.oid for name, entry in top.items() if entry.is_folder}
    inner = zip(outer, objects.trees.many(list(outer.values())), strict=True)
    return {
        f"{name}/{below}": entry.oid
        for name, entries in inner
        for below, entry in entries.items()
        if entry.is_folder
    }


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def unpacked(data: bytes) -> str:
    """Return a text that the cache holds."""
    return zlib.decompress(data).decode("utf-8", "surrogatepass")


def _keys(writing: Writing) -> set[tuple[int, int]]:
    """Return (key of a line, whether it went), for lines that say anything."""
    written = {normal(line) for line, new in zip(writing.after, writing.new, strict=True) if new}
    found = {(key(line), 0) for line in written if weight(line)}
    return found | {(key(line), 1) for line in set(writing.gone) if weight(line)}


def _events(done: Done) -> Iterator[tuple[int, str, str, str]]:
    """Yield time, kind, what it is looked up by, and a value."""
    for at, path in done.named:
        yield at, "named", posixpath.basename(path), path
    for at, old, new in done.moved:
        yield at, "moved", posixpath.basename(new), f"{old}\0{new}"
    for at, command in done.committed:
        yield at, "committed", "", command
    for at, commit in done.quoted:
        yield at, "quoted", commit[:7], commit
    for commit, path, ranges in done.attributed:
        yield UNKNOWN, "attributed", commit[:7], f"{commit}\0{path}\0{ranges}"
