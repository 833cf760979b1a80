"""One mirror with an open writer: what differs is written, what is gone is deleted.

In: a `RowSource`, a ledger and a writer. Out: `Outcome`. `Run` makes the store equal to the source,
whoever wrote there before; what several clones share is in shared.py.
"""

import base64
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .ledger import Known, Ledger
from .ledger import Record as Mirrored
from .model import Row, RowSource
from .pipe import Writer
from .prepare import HALF, Record, clean, prepare
from .target import Target

T = TypeVar("T")
Progress = Callable[[int, int], None]
_PATHS_AT_ONCE = 200


@dataclass
class Outcome:
    """What a mirror did; `rows` is what the store holds of this repository afterwards.

    `note` says why nothing was written although something differs, "" otherwise. `looked` is False
    where nothing differs here, so that the store was not asked: `rows` is what it had before.
    """

    upserted: int
    deleted: int
    rows: int
    note: str = ""
    looked: bool = field(default=True, compare=False)


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
class Batch:
    """What is sent at once."""

    upsert: list[Record] = field(default_factory=list)
    update: list[Record] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.upsert) + len(self.update) + len(self.delete)


class Run:
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
        """Bring these paths up to date, or all. Raises what the writer says."""
        state = self.source.state
        opened, known = self._open(order)
        ours = known.tokens and opened["token"] in known.tokens
        if not ours or order.reread:
            # Another clone, a restored backup or a lost ledger: ask the store what it holds.
            self._reread()
        if not ours or order.reread or known.state is None:
            paths = None
        self._doubt(order)
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
        self._adopt(opened)
        # When somebody else writes too, no token is kept: the next run reads the store again.
        alone = done["token"] == token and done["rows"] == self.ledger.count(self.mirror)
        self.ledger.complete(self.mirror, state, token if alone else "")
        return Outcome(self.upserted, self.deleted, int(done["rows"]))

    def _open(self, order: Order) -> tuple[dict[str, Any], Mirrored]:
        """Open the collection; return what the writer says of it, and what the ledger does."""
        opened = self.writer.ask(
            "open",
            name=self.collection,
            repo_id=self.source.repo_id,
            model_id=self.source.model_id,
            dimension=self.source.dimension,
            rebuild=order.rebuild,
        )
        self.documents = bool(opened["documents"])
        known = self._noted(opened["uuid"], opened["name"])
        self.mirror = known.id
        return opened, known

    def _noted(self, uuid: str, name: str) -> Mirrored:
        source = self.source
        place = self.target.fingerprint, source.repo_id, uuid, name, model_of(source)
        return self.ledger.of(*place)

    def _doubt(self, order: Order) -> None:
        suspect = order.suspect & set(self.ledger.ids(self.mirror)) if order.suspect else set()
        self.ledger.mark_unknown(self.mirror, ((id_, "") for id_ in suspect))

    def _adopt(self, opened: dict[str, Any]) -> None:
        self.writer.ask("adopt", name=self.collection)
        self._noted(opened["uuid"], self.collection)

    def _finish(self) -> dict[str, Any]:
        expected = self.ledger.count(self.mirror)
        return self.writer.ask("finish", repo_id=self.source.repo_id, expected=expected)

    def _reread(self) -> None:
        self.ledger.replace(self.mirror, self._listed())

    def _listed(self, **which: Any) -> Iterator[list[str]]:
        """Yield (id, row_hash, path, commit) of all rows in the store, or of those `which` says."""
        offset, more = 0, True
        while more:
            page = self.writer.ask("list", repo_id=self.source.repo_id, offset=offset, **which)
            yield from page["rows"]
            offset, more = offset + len(page["rows"]), page["more"]

    def _pass(self, paths: set[str] | None) -> None:
        """Write what differs in these paths, or in all, and delete what is gone."""
        wanted = sorted(paths if paths is not None else self.source.changes(None)[1])
        seen: set[str] = set()
        batch = Batch()
        for rows in chunks(self._rows(wanted, seen), self.writer.max_batch):
            old = self._known(rows)
            valid = self._valid(known.commit_sha for known in old.values())
            unnoted = []
            for row in rows:
                record = prepare(row, old.get(row.id), valid, self.source.repo_id)
                if not self._sort(record, old, batch) and old[row.id].path != record.path:
                    unnoted.append((row.id, record.known))
                if len(batch) >= self.writer.max_batch:
                    self._send(batch)
                    batch = Batch()
            if unnoted:  # read from a store, which does not say where every row comes from
                self.ledger.record(self.mirror, unnoted, [])
        gone = self._gone(None if paths is None else wanted, seen)
        for ids in chunks(iter(gone), self.writer.max_batch):
            batch.delete = ids
            self._send(batch)
            batch = Batch()
        self._send(batch)

    def _known(self, rows: Sequence[Row]) -> dict[str, Known]:
        """Return what the store has of these rows."""
        return self.ledger.known(self.mirror, [row.id for row in rows])

    def _gone(self, paths: Sequence[str] | None, seen: set[str]) -> list[str]:
        """Return the ids to delete: of these paths, or of all, those that were not seen."""
        stored = None if paths is None else [clean(path) for path in paths]
        return [id_ for id_ in self.ledger.ids(self.mirror, stored) if id_ not in seen]

    def _rows(self, paths: list[str], seen: set[str]) -> Iterator[Row]:
        for start in range(0, len(paths), _PATHS_AT_ONCE):
            part = paths[start : start + _PATHS_AT_ONCE]
            for row in self.source.rows(part, self.documents):
                if row.id not in seen:
                    seen.add(row.id)
                    yield row
            self.progress(start + len(part), len(paths))

    @staticmethod
    def _sort(record: Record, old: dict[str, Known], batch: Batch) -> bool:
        """Add a record to the batch if it differs; return whether it does."""
        known = old.get(record.id)
        if known is None or known.row_hash[:HALF] != record.row_hash[:HALF]:
            batch.upsert.append(record)
        elif known.row_hash != record.row_hash:
            batch.update.append(record)
        else:
            return False
        return True

    def _valid(self, commits: Iterable[str]) -> frozenset[str]:
        asked = frozenset(commit for commit in commits if commit)
        unknown: Collection[str] = [commit for commit in asked if commit not in self.commits]
        if unknown:
            valid = self.source.valid_commits(unknown)
            self.commits.update((commit, commit in valid) for commit in unknown)
        return frozenset(commit for commit in asked if self.commits[commit])

    def _send(self, batch: Batch) -> None:
        if not len(batch):
            return
        touched = [(record.id, record.path) for record in (*batch.upsert, *batch.update)]
        self.ledger.mark_unknown(self.mirror, [*touched, *((id_, "") for id_ in batch.delete)])
        reply = self._write(batch)
        if reply["missing"]:
            absent = set(reply["missing"])
            self._write(Batch(upsert=[row for row in batch.update if row.id in absent]))
        records = [*batch.upsert, *batch.update]
        self.ledger.record(self.mirror, ((row.id, row.known) for row in records), batch.delete)
        self.upserted += len(records)
        self.deleted += len(batch.delete)

    def _write(self, batch: Batch) -> dict[str, Any]:
        vectors = b"".join(row.vector for row in batch.upsert)
        return self.writer.ask(
            "write",
            upsert=[[row.id, dict(row.metadata), row.document] for row in batch.upsert],
            vectors=base64.b64encode(vectors).decode("ascii"),
            update=[[row.id, dict(row.metadata)] for row in batch.update],
            delete=batch.delete,
        )


def model_of(source: RowSource) -> str:
    """Return the name under which the ledger knows the source's model."""
    return f"{source.model_id}:{source.dimension}"


def chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of `size`, the last one shorter."""
    part: list[T] = []
    for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
