"""Make a Chroma collection equal to the rows of an index.

In: a `RowSource` and a `Target`. Out: the collection, and what had to be done. Only what differs
is written. Every batch is marked in the ledger, sent, acknowledged and recorded, so that a crash
at any point leaves nothing but work for the next run.
"""

import base64
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ..errors import Damaged, ReadOnly
from . import client as clients
from .ledger import Known, Ledger
from .ledger import Record as Mirrored
from .model import Row, RowSource
from .pipe import Writer, WriterWhenNeeded, only_one
from .prepare import HALF, Record, clean, prepare
from .target import Target

T = TypeVar("T")
Progress = Callable[[int, int], None]
_PATHS_AT_ONCE = 200
# Chroma's index never reuses the place of a deleted vector (about 1.2 KB at 256 dimensions).
WASTE_ROWS = 20_000


@dataclass
class Outcome:
    """What a mirror did; `rows` is what the store holds of this repository afterwards."""

    upserted: int
    deleted: int
    rows: int


@dataclass(frozen=True)
class Order:
    """What `repair` asks for beyond a plain mirror.

    `suspect` ids are written again whatever the ledger says, `reread` believes the store instead
    of the ledger, `rebuild` fills a fresh collection and swaps it in.
    """

    suspect: frozenset[str] = frozenset()
    reread: bool = False
    rebuild: bool = False


@dataclass
class _Batch:
    upsert: list[Record] = field(default_factory=list)
    update: list[Record] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.upsert) + len(self.update) + len(self.delete)


def mirror(
    source: RowSource,
    target: Target,
    state_dir: Path,
    collection: str = "codebase_v1",
    progress: Progress | None = None,
    writers: WriterWhenNeeded | None = None,
) -> Outcome:
    """Make the collection equal to the source; `progress` gets (paths done, paths in all).

    `writers` is shared with other collections of the same target. Raises `Unavailable`, `Busy`,
    `ReadOnly`, `Damaged`, `ConfigurationError`.
    """
    return carry_out(source, target, state_dir, collection, progress, Order(), writers)


def carry_out(
    source: RowSource,
    target: Target,
    state_dir: Path,
    collection: str,
    progress: Progress | None,
    order: Order,
    writers: WriterWhenNeeded | None = None,
) -> Outcome:
    """Mirror with the liberties that `order` gives. Raises like `mirror`."""
    if writers is None:
        with WriterWhenNeeded(target, state_dir) as own:
            return carry_out(source, target, state_dir, collection, progress, order, own)
    _make(state_dir)
    with only_one(state_dir):
        for attempt in (1, 2):
            try:
                with Ledger(state_dir) as ledger:
                    return _mirror(source, target, writers, collection, progress, order, ledger)
            except sqlite3.OperationalError as error:
                raise ReadOnly(f"cannot use {state_dir / 'mirror.db'}: {error}") from None
            except sqlite3.DatabaseError as error:
                # The ledger is a cache: without it the store is asked what it holds.
                if attempt == 2:
                    raise Damaged(f"cannot read {state_dir / 'mirror.db'}: {error}") from None
                for suffix in ("", "-wal", "-shm"):
                    (state_dir / f"mirror.db{suffix}").unlink(missing_ok=True)
    raise AssertionError("unreachable")


def lag(
    source: RowSource, target: Target, state_dir: Path, collection: str = "codebase_v1"
) -> int | None:
    """Return how many changed paths are not mirrored yet; None when there is no mirror."""
    if not (state_dir / "mirror.db").is_file() or not _exists(target):
        return None
    with Ledger(state_dir) as ledger:
        record = ledger.find(target.fingerprint, source.repo_id, collection)
        if record is None or record.state is None:
            return None
        waiting = ledger.unknown_paths(record.id)
        since = record.state if record.model == model_of(source) else None
        if since != source.state:
            waiting |= set(source.changes(since)[1])
        return len(waiting)


