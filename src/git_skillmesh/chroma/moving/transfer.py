"""Carry one collection from one open store to another, in steps.

In: two `End`s and a name. Out: what is planned, then steps; the last one tells what was done. A
collection that is not there yet is filled under another name and renamed when all of it has been
read back and compared: until then nobody sees it, and a copy that was cut off goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ...errors import ConfigurationError, Unavailable, UsageError
from .. import store
from . import ends, limits, records
from .ends import End
from .patience import TOO_LARGE, status_of
from .records import Record, Where

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

Existing = Literal["refuse", "keep", "replace"]
_SAMPLE = 24
_PASSES = 5
_SEARCHES = 3
_SHOWN = 3


@dataclass
class Planned:
    """One collection as a plan shows it; `state` says what stands at the destination."""

    name: str
    rows: int
    model_id: str
    dimension: int
    space: str
    state: Literal["new", "unfinished", "there"]
    problems: list[str] = field(default_factory=list)


@dataclass
class Done:
    """What became of one collection: `rows` are there now, `written` of them in this run.

    `digest` is over ids, metadata, documents and URIs of these rows at the destination; `documents`
    of them have a text. `kept` have another content there, which was wanted. `searched` vectors
    were searched for themselves.
    """

    name: str
    rows: int = 0
    written: int = 0
    removed: int = 0
    kept: int = 0
    documents: int = 0
    digest: str = ""
    searched: int = 0
    notes: list[str] = field(default_factory=list)


def plan(
    source: End, destination: End | None, names: Sequence[str], repositories: Sequence[str]
) -> list[Planned]:
    """Look at both ends. `destination` None is a store that does not exist yet.

    Raises `UsageError` for a name that the source does not have.
    """
    there = [name for name in source.names() if not ends.is_unready(name)]
    missing = sorted(set(names) - set(there))
    if missing:
        raise UsageError(
            f"there is no collection {missing[0]!r:.80} in {source.target.describe()}",
            f"there are: {', '.join(there) or 'none'}",
        )
    planned = []
    for name in names or there:
        collection = source.find(name)
        if collection is None or (not names and "staging_for" in store.metadata_of(collection)):
            continue
        planned.append(_planned(source, destination, collection, repositories))
    return planned


def _planned(
    source: End, destination: End | None, collection: "Collection", repositories: Sequence[str]
) -> Planned:
    where = ends.where_of(collection, repositories)
    found = Planned(
        collection.name,
        records.count(collection, where, source.page, source.do),
        str(store.metadata_of(collection).get("model_id", "")),
        ends.dimension_of(collection),
        store.space_of(collection),
        "new",
    )
    if destination is None:
        return found
    final = destination.find(collection.name)
    if final is not None:
        found.state, found.problems = "there", ends.differences(collection, final)
    elif destination.find(_staging(source, collection, where)) is not None:
        found.state = "unfinished"
    return found


def _staging(source: End, collection: "Collection", where: Where) -> str:
    return ends.copy_name(collection.name, source.target, str(collection.id), where)


def exceeding(
    source: End, names: Sequence[str], repositories: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Read the source and tell what Chroma Cloud would refuse: yields steps, then {"excess": …}.

    "excess" holds [phrase, how many, the first id] for each limit.
    """
    found: dict[str, list[Any]] = {}
    for name in names:
        collection = source.find(name)
        if collection is None:
            continue
        metadata = ends.without_claims(store.metadata_of(collection))
        for phrase in limits.excess_of_collection(name, metadata):
            found.setdefault(phrase, [phrase, 0, name])[1] += 1
        done = 0
        where = ends.where_of(collection, repositories)
        for page in records.pages(collection, where, source.page, source.do):
            for record in page:
                for phrase in limits.excess(record):
                    found.setdefault(phrase, [phrase, 0, record.id])[1] += 1
            done += len(page)
            yield {"phase": "checking limits", "name": name, "done": done}
    yield {"excess": list(found.values())}


def transfer(
    source: End, destination: End, name: str, repositories: Sequence[str], existing: Existing
) -> Iterator[dict[str, Any]]:
    """Copy one collection; yields {"phase", "done"} after each page, then {"result": `Done`}.

    Raises `UsageError` where rows that are there have another content and `existing` is "refuse",
    `ConfigurationError` where the collection there is of another kind, `Unavailable` when the
    source keeps changing, and what the ends raise.
    """
    run = _Transfer(source, destination, name, repositories, existing)
    yield from run.steps()
    yield {"result": asdict(run.done)}


