"""The backend that keeps vectors in Chroma: a local store, a server, or nothing but this process.

In: cards. Out: hits. Words are looked up in our own index, in memory, which then ranks what Chroma
finds near; its file also keeps what the model made of the cards, so that Chroma can be filled
again. A local store is written by the one short-lived writer of git_skillmesh.chroma, and only what
changed of a card since it was written. Chroma is imported when it is first asked.
"""

import json
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...chroma.mirror import mirror
from ...chroma.model import Row
from ...chroma.pipe import AlreadyMirroring
from ...chroma.prepare import clean
from ...chroma.reader import ChromaReader
from ...chroma.target import Target
from ...embedding.protocol import Embedder
from ..index import Index, quantise, update
from ..model import Card, RetrievalHit
from ..models import model_for
from ..router import TOP_K, Options, Router, Routing
from ..routing import Field, recipe, routed
from ..storage import index_file, key_of, load, save
from ..vectors import SEARCHED, Floats, LocalVectors, Numbers, cosines

COLLECTION = "skillmesh_experts"
DEFAULT_REGISTRY = "experts"
# Records asked for per card: a card has several vectors, and the nearest may all be of one card.
_PER_CARD = 3
_WAIT_S = 20.0
_AT_ONCE = 500


def collection_of(registry: str) -> str:
    """Return the name of a registry's collection."""
    return COLLECTION if registry == DEFAULT_REGISTRY else f"{COLLECTION}-{key_of(registry)}"


class CardRows:
    """A `RowSource` (chroma/model.py) over cards: one row for each text of theirs with a vector.

    Phrases of ours (everyday.py) are left out: cards share them, and an approximate index with
    hundreds of equal vectors no longer finds its way.

    `index` is of these cards, in their order, and made with `model`. `owner` is the repository
    whose skills they are, where a store has those of several.
    """

    sharing = None

    def __init__(
        self, cards: Sequence[Card], index: Index, model: Embedder, registry: str, owner: str = ""
    ) -> None:
        self.repo_id = f"skills:{registry}@{owner}" if owner else f"skills:{registry}"
        self.model_id, self.dimension = model.model_id, model.dimension
        self._index = index
        self._number = {card.id: number for number, card in enumerate(cards)}
        self._cards = tuple(cards)
        self._digests = {
            card.id: row.tobytes().hex()[:16]
            for card, row in zip(cards, index.digests, strict=True)
        }

    @property
    def state(self) -> str:
        """Fingerprint of every card."""
        return json.dumps([recipe(), self.model_id, self._digests], separators=(",", ":"))

    def changes(self, since: str | None) -> tuple[bool, list[str]]:
        """Return the cards that changed since a state, those that are gone included."""
        try:
            how, model, old = json.loads(since or "null")
            if (how, model) == (recipe(), self.model_id):
                differing = dict(old.items() ^ self._digests.items())
                return False, sorted(differing)
        except (TypeError, ValueError, AttributeError):
            pass
        return True, sorted(self._number)

    def rows(self, paths: Iterable[str], documents: bool) -> Iterator[Row]:
        """Yield the rows of these cards."""
        for card_id in paths:
            number = self._number.get(card_id)
            if number is not None:
                yield from self._rows_of(number, documents)

    def _rows_of(self, number: int, documents: bool) -> Iterator[Row]:
        card, index = self._cards[number], self._index
        first, last = np.searchsorted(index.owners, [number, number + 1])
        wide, norms = index.rows[first:last].astype(np.float32), index.norms[first:last, None]
        vectors = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0)
        texts = routed(card).texts if documents else [None] * len(vectors)
        kinds = [Field(kind) for kind in index.kinds[first:last].tolist()]
        for ordinal, (text, kind) in enumerate(zip(texts, kinds, strict=True)):
            if kind == Field.EVERYDAY:
                continue
            yield Row(
                id=row_id(self.repo_id, card.id, ordinal),
                path=card.id,
                embedding=vectors[ordinal],
                metadata={
                    "expert_id": clean(card.id),
                    "part": kind.name.lower(),
                    "ordinal": ordinal,
                    "title": clean(card.title),
                    "domain": clean(card.domain),
                    "instruction_file": clean(card.instruction_file),
                    "tags": clean(",".join(card.tags)),
                    "tool_hints": clean(",".join(card.tool_hints)),
                    "aliases": clean(",".join(card.aliases)),
                    "risk_level": str(card.risk_level),
                    "maturity": str(card.maturity),
                    "content_hash": self._digests[card.id],
                    "repo_id": self.repo_id,
                },
                document=None if text is None else clean(text),
                content_hash=self._digests[card.id],
            )

    def valid_commits(self, commits: Collection[str]) -> frozenset[str]:
        """Return nothing: these rows have no commit."""
        return frozenset()


