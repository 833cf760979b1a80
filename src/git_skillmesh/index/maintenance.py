"""Keep the index complete and small: missing vectors, pruning.

In: an open, locked catalogue. Out: the same catalogue, with more known or less kept.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import Unavailable
from ..git.objects import BlobReader
from ..git.repository import Repository
from .build import segment_path
from .catalogue import Catalogue
from .documents import Document, read_file
from .history import forget_worktrees
from .rules import is_forced
from .segment import open_segment
from .store import Store
from .vectors import VectorSource, vector_path, write_vectors

# Versions that no remembered tree has any more are kept this long, as `git gc` does.
GRACE_SECONDS = 14 * 24 * 3600
# A segment is rewritten when less than this share of it is still known.
WORTH_KEEPING = 0.75


def complete_vectors(
    repository: Repository,
    catalogue: Catalogue,
    store: Store,
    source: VectorSource,
    max_bytes: int,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Give every segment vectors of `source`'s model; return how many chunks were embedded.

    Queries use a model only when all segments have it, so vectors of two models never meet.
    Vectors of other models go when the new ones are complete.
    """
    models = catalogue.models()
    todo = [s for s in catalogue.segments() if source.model_id not in models.get(s[0], ())]
    total, done = sum(documents for _, documents, _ in todo), 0
    for number, count, base in todo:
        documents = documents_again(repository, catalogue, store, number, base, max_bytes)
        vectors = source.vectors(documents)
        if len(vectors.norms) != count:
            raise Unavailable("the embedding model returned too few vectors")
        write_vectors(vectors, vector_path(store.stem(number), source.model_id))
        with catalogue.transaction():
            catalogue.add_vectors(number, source.model_id)
        done += count
        if progress:
            progress(done, total)
    if todo:
        with catalogue.transaction():
            obsolete = catalogue.drop_other_models(source.model_id)
        for number, model in obsolete:
            vector_path(store.stem(number), model).unlink(missing_ok=True)
    return done


def documents_again(
    repository: Repository,
    catalogue: Catalogue,
    store: Store,
    segment: int,
    base: int,
    max_bytes: int,
) -> list[Document]:
    """Chunk the files of a segment anew; the same bytes give the same chunks, in stored order."""
    files = open_segment(segment_path(store.stem(segment))).files.astype(np.int64) + base
    order = list(dict.fromkeys(files.tolist()))
    rows = catalogue.files(order)
    documents: list[Document] = []
    with BlobReader(repository) as reader:
        blobs = reader.read_many(rows[number].blob for number in order if number in rows)
        for number in order:
            count = int(np.count_nonzero(files == number))
            data = next(blobs) if number in rows else None
            read: tuple[Document, ...] = ()
            if data is not None:
                row = rows[number]
                read = read_file(row.path, data, max_bytes, is_forced(row.reading)).documents
            # A version that git does not have (never committed, or pruned) keeps its place.
            documents += read if len(read) == count else [Document.unknown()] * count
    return documents


@dataclass(frozen=True, slots=True)
class Prunable:
    """What a pruning would do: how many versions would go, and about how many bytes."""

    versions: int
    size: int


def prunable(catalogue: Catalogue, store: Store, grace_seconds: int = GRACE_SECONDS) -> Prunable:
    """Return what `prune` would do. The catalogue is only read."""
    gone = _unneeded(catalogue, grace_seconds)
    known = catalogue.chunk_counts()
    all_chunks, lost = sum(known.values()), 0
    for row in catalogue.files(gone).values():
        if row.segment is not None:
            known[row.segment] = known.get(row.segment, 0) - row.chunks
            lost += row.chunks
    size = 0.0
    for number, documents, _ in catalogue.segments():
        alive = known.get(number, 0)
        if _is_worn(alive, documents):
            size += _bytes_of(store, number) * (1 - alive / documents if documents else 1)
    free, pages, page = (
        int(catalogue.rows(f"PRAGMA {name}")[0][0])
        for name in ("freelist_count", "page_count", "page_size")
    )
    share = lost / all_chunks if all_chunks else 0
    return Prunable(len(gone), int(size) + int((free + (pages - free) * share) * page))


def _bytes_of(store: Store, segment: int) -> int:
    return sum(path.stat().st_size for path in store.segments_folder.glob(f"{segment}.*"))


def _unneeded(catalogue: Catalogue, grace_seconds: int) -> list[int]:
    """Return the versions that no remembered tree has and that are older than the grace period."""
    kept: set[int] = set()
    for tree, rules in catalogue.latest_trees():
        stored = catalogue.tree(tree, rules)
        if stored is not None:
            kept.update(stored[0].tolist())
    before = int(time.time()) - grace_seconds
    return [number for number in catalogue.files_added_before(before) if number not in kept]


def _is_worn(alive: int, documents: int) -> bool:
    """Whether a segment is written anew, or dropped, as too little of it is still known."""
    return alive == 0 or alive < documents * WORTH_KEEPING


def prune(
    repository: Repository,
    catalogue: Catalogue,
    store: Store,
    grace_seconds: int = GRACE_SECONDS,
) -> int:
    """Forget versions that no remembered tree has and that are older than the grace period.

    Returns how many file versions went. Call while holding the index lock.
    """
    gone = _unneeded(catalogue, grace_seconds)
    with catalogue.transaction():
        catalogue.remove_files(gone)
        forget_worktrees(repository, catalogue)
        catalogue.set_meta("pruned", str(int(time.time())))
    known = catalogue.chunk_counts()
    for number, documents, _ in catalogue.segments():
        alive = known.get(number, 0)
        if _is_worn(alive, documents):
            store.merge(catalogue, [number])
    # A row for each page, without columns: `execute` would take the first for the end.
    catalogue.connection.executescript("PRAGMA incremental_vacuum")
    return len(gone)


def prune_is_due(catalogue: Catalogue) -> bool:
    """Whether the last pruning is a day ago."""
    return time.time() - int(catalogue.meta("pruned") or 0) > 24 * 3600
