"""Prove that a Chroma collection equals its source, and mend it without embedding anything again.

In: a `RowSource` and a `Target`. Out: findings, and after `repair` a collection that has none.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Busy, Damaged, Unavailable
from .ledger import Ledger
from .locking import held
from .mirror import Order, Outcome, carry_out, model_of
from .model import ByHead, ByUnion, RowSource, Standing
from .pipe import LOCK_WAIT_S, Writer
from .prepare import VOLATILE, Record, is_as_written, prepare
from .reader import ChromaReader
from .shared import Mark
from .stored import Stored
from .target import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 500
_INDEX, _SYNC = "git skillmesh index --chroma wait", "git skillmesh sync"
_MEND = {
    "behind": _INDEX,
    "older": "git fetch",
    "settings": _INDEX,
    "elsewhere": _SYNC,
    "differs": f"git fetch, {_SYNC}",
}
_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """One kind of difference; `mend` says what brings both sides together where it is no damage.

    No damage: behind; and what comes of other clones: older (than the store), settings, elsewhere
    (of conversations not known here), differs. Damage: unreadable, absent, missing, extra,
    metadata, document, vector, duplicate, ledger, unfindable.
    """

    kind: str
    collection: str
    ids: tuple[str, ...]
    message: str

    @property
    def mend(self) -> str:
        """A command; "" for damage, which `repair` mends."""
        return _MEND.get(self.kind, "")


def examine(
    source: RowSource,
    target: Target,
    state_dir: Path,
    sample: int = 20,
    collection: str = "codebase_v1",
    *,
    opens: bool = False,
) -> list[Finding]:
    """Compare ledger, store and source; `sample` vectors are searched for themselves.

    `opens` says that the whole store has been opened just now, as the first look at one of its
    collections does: that takes a process, and more than a second of its time.

    Raises `Unavailable` (no answer from a server), `Busy`, `ReadOnly`.
    """
    return _Examination(source, target, state_dir, collection).findings(sample, opens)


def repair(
    source: RowSource, target: Target, state_dir: Path, collection: str = "codebase_v1"
) -> Outcome:
    """Mend what `examine` finds; the vectors come from the source.

    A local store that cannot be opened is moved aside, as NAME.damaged-TIME. Raises like `mirror`.
    """
    findings = examine(source, target, state_dir, sample=200, collection=collection)
    kinds = {finding.kind for finding in findings}
    if "unreadable" in kinds:
        _move_aside(target)
        return carry_out(source, target, state_dir, collection, None, Order(reread=True))
    suspect = frozenset(id_ for finding in findings for id_ in finding.ids)
    by_kind = {finding.kind: set(finding.ids) for finding in findings}
    lost = by_kind.get("unfindable", set()) - by_kind.get("vector", set())
    order = Order(suspect=suspect, reread=True, rebuild=bool(lost))
    return carry_out(source, target, state_dir, collection, None, order)


def _move_aside(target: Target) -> None:
    busy = Busy("another process has the Chroma store open", "try again later")
    with held(target.lock_file, False, LOCK_WAIT_S, busy):
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for n in range(100):
            aside = target.store.with_name(f"{target.store.name}.damaged-{stamp}-{n}")
            if not aside.exists():
                target.store.rename(aside)
                return


class _Examination:
    """One look at one collection."""

    def __init__(self, source: RowSource, target: Target, state_dir: Path, name: str) -> None:
        self.source = source
        self.target = target
        self.state_dir = state_dir
        self.name = name
        self.found: dict[str, list[str]] = {}
        self.documents = False

    def findings(self, sample: int, opens: bool) -> list[Finding]:
        with Ledger(self.state_dir) as ledger:
            record = ledger.find(self.target.fingerprint, self.source.repo_id, self.name)
            unreadable = None if opens else self._unreadable()
            if unreadable is not None:
                return [unreadable]
            since = None
            if record is not None and record.model == model_of(self.source):
                since = record.state
            by, behind = self.source.sharing, set[str]()
            if not isinstance(by, ByHead):
                everything, behind = self._changed(since)
                if record is None or everything:
                    if self.target.kind != "persistent":
                        with ChromaReader(self.target, LOCK_WAIT_S):
                            pass  # a server that is away is not merely behind
                    return [self._behind(len(behind))]
            try:
                with ChromaReader(self.target, LOCK_WAIT_S) as reader:
                    info = reader.info(self.name)
                    if isinstance(by, ByHead):
                        repo = self.source.repo_id
                        claims = [str(info.get(f"{one}:{repo}", "")) for one in ("head", "mirror")]
                        mark = Mark.parse(*claims)
                        found = self._standing(by, mark, since)
                        if isinstance(found, Finding):
                            return [found]
                        behind = found
                    known = Stored(ledger, record.id if record else 0, reader, self.source)
                    self._compare(reader, known, behind, sample)
            except Unavailable as error:
                if self.target.kind != "persistent" and "no collection" not in error.what:
                    raise
                return [Finding("absent", self.name, (), error.what)]
            except Damaged as error:
                return [Finding("unreadable", self.name, (), error.what)]
        findings = [self._behind(len(behind))] if behind else []
        return findings + [self._finding(kind, ids) for kind, ids in self.found.items()]

    def _changed(self, since: str | None) -> tuple[bool, set[str]]:
        if since == self.source.state:
            return False, set()
        everything, changed = self.source.changes(since)
        return everything, set(changed)

    def _standing(self, by: ByHead, mark: Mark | None, own: str | None) -> "Finding | set[str]":
        """Return the paths that are not mirrored yet, or why nothing can be compared."""
        everything = len(self.source.changes(None)[1])
        if mark is None:
            return self._behind(everything)
        if by.standing(mark.commit) is Standing.OLDER:
            what = f"the server has {mark.commit[:12]}, which is newer than what this clone knows"
            return Finding("older", self.name, (), what)
        since = by.since(mark.state, own)
        if since is None and mark.whole:
            what = f"the server has {mark.commit[:12]} with other settings or another model"
            return Finding("settings", self.name, (), what)
        whole, paths = self._changed(since) if since and mark.whole else (True, set())
        return self._behind(everything) if whole else paths

    def _unreadable(self) -> Finding | None:
        """Open the store in a process of its own first: a damaged index may crash it."""
        # A server has its index in a process of its own, and says itself what it cannot do.
        if self.target.kind != "persistent" or not self.target.store.exists():
            return None
        try:
            with Writer(self.target, self.state_dir) as writer:
                writer.ask("probe")
        except Damaged as error:
            return Finding("unreadable", self.name, (), error.what)
        return None

    def _compare(self, reader: ChromaReader, known: Stored, behind: set[str], sample: int) -> None:
        stored = known.listed(self.name)
        self.documents = reader.keeps_documents(self.name, self.source.repo_id)
        _, paths = self.source.changes(None)
        checked = [path for path in paths if path not in behind]
        expected: set[str] = set()
        chosen: dict[str, NDArray[np.float32]] = {}
        for records in self._expected(known, checked, expected):
            present = [record for record in records if record.id in stored]
            self._add("missing", (r.id for r in records if r.id not in stored))
            self._compare_records(reader, present)
            for record in _spread(present, sample):
                chosen[record.id] = _vector(record.vector)
        more = stored.keys() - expected - known.of_paths(behind, stored)
        by = self.source.sharing
        if isinstance(by, ByUnion):
            forgotten = by.forgotten({stored[id_] for id_ in more})
            self._add("elsewhere", sorted(id_ for id_ in more if stored[id_] not in forgotten))
            more = {id_ for id_ in more if stored[id_] in forgotten}
        self._add("extra", sorted(more))
        if by is None:
            noted = known.noted()
            lost = set(self.found.get("missing", ()))
            self._add("ledger", sorted((noted ^ stored.keys()) - lost))
        step = max(1, len(chosen) // max(1, sample))
        picked = dict(list(chosen.items())[::step][:sample])
        self._add("unfindable", reader.search_for_themselves(self.name, picked))

    def _expected(self, known: Stored, paths: list[str], seen: set[str]) -> Iterator[list[Record]]:
        """Yield what the store should hold, a page at a time."""
        page: list[Any] = []

        def prepared() -> list[Record]:
            old = known.of_rows(self.name, [row.id for row in page])
            commits = {row.commit_sha for row in old.values() if row.commit_sha}
            valid = self.source.valid_commits(commits) if commits else frozenset()
            return [prepare(row, old.get(row.id), valid, self.source.repo_id) for row in page]

        for row in self.source.rows(paths, self.documents):
            if row.id in seen:
                self._add("duplicate", [row.id])
                continue
            seen.add(row.id)
            page.append(row)
            if len(page) == _PAGE:
                yield prepared()
                page = []
        if page:
            yield prepared()

    def _compare_records(self, reader: ChromaReader, records: list[Record]) -> None:
        by_id = {record.id: record for record in records}
        fields = ("metadatas", "embeddings", "documents")
        for held_ in reader.get(self.name, ids=list(by_id), include=fields):
            record = by_id[held_["id"]]
            metadata = held_["metadata"] or {}
            other = metadata.get("row_hash") != record.row_hash and is_as_written(metadata)
            if other and self.source.sharing is not None:
                # Another clone wrote it, which knows more of it or less.
                self._add("differs", [record.id])
                continue
            if _stable(metadata) != _stable(record.metadata):
                self._add("metadata", [record.id])
            if held_["document"] != record.document:
                self._add("document", [record.id])
            if not _same_direction(held_["embedding"], _vector(record.vector)):
                self._add("vector", [record.id])

    def _add(self, kind: str, ids: Iterable[str]) -> None:
        listed = list(ids)
        if listed:
            self.found.setdefault(kind, []).extend(listed)

    def _behind(self, paths: int) -> Finding:
        return Finding("behind", self.name, (), f"{paths} changed paths are not mirrored yet")

    def _finding(self, kind: str, ids: list[str]) -> Finding:
        what = {
            "missing": "records are missing",
            "extra": "records do not belong there",
            "metadata": "records have other metadata",
            "document": "records have another text",
            "vector": "records have another vector",
            "duplicate": "ids are given twice by the index",
            "ledger": "records are not as the ledger has them",
            "unfindable": "records are not found by their own vector",
            "elsewhere": "records are of conversations that this clone does not have",
            "differs": "records say what another clone knows",
        }[kind]
        shown = ", ".join(ids[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
        return Finding(kind, self.name, tuple(ids), f"{len(ids)} {what}: {shown}")


def _stable(metadata: Any) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in VOLATILE}


def _vector(data: bytes) -> "NDArray[np.float32]":
    import numpy as np

    return np.frombuffer(data, dtype="<f4")


def _same_direction(held_: Any, wanted: "NDArray[np.float32]") -> bool:
    """Compare by what a cosine index keeps: it may scale, and rounds."""
    import numpy as np

    a, b = np.asarray(held_, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if a.shape != b.shape:
        return False
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if lengths == 0.0:
        return not a.any() and not b.any()
    return float(a @ b) / lengths > 1 - 1e-5


def _spread(records: list[Record], sample: int) -> list[Record]:
    return records[:: max(1, len(records) // max(1, sample))]