def _mirror(
    source: RowSource,
    target: Target,
    writers: WriterWhenNeeded,
    collection: str,
    progress: Progress | None,
    order: Order,
    ledger: Ledger,
) -> Outcome:
    record = ledger.find(target.fingerprint, source.repo_id, collection)
    everything, paths = _work(source, target, ledger, record)
    if record is not None and not everything and not paths and order == Order():
        if record.state != source.state:
            ledger.complete(record.id, source.state, None)
        return Outcome(0, 0, ledger.count(record.id))
    if record is not None and record.deleted > max(WASTE_ROWS, ledger.count(record.id)):
        order = replace(order, rebuild=True)
    run = _Run(source, target, ledger, writers.writer(), collection, progress)
    return run.carry_out(order, None if everything else paths)


def _work(
    source: RowSource, target: Target, ledger: Ledger, record: Mirrored | None
) -> tuple[bool, set[str]]:
    """Return (everything, paths that must be looked at)."""
    if record is None or record.state is None or not _exists(target):
        return True, set()
    if record.model != model_of(source):
        return True, set()
    everything, changed = source.changes(record.state)
    paths = set(changed) | ledger.unknown_paths(record.id)
    recent = ledger.recent_commits(record.id)
    gone = set(recent) - source.valid_commits(recent) if recent else set()
    if gone:
        # An amend or a rebase replaced the commit that these records name.
        paths |= ledger.paths_of_commits(record.id, gone)
        ledger.forget_commits(record.id, gone)
    return everything, paths


