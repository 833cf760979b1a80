"""Make a Chroma collection equal to the rows of an index.

In: a `RowSource` and a `Target`. Out: the collection, and what had to be done. Only what differs
is written. Every batch is marked in the ledger, sent, acknowledged and recorded, so that a crash
at any point leaves nothing but work for the next run.
"""

import sqlite3
from dataclasses import replace
from pathlib import Path

from ..errors import Damaged, ReadOnly
from . import client as clients
from .ledger import Ledger
from .ledger import Record as Mirrored
from .model import ByHead, ByUnion, RowSource
from .pipe import WriterWhenNeeded, only_one
from .run import Order, Outcome, Progress, Run, model_of
from .shared import HeadRun, UnionRun
from .target import Target

__all__ = ["Order", "Outcome", "Progress", "carry_out", "lag", "mirror", "model_of", "note_of"]

# Chroma's index never reuses the place of a deleted vector (about 1.2 KB at 256 dimensions).
WASTE_ROWS = 20_000


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
    """Return how many changed paths are not mirrored yet; None when there is no mirror.

    It is 0 where the store is ahead: see `note_of`.
    """
    if not (state_dir / "mirror.db").is_file() or not _exists(target):
        return None
    with Ledger(state_dir) as ledger:
        record = ledger.find(target.fingerprint, source.repo_id, collection)
        if record is not None and ledger.told(record.id)[1]:
            return 0
        if record is None or record.state is None:
            return None
        waiting = ledger.unknown_paths(record.id)
        since = record.state if record.model == model_of(source) else None
        if since != source.state:
            waiting |= set(source.changes(since)[1])
        return len(waiting)


def note_of(
    source: RowSource, target: Target, state_dir: Path, collection: str = "codebase_v1"
) -> str:
    """Return why the last mirror left the store as it was, "" if it did not."""
    if not (state_dir / "mirror.db").is_file():
        return ""
    with Ledger(state_dir) as ledger:
        record = ledger.find(target.fingerprint, source.repo_id, collection)
        return ledger.told(record.id)[1] if record else ""


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
    sharing = source.sharing
    heard = record is not None and isinstance(sharing, ByUnion) and (
        sharing.tombstones != ledger.forgotten(record.id)
    )  # fmt: skip
    if record is not None and not (everything or paths or heard) and order == Order():
        if record.state != source.state:
            ledger.complete(record.id, source.state, None)
        return Outcome(0, 0, ledger.told(record.id)[0], looked=False)
    alone = source.sharing is None
    if alone and record is not None and record.deleted > max(WASTE_ROWS, ledger.count(record.id)):
        order = replace(order, rebuild=True)
    kind = Run
    if isinstance(source.sharing, ByHead):
        kind = HeadRun
    elif isinstance(source.sharing, ByUnion):
        kind = UnionRun
    run = kind(source, target, ledger, writers.writer(), collection, progress)
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


def _exists(target: Target) -> bool:
    return target.kind != "persistent" or clients.database_of(target).is_file()


def _make(state_dir: Path) -> None:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnly(f"cannot write {state_dir}: {error.strerror}") from None
