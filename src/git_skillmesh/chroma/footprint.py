"""What a local Chroma store holds, seen from outside: rows, bytes, what a vacuum would give back.

In: a folder. Out: plain values. Chroma is not loaded: its database is read as SQLite, under the
lock that keeps writers of this program away. Where it cannot be read so, the answer is empty: it
is for people to look at, and nothing is decided by it.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..errors import Busy, SkillmeshError
from .client import database_of
from .locking import acquire
from .own_store import is_own
from .target import Target

_BUSY = Busy("the Chroma store is being written")
_WAIT_S = 0.2
# What the log of a store keeps of a record beside its vector, its id and its metadata.
_LOGGED = 60


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: how many rows, how many bytes its vectors take; whether it is a user's own.

    `content_bytes` are those of the vectors and texts themselves, of a user's own collection only.
    """

    name: str
    own: bool
    rows: int
    vector_bytes: int
    content_bytes: int = 0


def collections_in(target: Target) -> list[Collection]:
    """Return the collections of a local store by name, none where it cannot be read."""
    try:
        with _opened(target) as database:
            rows = database.execute(
                "SELECT c.name, coalesce(c.dimension, 0), s.id, s.scope,"
                " (SELECT count(*) FROM embeddings e"
                " WHERE e.segment_id = s.id AND s.scope = 'METADATA')"
                " FROM collections c JOIN segments s ON s.collection = c.id ORDER BY c.name"
            ).fetchall()
            texts = {
                segment: int(database.execute(_TEXTS, (segment,)).fetchone()[0] or 0)
                for name, _, segment, scope, _ in rows
                if scope == "METADATA" and is_own(name)
            }
    except (OSError, sqlite3.Error, SkillmeshError):
        return []
    found: dict[str, tuple[int, int, int]] = {}
    for name, dimension, segment, scope, count in rows:
        counted, vectors, content = found.get(name, (0, 0, 0))
        vectors += _folder_bytes(target.store / str(segment)) if scope == "VECTOR" else 0
        content += 4 * dimension * count + texts[segment] if segment in texts else 0
        found[name] = counted + count, vectors, content
    return [Collection(name, is_own(name), *sizes) for name, sizes in found.items()]


_TEXTS = """
SELECT sum(length(CAST(m.string_value AS BLOB))) FROM embedding_metadata m
JOIN embeddings e ON e.id = m.id WHERE e.segment_id = ?
"""


def vacuumable(target: Target) -> int:
    """Return the bytes that `chroma vacuum` gives back at least, 0 where nobody can tell.

    Free pages of the database, and what its log keeps although every part of the store has it.
    """
    try:
        with _opened(target) as database:
            (pages,) = database.execute("PRAGMA freelist_count").fetchone()
            (size,) = database.execute("PRAGMA page_size").fetchone()
            (logged,) = database.execute(_LOG, {"beside": _LOGGED}).fetchone()
            return int(pages) * int(size) + int(logged or 0)
    except (OSError, sqlite3.Error, SkillmeshError):
        return 0


# The log is of topics, which end in the id of a collection; a record goes when both parts of the
# collection, rows and vectors, have written down that they are further.
_LOG = """
SELECT sum(coalesce(length(q.vector), 0) + coalesce(length(q.metadata), 0) + length(q.id) + :beside)
FROM embeddings_queue q JOIN (
  SELECT s.collection AS id, min(coalesce(m.seq_id, 0)) AS done
  FROM segments s LEFT JOIN max_seq_id m ON m.segment_id = s.id GROUP BY s.collection
) known ON q.topic LIKE '%' || known.id
WHERE q.seq_id < known.done
"""


@contextmanager
def _opened(target: Target) -> Iterator[sqlite3.Connection]:
    path = database_of(target)
    if not path.is_file():
        raise FileNotFoundError(path)
    lock = None
    if os.access(target.lock_file.parent, os.W_OK) and target.lock_file.is_file():
        lock = acquire(target.lock_file, True, _WAIT_S, _BUSY)
    try:
        address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=0.2)) as database:
            yield database
    finally:
        if lock is not None:
            os.close(lock)


def _folder_bytes(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(entry.stat(follow_symlinks=False).st_blocks * 512 for entry in entries)
    except OSError:
        return 0