class _Run:
    """One mirror with an open writer."""

    def __init__(
        self,
        source: RowSource,
        target: Target,
        ledger: Ledger,
        writer: Writer,
        collection: str,
        progress: Progress | None,
    ) -> None:
        self.source = source
        self.target = target
        self.ledger = ledger
        self.writer = writer
        self.collection = collection
        self.progress = progress or (lambda done, total: None)
        self.commits: dict[str, bool] = {}
        self.upserted = self.deleted = 0

    def carry_out(self, order: Order, paths: set[str] | None) -> Outcome:
        state = self.source.state
        opened = self.writer.ask(
            "open",
            name=self.collection,
            repo_id=self.source.repo_id,
            model_id=self.source.model_id,
            dimension=self.source.dimension,
            rebuild=order.rebuild,
        )
        known = self.ledger.of(
            self.target.fingerprint,
            self.source.repo_id,
            opened["uuid"],
            opened["name"],
            model_of(self.source),
        )
        self.mirror = known.id
        ours = known.tokens and opened["token"] in known.tokens
        if not ours or order.reread:
            # Another clone, a restored backup or a lost ledger: ask the store what it holds.
            self._reread()
        if not ours or order.reread or known.state is None:
            paths = None
        suspect = order.suspect & set(self.ledger.ids(self.mirror)) if order.suspect else set()
        self.ledger.mark_unknown(self.mirror, ((id_, "") for id_ in suspect))
        token = secrets.token_hex(8)
        self.ledger.announce(self.mirror, token)
        self.writer.ask("claim", repo_id=self.source.repo_id, token=token)
        self._pass(paths)
        done = self._finish()
        if done["rows"] != self.ledger.count(self.mirror):
            # Somebody else changed the store: believe the store, and go over everything once.
            self._reread()
            self._pass(None)
            done = self._finish()
        self.writer.ask("adopt", name=self.collection)
        self.ledger.of(
            self.target.fingerprint,
            self.source.repo_id,
            opened["uuid"],
            self.collection,
            model_of(self.source),
        )
        # When somebody else writes too, no token is kept: the next run reads the store again.
        alone = done["token"] == token and done["rows"] == self.ledger.count(self.mirror)
        self.ledger.complete(self.mirror, state, token if alone else "")
        return Outcome(self.upserted, self.deleted, int(done["rows"]))

    def _finish(self) -> dict[str, Any]:
        expected = self.ledger.count(self.mirror)
        return self.writer.ask("finish", repo_id=self.source.repo_id, expected=expected)

    def _reread(self) -> None:
        def pages() -> Iterator[list[str]]:
            offset, more = 0, True
            while more:
                page = self.writer.ask("list", repo_id=self.source.repo_id, offset=offset)
                yield from page["rows"]
                offset, more = offset + len(page["rows"]), page["more"]

        self.ledger.replace(self.mirror, pages())

    def _pass(self, paths: set[str] | None) -> None:
        """Write what differs in these paths, or in all, and delete what is gone."""
        wanted = sorted(paths if paths is not None else self.source.changes(None)[1])
        seen: set[str] = set()
        batch = _Batch()
        for rows in _chunks(self._rows(wanted, seen), self.writer.max_batch):
            old = self.ledger.known(self.mirror, [row.id for row in rows])
            valid = self._valid(known.commit_sha for known in old.values())
            for row in rows:
                self._sort(prepare(row, old.get(row.id), valid, self.source.repo_id), old, batch)
                if len(batch) >= self.writer.max_batch:
                    self._send(batch)
                    batch = _Batch()
        if paths is None:
            gone = [id_ for id_ in self.ledger.ids(self.mirror) if id_ not in seen]
        else:
            stored = [clean(path) for path in wanted]
            gone = [id_ for id_ in self.ledger.ids(self.mirror, stored) if id_ not in seen]
        for ids in _chunks(iter(gone), self.writer.max_batch):
            batch.delete = ids
            self._send(batch)
            batch = _Batch()
        self._send(batch)

    def _rows(self, paths: list[str], seen: set[str]) -> Iterator[Row]:
        for start in range(0, len(paths), _PATHS_AT_ONCE):
            part = paths[start : start + _PATHS_AT_ONCE]
            for row in self.source.rows(part, self.target.keeps_documents):
                if row.id not in seen:
                    seen.add(row.id)
                    yield row
            self.progress(start + len(part), len(paths))

    @staticmethod
    def _sort(record: Record, old: dict[str, Known], batch: _Batch) -> None:
        known = old.get(record.id)
        if known is None or known.row_hash[:HALF] != record.row_hash[:HALF]:
            batch.upsert.append(record)
        elif known.row_hash != record.row_hash:
            batch.update.append(record)

    def _valid(self, commits: Iterable[str]) -> frozenset[str]:
        asked = frozenset(commit for commit in commits if commit)
        unknown: Collection[str] = [commit for commit in asked if commit not in self.commits]
        if unknown:
            valid = self.source.valid_commits(unknown)
            self.commits.update((commit, commit in valid) for commit in unknown)
        return frozenset(commit for commit in asked if self.commits[commit])

    def _send(self, batch: _Batch) -> None:
        if not len(batch):
            return
        touched = [(record.id, record.path) for record in (*batch.upsert, *batch.update)]
        self.ledger.mark_unknown(self.mirror, [*touched, *((id_, "") for id_ in batch.delete)])
        reply = self._write(batch)
        if reply["missing"]:
            absent = set(reply["missing"])
            self._write(_Batch(upsert=[row for row in batch.update if row.id in absent]))
        records = [*batch.upsert, *batch.update]
        self.ledger.record(self.mirror, ((row.id, row.known) for row in records), batch.delete)
        self.upserted += len(records)
        self.deleted += len(batch.delete)

    def _write(self, batch: _Batch) -> dict[str, Any]:
        vectors = b"".join(row.vector for row in batch.upsert)
        return self.writer.ask(
            "write",
            upsert=[[row.id, dict(row.metadata), row.document] for row in batch.upsert],
            vectors=base64.b64encode(vectors).decode("ascii"),
            update=[[row.id, dict(row.metadata)] for row in batch.update],
            delete=batch.delete,
        )


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    part: list[T] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def model_of(source: RowSource) -> str:
    """Return the name under which the ledger knows the source's model."""
    return f"{source.model_id}:{source.dimension}"


def _exists(target: Target) -> bool:
    return target.kind != "persistent" or clients.database_of(target).is_file()


def _make(state_dir: Path) -> None:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnly(f"cannot write {state_dir}: {error.strerror}") from None