class _Transfer:
    """One collection on its way."""

    def __init__(
        self,
        source: End,
        destination: End,
        name: str,
        repositories: Sequence[str],
        existing: Existing,
    ) -> None:
        origin = source.find(name)
        if origin is None:
            raise Unavailable(f"the collection {name} is gone from {source.target.describe()}")
        self.source, self.destination = source, destination
        self.origin, self.existing = origin, existing
        self.where = ends.where_of(origin, repositories)
        self.space = store.space_of(origin)
        self.done = Done(name)
        self.sample: list[Record] = []

    def steps(self) -> Iterator[dict[str, Any]]:
        """Do it all."""
        name = self.done.name
        staging = _staging(self.source, self.origin, self.where)
        final = self.destination.find(name)
        if final is not None:
            yield from self._into(final)
            if self.destination.find(staging) is not None:
                self._delete(staging)  # what an earlier run had begun, before there was a `name`
            return
        filled = self.destination.find(staging)
        fresh = filled is None
        if filled is None:
            filled = self._make(staging)
        yield from self._fill(filled, fresh=fresh, whole=True)
        self._compare_settings(filled)
        self._rename(filled, name)

    def _into(self, final: "Collection") -> Iterator[dict[str, Any]]:
        """Add to a collection that others may use too."""
        problems = ends.differences(self.origin, final)
        if problems:
            raise ConfigurationError(
                f"{self.done.name} cannot take these rows: {'; '.join(problems)}",
                "nothing was overwritten; choose another database, or other collections",
            )
        if self.existing == "refuse":
            different: list[str] = []
            for page, known in self._pairs(final):
                different += [r.id for r in page if r.id in known and not self._same(r, known)]
                yield self._step("comparing", len(page))
            if different:
                shown = ", ".join(different[:_SHOWN]) + (", …" if len(different) > _SHOWN else "")
                raise UsageError(
                    f"{len(different)} rows of {self.done.name} have another content there: "
                    f"{shown}; nothing was changed",
                    "--existing keep or --existing replace",
                )
        yield from self._fill(final, fresh=False, whole=False)

    def _fill(self, there: "Collection", *, fresh: bool, whole: bool) -> Iterator[dict[str, Any]]:
        """Pass over the source until nothing differs; `whole`: nothing else shall be there."""
        for number in range(_PASSES):
            written, checked = self.done.written, records.Sum()
            self.done.kept, self.done.documents, self.sample = 0, 0, []
            self._passed, self._stride = 0, 1
            for page, known in self._pairs(there, fresh=fresh and not number):
                self._write(there, page, known, checked)
                yield self._step("checking" if number else "copying", len(page))
            clean = self.done.written == written and (number > 0 or not fresh)
            if not clean:
                continue
            if not whole or int(self.destination.do(there.count)) == checked.rows:
                self.done.rows, self.done.digest = checked.rows, checked.text
                self._search(there)
                return
            for gone in self._sweep(there):
                self.done.removed += gone
                yield self._step("removing", 0)
        raise Unavailable(
            f"{self.done.name} keeps changing while it is copied",
            "stop what writes to it and run the same command again; what is there is kept",
        )

    def _pairs(
        self, there: "Collection", fresh: bool = False
    ) -> Iterator[tuple[list[Record], dict[str, Record]]]:
        """Yield the source in parts, each with what the destination has of it."""
        self._read = 0
        for page in records.pages(self.origin, self.where, self.source.page, self.source.do):
            for part in records.batches(page, self.destination.most, ends.REQUEST_BYTES):
                ids = [record.id for record in part]
                known = {} if fresh else records.by_ids(there, ids, self.destination.do)
                yield part, known

    def _write(
        self,
        there: "Collection",
        part: list[Record],
        known: Mapping[str, Record],
        checked: records.Sum,
    ) -> None:
        """Write what differs, and count in what was read back."""
        wanted = []
        for record in part:
            if record.id not in known:
                wanted.append(record)
            elif self._same(record, known):
                checked.add(known[record.id])
                self.done.documents += record.document is not None
                self._remember(record)
            elif self.existing == "keep" and not ends.is_unready(there.name):
                self.done.kept += 1
            else:
                wanted.append(record)
        # Chroma merges metadata and keeps documents, so what differs goes before it comes anew.
        stale = [record.id for record in wanted if record.id in known]
        if stale:
            self.destination.do(lambda: there.delete(ids=stale))
        self._put(there, wanted)
        self.done.written += len(wanted)

    def _put(self, there: "Collection", wanted: list[Record]) -> None:
        """Write in one request, in two halves where one is too large for whoever takes it."""
        if not wanted:
            return
        try:
            self.destination.do(lambda: records.put(there, wanted))
        except BaseException as error:
            if status_of(error) != TOO_LARGE:
                raise
            if len(wanted) == 1:
                raise Unavailable(
                    f"{self.destination.target.describe()} finds the record {wanted[0].id!a:.80} "
                    "too large",
                    "raise its limit, as client_max_body_size of nginx",
                ) from None
            middle = len(wanted) // 2
            self._put(there, wanted[:middle])
            self._put(there, wanted[middle:])

    def _sweep(self, there: "Collection") -> Iterator[int]:
        """Delete what the source has not, or no longer; yields how many went, page by page.

        What is deleted moves what follows, so whoever needs to be sure sweeps again.
        """
        for page in records.pages(there, None, self.destination.page, self.destination.do):
            for part in records.batches(page, self.source.most, ends.REQUEST_BYTES):
                ids = [record.id for record in part]
                kept = records.by_ids(self.origin, ids, self.source.do)
                gone = [id_ for id_ in ids if id_ not in kept or not self._selected(kept[id_])]
                if gone:
                    self.destination.do(partial(there.delete, ids=gone))
                yield len(gone)

    def _selected(self, record: Record) -> bool:
        if self.where is None:
            return True
        wanted = self.where["repo_id"]
        held = record.fields.get("repo_id")
        return held in wanted["$in"] if isinstance(wanted, dict) else held == wanted

    def _same(self, record: Record, known: Mapping[str, Record]) -> bool:
        return records.same(record, known[record.id], self.space)

    def _search(self, there: "Collection") -> None:
        """Search vectors for themselves; one that the index has lost is given to it again.

        Its graph is built by several threads, and may leave out a vector that the store has.
        """
        again = 0
        for _ in range(_SEARCHES):
            lost = records.lost(there, self.sample, self.space, self.destination.do)
            if not lost:
                self.done.searched = len(self.sample)
                if again:
                    self.done.notes.append(
                        f"{again} of {len(self.sample)} searched vectors had to be written twice"
                    )
                return
            again = max(again, len(lost))
            ids = [record.id for record in lost]
            self.destination.do(partial(there.delete, ids=ids))
            self._put(there, lost)
        raise Unavailable(
            f"{again} of {len(self.sample)} vectors of {self.done.name} are there but are not "
            "found by a search",
            "copy it to another place, or let its repository fill it anew",
        )

    def _make(self, staging: str) -> "Collection":
        arguments = ends.like(self.origin, self.destination.target, self.where)
        client = self.destination.client
        try:
            self.destination.do(lambda: client.create_collection(staging, **arguments))
        except Exception:
            # The answer to a request that was carried out may be lost on its way.
            if self.destination.find(staging) is None:
                raise
        made = self.destination.find(staging)
        if made is None:
            raise Unavailable(f"{staging} is gone again from {self.destination.target.describe()}")
        return made

    def _rename(self, filled: "Collection", name: str) -> None:
        staging = filled.name
        try:
            self.destination.do(lambda: filled.modify(name=name))
        except Exception:
            if self.destination.find(staging) is not None:
                raise
        if self.destination.find(name) is None:
            raise Unavailable(f"{name} is gone again from {self.destination.target.describe()}")

    def _delete(self, name: str) -> None:
        self.destination.do(lambda: self.destination.client.delete_collection(name))

    def _compare_settings(self, filled: "Collection") -> None:
        """Note what the destination's index does otherwise."""
        there, here = ends.hnsw_of(filled), ends.hnsw_of(self.origin)
        changed = sorted(key for key in here if there.get(key) != here[key])
        if self.destination.target.kind == "cloud":
            self.done.notes.append("its index is of Chroma Cloud's kind: the space is kept")
        elif changed:
            said = ", ".join(f"{key} {there.get(key)} instead of {here[key]}" for key in changed)
            self.done.notes.append(f"its index differs: {said}")
        if ends.embedding_function_of(filled) != ends.embedding_function_of(self.origin):
            self.done.notes.append("its embedding function is not recorded there")

    def _remember(self, record: Record) -> None:
        """Keep some records, evenly spaced, however many there are."""
        if self._passed % self._stride == 0:
            self.sample.append(record)
            if len(self.sample) == 2 * _SAMPLE:
                self.sample, self._stride = self.sample[::2], 2 * self._stride
        self._passed += 1

    def _step(self, phase: str, read: int) -> dict[str, Any]:
        self._read += read
        return {"phase": phase, "name": self.done.name, "done": self._read}