def row_id(repo_id: str, card_id: str, ordinal: int) -> str:
    """Return the id of a card's record."""
    return clean(f"{repo_id}/{card_id}#{ordinal}")


class Place(Protocol):
    """Where a collection is. It is opened to ask, and closed soon."""

    def fill(self, rows: CardRows) -> None:
        """Make the collection equal to the rows."""

    def open(self) -> None:
        """Make ready to be asked."""

    def close(self) -> None:
        """Release what was opened."""

    def near(self, vector: NDArray[np.float32], count: int) -> list[str]:
        """Return the cards of the nearest records, nearest first."""

    def embeddings(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors of these records."""


class StoredPlace:
    """A collection of a local store or a server."""

    def __init__(self, target: Target, state_dir: Path, collection: str) -> None:
        self._target, self._state_dir, self._collection = target, state_dir, collection
        self._repo_id = self._model_id = ""
        self._reader: ChromaReader | None = None

    def fill(self, rows: CardRows) -> None:
        """Write what differs. Raises what `mirror` raises."""
        self._repo_id, self._model_id = rows.repo_id, rows.model_id
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                mirror(rows, self._target, self._state_dir, self._collection)
                return
            except AlreadyMirroring:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def open(self) -> None:
        """Open the store to ask it; whoever writes waits meanwhile."""
        self._reader = ChromaReader(self._target, _WAIT_S).__enter__()

    def close(self) -> None:
        """Release the store."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.__exit__(None, None, None)

    def near(self, vector: NDArray[np.float32], count: int) -> list[str]:
        """Return the cards of the nearest records."""
        assert self._reader is not None  # noqa: S101 - it is asked only when open
        where = _where(self._repo_id)
        found = self._reader.query(self._collection, vector, count, where, self._model_id)
        return [str(metadata["expert_id"]) for _, _, metadata in found]

    def embeddings(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors of these records."""
        assert self._reader is not None  # noqa: S101 - it is asked only when open
        found = self._reader.get(self._collection, ids, include=("embeddings",))
        return {record["id"]: np.asarray(record["embedding"], np.float32) for record in found}


class EphemeralPlace:
    """A collection that ends with the process. It needs no lock: nobody else can see it."""

    def __init__(self, collection: str) -> None:
        self._name = collection
        self._collection: Any = None
        self._state: str | None = None
        self._ids: dict[str, list[str]] = {}

    def fill(self, rows: CardRows) -> None:
        """Write the cards that differ."""
        if self._collection is None:
            self._collection = _new_collection(self._name)
        _, changed = rows.changes(self._state)
        gone = [id_ for card in changed for id_ in self._ids.pop(card, ())]
        for start in range(0, len(gone), _AT_ONCE):
            self._collection.delete(ids=gone[start : start + _AT_ONCE])
        batch: list[Row] = []
        for row in rows.rows(changed, True):
            self._ids.setdefault(row.path, []).append(row.id)
            batch.append(row)
            if len(batch) == _AT_ONCE:
                self._add(batch)
                batch = []
        self._add(batch)
        self._state = rows.state

    def _add(self, batch: Sequence[Row]) -> None:
        if batch:
            self._collection.upsert(
                ids=[row.id for row in batch],
                embeddings=[row.embedding for row in batch],
                metadatas=[dict(row.metadata) for row in batch],
                documents=[row.document for row in batch],
            )

    def open(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""

    def near(self, vector: NDArray[np.float32], count: int) -> list[str]:
        """Return the cards of the nearest records."""
        found = self._collection.query(
            query_embeddings=[vector], n_results=count, include=["metadatas"], where=_where(None)
        )
        return [str(metadata["expert_id"]) for metadata in found["metadatas"][0]]

    def embeddings(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors of these records."""
        found: dict[str, NDArray[np.float32]] = {}
        for start in range(0, len(ids), _AT_ONCE):
            page = self._collection.get(
                ids=list(ids[start : start + _AT_ONCE]), include=["embeddings"]
            )
            found.update(zip(page["ids"], page["embeddings"], strict=True))
        return found


def _where(repo_id: str | None) -> dict[str, Any]:
    part = {"part": {"$in": [kind.name.lower() for kind in SEARCHED]}}
    return part if repo_id is None else {"$and": [{"repo_id": repo_id}, part]}


def _new_collection(name: str) -> Any:
    from ...chroma.client import settings
    from ...chroma.loading import load as load_chroma

    load_chroma()
    import chromadb

    client = chromadb.EphemeralClient(settings=settings())
    # All such clients of a process share one store; a collection of our own shares nothing.
    free = name
    taken = {each.name for each in client.list_collections()}
    while free in taken:
        free = f"{name}-{len(taken)}-{time.monotonic_ns()}"
    configuration: Any = {"hnsw": {"space": "cosine"}}
    return client.create_collection(free, embedding_function=None, configuration=configuration)


class ChromaVectors:
    """Vectors in a collection. What was fetched once is kept as long as the cards are the same."""

    def __init__(self, place: Place, index: Index, cards: Sequence[Card], repo_id: str) -> None:
        self._place, self._index = place, index
        self._number = {clean(card.id): number for number, card in enumerate(cards)}
        firsts = np.searchsorted(index.owners, np.arange(len(cards)))
        ordinals = np.arange(len(index.owners)) - firsts[index.owners]
        self._ids = [
            row_id(repo_id, cards[owner].id, ordinal)
            for owner, ordinal in zip(index.owners.tolist(), ordinals.tolist(), strict=True)
        ]
        self._known: dict[int, NDArray[np.int8]] = {}
        self._phrases = LocalVectors(index, (Field.EVERYDAY,))

    def near(self, row: NDArray[np.float32], count: int) -> Numbers:
        """Return the numbers of the cards of the nearest records."""
        close = self._phrases.near(row, count)
        asked_for = min(count * _PER_CARD, len(self._ids))
        if not asked_for:
            return close
        unit = row / np.sqrt(np.dot(row, row))
        found = dict.fromkeys(self._place.near(unit, asked_for))
        numbers = [self._number[card] for card in found if card in self._number]
        return np.union1d(close, np.array(numbers[:count], np.intp))

    def cosines(self, row: NDArray[np.float32], numbers: Numbers) -> Floats:
        """Return the cosine of these vectors with a question's row."""
        ours = self._index.kinds[numbers] == Field.EVERYDAY
        result = np.zeros(len(numbers))
        result[ours] = self._phrases.cosines(row, numbers[ours])
        wanted = numbers[~ours].tolist()
        missing = [number for number in wanted if number not in self._known]
        if missing:
            found = self._place.embeddings([self._ids[number] for number in missing])
            nothing = np.zeros(len(row), np.float32)
            vectors = np.array([found.get(self._ids[number], nothing) for number in missing])
            rows, _ = quantise(vectors, len(row))
            self._known.update(zip(missing, rows, strict=True))
        if wanted:
            wide = np.array([self._known[number] for number in wanted], np.float32)
            result[~ours] = cosines(wide, row, np.sqrt(np.einsum("ij,ij->i", wide, wide)))
        return result


class ChromaBackend:
    """A `RetrievalBackend`.

    `target` and `state_dir`, the folder of its ledger and of our own index, name a store that
    stays; `owner` is the repository whose cards these are, where it is shared. Without a target
    one is kept in `state_dir`, without either it ends with the process.
    Without an `embedder` the number of cards decides which of the built-in models is used.
    """

    name = "chroma"

    def __init__(
        self,
        embedder: Embedder | None = None,
        state_dir: Path | None = None,
        target: Target | None = None,
        registry: str = DEFAULT_REGISTRY,
        owner: str = "",
    ) -> None:
        if target is not None and state_dir is None:
            raise ValueError("a store that stays needs a state_dir")
        self._given = embedder
        self._registry, self._owner = registry, owner
        self._file = state_dir and index_file(state_dir, registry)
        self._index: Index | None = None
        self._model_id = ""
        collection = collection_of(registry)
        self._place: Place = EphemeralPlace(collection)
        if state_dir is not None:
            target = target or Target("persistent", path=state_dir / "chroma")
            self._place = StoredPlace(target, state_dir, collection)
        self._router: Router | None = None

    def index(self, cards: Sequence[Card]) -> None:
        """Make `cards` what is searched; only new and changed ones are read and written."""
        cards = sorted({card.id: card for card in reversed(cards)}.values(), key=lambda c: c.id)
        model = self._given or model_for(len(cards))
        old = self._index
        if old is None or self._model_id != model.model_id:
            old = load(self._file, model)
        fresh = update(old, cards, model)
        if fresh is not old:
            save(fresh, self._file, model)
        self._index, self._model_id = fresh, model.model_id
        rows = CardRows(cards, fresh, model, self._registry, self._owner)
        if cards:
            self._place.fill(rows)
        vectors = ChromaVectors(self._place, fresh, cards, rows.repo_id)
        self._router = Router(cards, fresh, vectors, model)

    def query(self, text: str, top_k: int = TOP_K) -> list[RetrievalHit]:
        """Return up to `top_k` hits, none where no card is likely to be meant."""
        return list(self.route(text, top_k).hits)

    def route(self, text: str, top_k: int = TOP_K, options: Options | None = None) -> Routing:
        """Return the same with the reason why there are none."""
        if self._router is None:
            self.index(())
        assert self._router is not None  # noqa: S101 - indexed just now
        options = options or Options()
        if not (options.dense and self._router.asks(text)):
            return self._router.route(text, top_k, options)
        self._place.open()
        try:
            return self._router.route(text, top_k, options)
        finally:
            self._place.close()
