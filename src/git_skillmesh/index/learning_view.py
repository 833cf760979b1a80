"""What a query about learnings sees: those of the working tree, of HEAD, or of a revision.

In: a repository, a scope. Out: a `View` over the index of learnings. What the index lacks is read
on the way, and kept if nobody else is writing.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from ..errors import Busy, Damaged, ReadOnly
from ..git.objects import BlobReader
from ..git.repository import Repository
from ..git.trees import working_tree
from ..learnings.files import SUFFIXES, read_file
from ..learnings.model import FOLDER, Learning
from ..learnings.reading import Problem, read_learning
from ..learnings.text import search_text
from ..yamlnodes import LONGEST
from .catalogue import FileRow
from .database import REBUILD
from .learnings import (
    Info,
    Reading,
    Shelf,
    add,
    committed,
    known_versions,
    learning_store,
    read_infos,
    read_versions,
)
from .store import LoadedSegment, Store
from .vectors import VectorSource
from .view import Scope, View, read_regular


@dataclass(slots=True)
class LearningView(View):
    """A `View` whose files are those of learnings. `known` has what filters ask of them."""

    known: dict[int, Info] = field(default_factory=dict)
    broken: tuple[Problem, ...] = ()
    read: dict[int, Learning] = field(default_factory=dict)

    def learnings(self, files: Sequence[FileRow]) -> dict[int, Learning]:
        """Return file id → learning. Raises `Damaged`."""
        paths = {row.id: row.path for row in files}
        unread = [row for row in files if row.id not in self.read]
        for number, data in View.texts(self, unread).items():
            learning = read_learning(paths[number], data).learning
            if learning is None:
                raise Damaged("the index of learnings differs from the files", REBUILD)
            self.read[number] = learning
        return {number: self.read[number] for number in paths}

    def texts(self, files: Sequence[FileRow]) -> dict[int, bytes]:
        """Return the texts in which learnings are searched."""
        return {
            number: search_text(learning)[0].encode(errors="replace")
            for number, learning in self.learnings(files).items()
        }


def shelf_of(
    repository: Repository, scope: Scope, revision: str = ""
) -> tuple[Shelf, str | None, str]:
    """Return the learnings of a scope, its commit and its tree. Raises `UsageError`."""
    found = repository.resolve(revision) if scope is Scope.REVISION else repository.head_tree()
    shelf = committed(repository, found[1])
    if scope is Scope.WORKING_TREE:
        shelf = _on_disk(repository, shelf)
    return shelf, *found


def _on_disk(repository: Repository, shelf: Shelf) -> Shelf:
    """Return a shelf with what was changed, added and removed in the working tree."""
    top = repository.top
    if top is None:
        return shelf
    blobs, unstored = dict(shelf.blobs), dict[str, bytes]()
    refused: list[Problem] = []
    state = working_tree(repository, FOLDER)
    for path in state.deleted:
        blobs.pop(path, None)
    for path in (*state.changed, *state.untracked):
        blobs.pop(path, None)
        if path.rpartition("/")[0] != FOLDER or not path.endswith(SUFFIXES):
            continue
        data = read_regular(top / path, LONGEST)
        if data is None:
            refused += read_file(repository, path).problems
        else:
            blobs[path] = repository.hash_blob(data)
            unstored[path] = data
    return Shelf(blobs, unstored, tuple(refused))


def open_learnings(
    repository: Repository, source: VectorSource | None, scope: Scope, revision: str = ""
) -> LearningView:
    """Open the learnings of a scope.

    Raises `UsageError` (bad revision), `Damaged`, `Unavailable` when the embedding model is.
    """
    shelf, commit, tree = shelf_of(repository, scope, revision)
    store = learning_store(repository)
    with suppress(Busy, ReadOnly, OSError):
        store.drop_other_models(source, 0.0)
    for _ in range(5):
        try:
            return _open(repository, store, source, shelf, scope, commit, tree)
        except FileNotFoundError:
            continue  # a segment was merged away between catalogue and file: look again
    raise Damaged("segments of the index of learnings are missing", REBUILD)


def _open(
    repository: Repository,
    store: Store,
    source: VectorSource | None,
    shelf: Shelf,
    scope: Scope,
    commit: str | None,
    tree: str,
) -> LearningView:
    catalogue = store.reader_if_any()
    try:
        known = known_versions(catalogue) if catalogue is not None else {}
        missing = [path for path, blob in shelf.blobs.items() if (path, blob) not in known]
        reading = read_versions(repository, shelf, missing, source) if missing else None
        kept = reading is not None and _keep(store, reading)
        if kept:
            if catalogue is not None:
                catalogue.close()
            catalogue = store.reader()
            known = known_versions(catalogue)
        infos = read_infos(catalogue) if catalogue is not None else {}
        model = source.model_id if source is not None else None
        segments = store.load(catalogue, model) if catalogue is not None else []
        live_ids = [known[at] for at in shelf.blobs.items() if at in known]
        highest = max([0, *live_ids, *(int(s.files.max(initial=0)) for s in segments)])
        extra = {}
        if reading is not None and not kept:
            extra = {highest + 1 + n: file for n, file in enumerate(reading.batch.files)}
            infos |= dict(zip(extra, reading.infos, strict=True))
            ids = reading.batch.segment.files.astype(np.int64) + highest + 1
            loaded = LoadedSegment(reading.batch.segment, ids, reading.batch.vectors)
            segments = [*segments, loaded] if len(reading.batch.segment) else segments
        live = np.zeros(highest + 1 + len(extra), np.bool_)
        live[[*live_ids, *extra]] = True
        numbers = np.flatnonzero(live).tolist()
        broken = [problem for number in numbers for problem in infos[number].problems]
    except BaseException:
        if catalogue is not None:
            catalogue.close()
        raise
    return LearningView(
        repository=repository,
        scope=scope,
        commit=commit,
        tree=tree,
        segments=segments,
        live=live,
        behind=len(reading.missing) if reading is not None else 0,
        catalogue=catalogue,
        reader=BlobReader(repository),
        extra_files=extra,
        on_disk=frozenset(shelf.unstored),
        known={number: infos[number] for number in numbers},
        broken=(*broken, *shelf.refused, *(reading.missing if reading is not None else ())),
    )


def _keep(store: Store, reading: Reading) -> bool:
    """Store what was read if no other process is writing; return whether it is stored now."""
    if not reading.batch.files:
        return False
    try:
        with store.writing(wait_seconds=0) as catalogue:
            known = known_versions(catalogue)
            if any((file.path, file.blob) in known for file in reading.batch.files):
                return False  # another process was faster; ours serves this one query
            add(store, catalogue, reading)
            return True
    except (Busy, ReadOnly, OSError):
        return False
