"""Bring collections of an older version up to date where they stand; no vector is written.

In: an open store, or its `Target`. Out: `Upgraded`, one a collection. Versions are additive: what
is missing is added, what is there stays, and what a later version made is refused.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import Unavailable
from .. import client as clients
from .. import store
from ..model import RowSource
from ..pipe import Writer
from ..prepare import HALF
from ..schemas import COLLECTIONS
from ..target import Target
from . import ends, records
from .ends import End

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

# Vectors of the index that are held against those of the store, to prove whose model they are.
SAMPLE = 40
_PROVEN = 0.8  # some chunks may have been edited since
_SAMPLE_PATHS = 200
_NOTHING: Mapping[str, Any] = {"str": "", "int": 0, "float": 0.0, "bool": False}
# Where nothing is known, and 0 would say something.
_UNKNOWN: Mapping[tuple[str, str], Any] = {("derived_learnings_v1", "confidence"): -1.0}

Progress = Callable[[str, int], None]


@dataclass
class Upgraded:
    """What was done to a collection, or would be.

    `said` is what its own metadata lacked, `fields` counts the rows that lacked a field. `problems`
    are why something could not be done.
    """

    name: str
    rows: int = 0
    was: int = 0
    version: int = 0
    said: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.said or self.fields)


@dataclass(frozen=True)
class Sample:
    """Vectors of one model: little-endian float32 by id, as base64."""

    model_id: str
    dimension: int
    vectors: Mapping[str, str]


def sample_of(source: RowSource) -> Sample:
    """Return some rows of the index, by which a model that nobody noted can be told."""
    import numpy as np

    paths = source.changes(None)[1]
    step = max(1, len(paths) // _SAMPLE_PATHS)
    vectors: dict[str, str] = {}
    for path in paths[::step]:
        for row in source.rows([path], documents=False):
            data = np.ascontiguousarray(row.embedding, dtype="<f4").tobytes()
            vectors[row.id] = base64.b64encode(data).decode()
        if len(vectors) >= SAMPLE:
            break
    return Sample(source.model_id, source.dimension, vectors)


class _Keeper(Writer):
    program = ("git_skillmesh.chroma.moving.process", "keep")


def upgrade(
    target: Target,
    state_dir: Path,
    samples: Mapping[str, Sample],
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> list[Upgraded]:
    """Upgrade the collections of every schema. `samples` has those that this clone can prove.

    Raises `ConfigurationError` for a collection of a newer version, before anything is changed;
    `Unavailable` where there is no store, `Busy`, `ReadOnly` and `Damaged` as `Writer`.
    """
    if target.kind == "persistent" and not clients.database_of(target).is_file():
        raise Unavailable(f"there is no Chroma store in {target.store}", "git skillmesh index")
    state_dir.mkdir(parents=True, exist_ok=True)
    done: list[Upgraded] = []
    with _Keeper(target, state_dir) as keeper:
        told = {name: asdict(sample) for name, sample in samples.items()}
        keeper.ask("upgrade", samples=told, dry_run=dry_run)
        while True:
            step = keeper.ask("step")
            if "end" in step:
                return done
            if "result" in step:
                done.append(Upgraded(**step["result"]))
            elif progress:
                progress(step["name"], step["done"])


def steps(
    end: End, samples: Mapping[str, Mapping[str, Any]], dry_run: bool
) -> Iterator[dict[str, Any]]:
    """Do it, a page at a time; what `upgrade` asks the process for."""
    found = []
    for name in end.names():
        collection = end.find(name) if store.schema_of(name) in COLLECTIONS else None
        if collection is not None and _is_ours(collection, name):
            store.refuse_newer(collection)
            found.append(collection)
    for collection in found:
        schema = store.schema_of(collection.name)
        sample = samples.get(collection.name)
        yield from _Upgrade(end, collection, schema, sample, dry_run).steps()
    yield {"end": True}


def _is_ours(collection: "Collection", name: str) -> bool:
    """Whether it is of this program: it says so, or its rows have what only ours have."""
    meta = store.metadata_of(collection)
    if "schema" in meta or "model_id" in meta:
        return bool(meta.get("schema", store.schema_of(name)) == store.schema_of(name))
    peeked: Any = collection.get(limit=1, include=["metadatas"])
    return bool(peeked["ids"]) and "repo_id" in (peeked["metadatas"][0] or {})


class _Upgrade:
    """One collection."""

    def __init__(
        self,
        end: End,
        collection: "Collection",
        schema: str,
        sample: Mapping[str, Any] | None,
        dry_run: bool,
    ) -> None:
        self.end, self.collection, self.dry_run = end, collection, dry_run
        self.schema, self.sample = COLLECTIONS[schema], sample
        self.meta = store.metadata_of(collection)
        was = self.meta.get("schema_version", 0)
        self.done = Upgraded(
            collection.name,
            int(end.do(collection.count)),
            was if isinstance(was, int) else 0,
            self.schema.version,
        )

    def steps(self) -> Iterator[dict[str, Any]]:
        """Rows first: the version says that all of it is done."""
        yield from self._rows()
        self._own_metadata()
        yield {"result": asdict(self.done)}

    def _rows(self) -> Iterator[dict[str, Any]]:
        collection, done, limit = self.collection, 0, self.end.most
        while True:
            page = self.end.do(
                partial(collection.get, limit=limit, offset=done, include=["metadatas"])
            )
            lacking = {
                id_: missing
                for id_, metadata in zip(page["ids"], page["metadatas"], strict=True)
                if (missing := self._missing(metadata or {}))
            }
            if lacking and not self.dry_run:
                ids = list(lacking)
                metadatas: Any = list(lacking.values())
                self.end.do(partial(collection.update, ids=ids, metadatas=metadatas))
            done += len(page["ids"])
            yield {"name": collection.name, "done": done}
            if len(page["ids"]) < limit:
                return

    def _missing(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a row lacks, with what stands for "unknown".

        The half of its fingerprint that covers metadata goes: who made the row then knows that it
        has to be told again, and that its text and its vector have not.
        """
        missing: dict[str, Any] = {}
        for name, (kind, _) in self.schema.fields.items():
            if name not in metadata and name != "row_hash":
                missing[name] = _UNKNOWN.get((self.schema.name, name), _NOTHING[kind])
                self.done.fields[name] = self.done.fields.get(name, 0) + 1
        held = metadata.get("row_hash")
        if missing and isinstance(held, str) and len(held) > HALF:
            missing["row_hash"] = held[:HALF] + "0" * HALF
        return missing

    def _own_metadata(self) -> None:
        meta, wanted = self.meta, dict[str, Any]()
        wanted["schema"] = self.schema.name
        wanted["schema_version"] = self.schema.version
        dimension = meta.get("dimension") or ends.dimension_of(self.collection)
        if dimension:
            wanted["dimension"] = dimension
        if "model_id" not in meta:
            model = self._proven()
            if model:
                wanted["model_id"] = model
            elif self.done.rows:
                self.done.problems.append(
                    "nobody noted which model its vectors are of, and nothing here proves it: "
                    "the next index of the repository fills it anew"
                )
        self.done.said = {key: value for key, value in wanted.items() if meta.get(key) != value}
        if store.space_of(self.collection) != store.SPACE:
            self.done.problems.append(
                f"its space is {store.space_of(self.collection)}, not {store.SPACE}, which cannot "
                "be changed where it stands: the next index fills it anew"
            )
        if self.done.changed and not self.dry_run:
            # Without these tokens every mirror reads what has become of its rows.
            kept = {
                key: value
                for key, value in meta.items()
                if not (self.done.fields and key.startswith("mirror:"))
            }
            self.end.do(lambda: store.set_metadata(self.collection, {**kept, **wanted}))

    def _proven(self) -> str:
        """Return the model whose vectors these are, "" if nothing tells."""
        import numpy as np

        if self.sample is None:
            return ""
        if not self.done.rows:
            return str(self.sample["model_id"])
        vectors = {
            id_: np.frombuffer(base64.b64decode(data), dtype="<f4")
            for id_, data in self.sample["vectors"].items()
        }
        there = records.by_ids(self.collection, list(vectors), self.end.do)
        same = sum(
            records.same_vector(record.vector, vectors[id_], "cosine")
            for id_, record in there.items()
        )
        return str(self.sample["model_id"]) if there and same >= _PROVEN * len(there) else ""
