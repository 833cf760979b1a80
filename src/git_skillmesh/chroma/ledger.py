"""What was mirrored where: `mirror.db`, a cache that is rebuilt from the store when it is lost.

In: acknowledged batches. Out: per store, repository and collection the state of the last completed
mirror, and per record the hashes by which the next mirror finds what differs. Batches are recorded
as unknown before they are sent, so that whatever a crash leaves behind is written again.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ..errors import ReadOnly

_VERSION = 2
_RECENT_COMMITS = 500
_AT_ONCE = 500
_SCHEMA = """
CREATE TABLE mirror (
    id INTEGER PRIMARY KEY, target TEXT, repo TEXT, collection TEXT, uuid TEXT,
    state TEXT, model TEXT, token TEXT, next_token TEXT, deleted INTEGER DEFAULT 0,
    UNIQUE (target, repo, uuid));
CREATE TABLE row (
    mirror INTEGER, id TEXT, path TEXT, row_hash TEXT, content_hash TEXT, commit_sha TEXT,
    PRIMARY KEY (mirror, id)) WITHOUT ROWID;
CREATE INDEX row_by_path ON row (mirror, path);
CREATE INDEX row_unknown ON row (mirror, path) WHERE row_hash = '';
CREATE TABLE recent (mirror INTEGER, commit_sha TEXT, PRIMARY KEY (mirror, commit_sha));
"""
# Came later than the version: what a store that clones share had when it was last looked at.
_TOLD = """
CREATE TABLE IF NOT EXISTS told (
    mirror INTEGER PRIMARY KEY, rows INTEGER, note TEXT, forgotten TEXT);
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One mirror: `state` is None until it was completed once; `tokens` are ours in the store.

    `deleted` counts the records deleted since the collection was made.
    """

    id: int
    collection: str
    uuid: str
    state: str | None
    model: str
    deleted: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """One record of the store; `row_hash` is empty when its content there is not known."""

    path: str
    row_hash: str
    content_hash: str
    commit_sha: str


class Ledger:
    """The open file; a context manager. A file that cannot be read is thrown away."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / "mirror.db"
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
            self._db = self._connect()
        except (sqlite3.OperationalError, OSError) as error:
            raise ReadOnly(f"cannot write {self.path}: {error}") from None

    def _connect(self) -> sqlite3.Connection:
        try:
            return _opened(self.path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return _opened(self.path)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._db:
                yield self._db
        except sqlite3.OperationalError as error:
            raise ReadOnly(f"cannot write {self.path}: {error}") from None

    def find(self, target: str, repo: str, collection: str) -> Record | None:
        """Return the mirror that a collection's name stands for."""
        return self._record("target=? AND repo=? AND collection=?", (target, repo, collection))

    def of(self, target: str, repo: str, uuid: str, collection: str, model: str) -> Record:
        """Return the mirror of the collection that has this uuid, now named `collection`."""
        with self._writing() as db:
            for table in ("row", "recent"):
                db.execute(
                    f"DELETE FROM {table} WHERE mirror IN (SELECT id FROM mirror"
                    " WHERE target=? AND repo=? AND collection=? AND uuid<>?)",
                    (target, repo, collection, uuid),
                )
            db.execute(
                "DELETE FROM mirror WHERE target=? AND repo=? AND collection=? AND uuid<>?",
                (target, repo, collection, uuid),
            )
            db.execute(
                "INSERT INTO mirror (target, repo, collection, uuid, model, token, next_token)"
                " VALUES (?,?,?,?,?,'','') ON CONFLICT DO UPDATE"
                " SET collection=excluded.collection, model=excluded.model",
                (target, repo, collection, uuid, model),
            )
        found = self._record("target=? AND repo=? AND uuid=?", (target, repo, uuid))
        assert found is not None  # noqa: S101 - inserted above
        return found

    def _record(self, where: str, values: tuple[str, ...]) -> Record | None:
        row = self._db.execute(
            "SELECT id, collection, uuid, state, model, deleted, token, next_token FROM mirror"
            f" WHERE {where} ORDER BY id DESC LIMIT 1",
            values,
        ).fetchone()
        if row is None:
            return None
        id_, name, uuid, state, model, deleted, *tokens = row
        ours = tuple(token for token in tokens if token)
        return Record(id_, name, uuid, state, model, deleted, ours)

    def announce(self, mirror: int, token: str) -> None:
        """Note the token that is about to be left in the store."""
        with self._writing() as db:
            db.execute("UPDATE mirror SET next_token=? WHERE id=?", (token, mirror))

    def complete(self, mirror: int, state: str, token: str | None) -> None:
        """Note that the store equals the source at `state`; `token` None keeps the old one."""
        with self._writing() as db:
            db.execute("UPDATE mirror SET state=? WHERE id=?", (state, mirror))
            if token is not None:
                db.execute("UPDATE mirror SET token=?, next_token='' WHERE id=?", (token, mirror))
            db.execute(
                "DELETE FROM recent WHERE mirror=? AND rowid NOT IN"
                " (SELECT rowid FROM recent WHERE mirror=? ORDER BY rowid DESC LIMIT ?)",
                (mirror, mirror, _RECENT_COMMITS),
            )

    def replace(self, mirror: int, rows: Iterable[Sequence[str]]) -> None:
        """Believe the store: `rows` are (id, row_hash, path, commit_sha)."""
        with self._writing() as db:
            kept = {
                id_: (row_hash, content)
                for id_, row_hash, content in db.execute(
                    "SELECT id, row_hash, content_hash FROM row WHERE mirror=?", (mirror,)
                )
            }
            db.execute("DELETE FROM row WHERE mirror=?", (mirror,))
            db.executemany(
                "INSERT INTO row VALUES (?,?,?,?,?,?)",
                (
                    (
                        mirror,
                        id_,
                        path,
                        # What was in flight when a run was cut off stays unknown.
                        "" if kept.get(id_, ("?",))[0] == "" else row_hash,
                        kept[id_][1] if kept.get(id_, ("?",))[0] == row_hash else "",
                        commit,
                    )
                    for id_, row_hash, path, commit in rows
                ),
            )

    def replace_part(
        self, mirror: int, paths: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        """Believe the store in what it has of some paths; `rows` as for `replace`."""
        old = self.known(mirror, [row[0] for row in rows])
        gone = set(self.ids(mirror, paths)) - {row[0] for row in rows}
        with self._writing() as db:
            db.executemany("DELETE FROM row WHERE mirror=? AND id=?", ((mirror, i) for i in gone))
            for id_, row_hash, path, commit in rows:
                noted = old.get(id_)
                if noted is None or noted.row_hash not in ("", row_hash):
                    db.execute(
                        "INSERT OR REPLACE INTO row VALUES (?,?,?,?,'',?)",
                        (mirror, id_, path, row_hash, commit),
                    )

    def paths(self, mirror: int) -> set[str]:
        """Return the paths of all rows."""
        query = "SELECT DISTINCT path FROM row WHERE mirror=?"
        return {path for (path,) in self._db.execute(query, (mirror,))}

    def known(self, mirror: int, ids: Sequence[str]) -> dict[str, Known]:
        """Return what is known of these ids."""
        found = {}
        for part in _parts(ids):
            marks = ",".join("?" * len(part))
            for id_, *rest in self._db.execute(
                "SELECT id, path, row_hash, content_hash, commit_sha FROM row"
                f" WHERE mirror=? AND id IN ({marks})",
                (mirror, *part),
            ):
                found[id_] = Known(*rest)
        return found

    def ids(self, mirror: int, paths: Sequence[str] | None = None) -> Iterator[str]:
        """Yield the ids of these paths, or all."""
        if paths is None:
            query = "SELECT id FROM row WHERE mirror=?"
            yield from (id_ for (id_,) in self._db.execute(query, (mirror,)).fetchall())
            return
        for part in _parts(paths):
            marks = ",".join("?" * len(part))
            query = f"SELECT id FROM row WHERE mirror=? AND path IN ({marks})"
            yield from (id_ for (id_,) in self._db.execute(query, (mirror, *part)).fetchall())

    def unknown_paths(self, mirror: int) -> set[str]:
        """Return the paths of records that were in flight when a mirror was cut off."""
        query = "SELECT DISTINCT path FROM row WHERE mirror=? AND row_hash=''"
        return {path for (path,) in self._db.execute(query, (mirror,))}

    def mark_unknown(self, mirror: int, rows: Iterable[tuple[str, str]]) -> None:
        """Note that (id, path) are about to change in the store."""
        with self._writing() as db:
            db.executemany(
                "INSERT INTO row VALUES (?,?,?,'','','') ON CONFLICT DO UPDATE SET row_hash=''",
                ((mirror, id_, path) for id_, path in rows),
            )

    def record(
        self, mirror: int, rows: Iterable[tuple[str, Known]], deleted: Collection[str]
    ) -> None:
        """Note an acknowledged batch."""
        with self._writing() as db:
            for id_, row in rows:
                db.execute(
                    "INSERT OR REPLACE INTO row VALUES (?,?,?,?,?,?)",
                    (mirror, id_, row.path, row.row_hash, row.content_hash, row.commit_sha),
                )
                if row.commit_sha:
                    db.execute(
                        "INSERT OR IGNORE INTO recent VALUES (?,?)", (mirror, row.commit_sha)
                    )
            db.executemany(
                "DELETE FROM row WHERE mirror=? AND id=?", ((mirror, id_) for id_ in deleted)
            )
            db.execute(
                "UPDATE mirror SET deleted=deleted+? WHERE id=? AND ?",
                (len(deleted), mirror, bool(deleted)),
            )

    def count(self, mirror: int) -> int:
        """Return how many records the store should hold."""
        query = "SELECT count(*) FROM row WHERE mirror=?"
        return int(self._db.execute(query, (mirror,)).fetchone()[0])

    def tell(self, mirror: int, rows: int, note: str, forgotten: str = "") -> None:
        """Note how many records a shared store has, and why nothing was written, "" if it was.

        `forgotten` stands for what was known to be forgotten.
        """
        with self._writing() as db:
            values = (mirror, rows, note, forgotten)
            db.execute("INSERT OR REPLACE INTO told VALUES (?,?,?,?)", values)

    def forgotten(self, mirror: int) -> str:
        """Return what was told to be forgotten."""
        found = self._db.execute("SELECT forgotten FROM told WHERE mirror=?", (mirror,)).fetchone()
        return str(found[0]) if found else ""

    def told(self, mirror: int) -> tuple[int, str]:
        """Return what was told last; the number of records known here where nothing was."""
        query = "SELECT rows, note FROM told WHERE mirror=?"
        found = self._db.execute(query, (mirror,)).fetchone()
        return (int(found[0]), str(found[1])) if found else (self.count(mirror), "")

    def recent_commits(self, mirror: int) -> list[str]:
        """Return the commits written last: those that an amend or a rebase may have replaced."""
        query = "SELECT commit_sha FROM recent WHERE mirror=?"
        return [commit for (commit,) in self._db.execute(query, (mirror,))]

    def paths_of_commits(self, mirror: int, commits: Collection[str]) -> set[str]:
        """Return the paths of records that name one of these commits."""
        marks = ",".join("?" * len(commits))
        query = f"SELECT DISTINCT path FROM row WHERE mirror=? AND commit_sha IN ({marks})"
        return {path for (path,) in self._db.execute(query, (mirror, *commits))}

    def forget_commits(self, mirror: int, commits: Iterable[str]) -> None:
        """Drop commits from the recent ones."""
        with self._writing() as db:
            db.executemany(
                "DELETE FROM recent WHERE mirror=? AND commit_sha=?",
                ((mirror, commit) for commit in commits),
            )


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=10)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError("another version")
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={_VERSION}; COMMIT;")
        db.execute(_TOLD)
        db.execute("SELECT id FROM mirror LIMIT 1").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
