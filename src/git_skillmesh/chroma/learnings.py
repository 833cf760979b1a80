"""The rows of `derived_learnings_v1`: the learnings that HEAD has, one row each.

In: the files at HEAD, the index of learnings. Out: `LearningRows` for mirror and doctor, whose
paths are those of the files. What a team has committed is what it shares: a file that is only in
a working tree, or cannot be used, has no row.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from ..config import Config
from ..errors import Unavailable
from ..git.objects import BlobReader
from ..git.process import GitFailed
from ..git.repository import Repository, main_repository
from ..git.trees import diff_trees
from ..index.catalogue import Catalogue
from ..index.identity import learning_key, repo_id
from ..index.learnings import (
    READING,
    Shelf,
    known_versions,
    learning_store,
    sync_learnings,
)
from ..index.store import Store
from ..index.vectors import Vectors, open_vectors, prose_source_of, unit_rows, vector_path
from ..learnings.files import folder_at
from ..learnings.model import FOLDER, Learning
from ..learnings.reading import read_learning
from .followed import Followed, by_head, followed
from .model import ByHead, Row

COLLECTION = "derived_learnings_v1"
_WAIT_SECONDS = 600
# What stands where a file says nothing of its confidence: below every one that is said.
_UNSAID = -1.0


class LearningRows:
    """A `RowSource` (chroma/model.py) over an open index; use `learning_rows` to get one."""

    def __init__(
        self,
        repository: Repository,
        repo: str,
        model: tuple[str, int],
        index: tuple[Store, Catalogue],
        folder: str,
        shelf: Shelf,
        what: Followed,
    ) -> None:
        self.repo_id = repo
        self.model_id, self.dimension = model
        self._repository = repository
        store, self._catalogue = index
        self._folder = folder
        self._what = what
        self._blobs = shelf.blobs
        self._numbers = known_versions(self._catalogue)
        self._vectors = {
            number: open_vectors(vector_path(store.stem(number), self.model_id))
            for number, _, _ in self._catalogue.segments()
        }

    @property
    def state(self) -> str:
        """Fingerprint of everything the rows depend on."""
        return json.dumps([READING, self.model_id, self._folder])

    @property
    def sharing(self) -> ByHead | None:
        """Clones write the same rows where they follow the same branch."""
        return by_head(self._repository, self._what, self._since, "path")

    def _since(self, theirs: str, own: str | None) -> str | None:
        try:
            return theirs if json.loads(theirs)[:2] == [READING, self.model_id] else None
        except (ValueError, TypeError):
            return None

    def changes(self, since: str | None) -> tuple[bool, list[str]]:
        """Return the files that changed since a state, those that are gone included."""
        try:
            reading, model, folder = json.loads(since or "null")
            if (reading, model) == (READING, self.model_id):
                return False, sorted(self._changed(folder))
        except (TypeError, ValueError, GitFailed):
            pass
        return True, sorted(self._blobs)

    def _changed(self, folder: str) -> set[str]:
        empty = self._repository.empty_tree
        changes = diff_trees(self._repository, folder or empty, self._folder or empty)
        return {f"{FOLDER}/{change.path}" for change in changes}

    def rows(self, paths: Iterable[str], documents: bool) -> Iterator[Row]:
        """Yield the rows of these files."""
        wanted = [path for path in paths if path in self._blobs]
        with BlobReader(self._repository) as reader:
            contents = reader.read_many(self._blobs[path] for path in wanted)
            for path, data in zip(wanted, contents, strict=True):
                learning = read_learning(path, data).learning if data is not None else None
                if learning is not None:
                    yield self._row(path, learning, documents)

    def _row(self, path: str, learning: Learning, documents: bool) -> Row:
        confidence = learning.confidence
        return Row(
            id=learning_key(self.repo_id, learning.learning_id),
            path=path,
            embedding=self._embedding(path),
            metadata={
                "learning_id": learning.learning_id,
                "title": learning.title,
                "source_chat_id": learning.source_chat_id,
                "description": learning.description,
                "pattern": learning.pattern,
                "example_code_reference": learning.example_code_reference,
                "tags": ",".join(learning.tags),
                "category": learning.category,
                "confidence": _UNSAID if confidence is None else float(confidence),
                "state": str(learning.state),
                "severity": str(learning.severity),
                "languages": ",".join(learning.languages),
                "path": path,
                "blob": self._blobs[path],
                "repo_id": self.repo_id,
            },
            document=f"{learning.title}\n{learning.description}" if documents else None,
            content_hash=self._blobs[path],
        )

    def _embedding(self, path: str) -> list[float]:
        """Return the vector of the first part, which stands for the whole learning."""
        number = self._numbers[path, self._blobs[path]]
        row = self._catalogue.files([number])[number]
        if row.segment is None or row.first_row is None:
            return [0.0] * self.dimension
        vectors = self._vectors[row.segment]
        part = slice(row.first_row, row.first_row + 1)
        found: list[float] = unit_rows(Vectors(vectors.rows[part], vectors.norms[part]))[0].tolist()
        return found

    def valid_commits(self, commits: Collection[str]) -> frozenset[str]:
        """Return nothing: these rows have no commit of their own."""
        return frozenset()


@contextmanager
def learning_rows(
    repository: Repository, config: Config, update_first: bool = True
) -> Iterator[LearningRows | None]:
    """Open the rows of the learnings at HEAD; None where there are none, nor ever were.

    HEAD is that of the main working tree, as for codebase_v1. Raises `Unavailable` when the
    embedding model is, or when HEAD is not indexed; `Busy`, `ReadOnly`, `Damaged`.
    """
    repository = main_repository(repository)
    store = learning_store(repository)
    source = prose_source_of(config, store.embeddings_path)
    what = followed(repository, config)
    folder, blobs = listed = folder_at(repository, what.tree)
    if update_first:
        sync_learnings(repository, source, _WAIT_SECONDS, listed=listed)
    catalogue = store.reader_if_any()
    if catalogue is None:
        yield None
        return
    try:
        shelf = Shelf(blobs, {})
        models = catalogue.models()
        if not all(source.model_id in models.get(n, ()) for n, _, _ in catalogue.segments()):
            raise Unavailable("the learnings have no vectors", "git skillmesh index")
        if not set(shelf.blobs.items()) <= known_versions(catalogue).keys():
            raise Unavailable("the learnings of HEAD are not in the index", "git skillmesh index")
        model = source.model_id, len(source.embed_query("dimension"))
        repo = repo_id(repository, config)
        yield LearningRows(repository, repo, model, (store, catalogue), folder, shelf, what)
    finally:
        catalogue.close()
