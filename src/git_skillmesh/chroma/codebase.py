"""The rows of `codebase_v1`: chunks of the code at HEAD, out of the local tier.

In: the index. Out: `CodebaseRows` for mirror and doctor. The collection follows HEAD of the main
working tree, on a server the branch that all clones agree on (followed.py); a linked worktree has
the local tier, and does not pull the shared rows its way.
"""

import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress

from ..config import Config
from ..errors import Unavailable
from ..git.objects import BlobReader
from ..git.process import GitFailed
from ..git.refs import reached
from ..git.repository import Repository, main_repository
from ..git.trees import diff_trees
from ..index.catalogue import Catalogue, FileRow
from ..index.history import Commits
from ..index.identity import chat_id, chunk_id, repo_id
from ..index.provenance import last_run, origins_of, traced_since
from ..index.rules import rules_of
from ..index.store import Store
from ..index.update import update, update_provenance
from ..index.vectors import Vectors, open_vectors, source_of, unit_rows, vector_path
from .followed import Followed, by_head, followed, mixed
from .mirror import Outcome, mirror
from .model import ByHead, Row
from .pipe import AlreadyMirroring, WriterWhenNeeded
from .target import Target

COLLECTION = "codebase_v1"
# How long mirroring waits for a run that indexes the tree it needs, or that mirrors already.
_WAIT_SECONDS = 600
_PAUSE_SECONDS = 0.5
# Where a state has the number of the last run that looked for conversations.
_RUN = 4
# Of the exchanges that made lines of a chunk, those with most lines are named.
_MOST_CHATS = 50


class CodebaseRows:
    """A `RowSource` (chroma/model.py) over an open catalogue; use `codebase_rows` to get one."""

    def __init__(
        self,
        repository: Repository,
        store: Store,
        catalogue: Catalogue,
        repo: str,
        model_id: str,
        settings: str,
        what: Followed,
    ) -> None:
        self.repo_id = repo
        self.model_id = model_id
        self._repository = repository
        self._store = store
        self._catalogue = catalogue
        self._settings = settings
        self._what = what
        self._commit, self._tree = what.commit, what.tree
        self._looked: frozenset[str] = frozenset()
        self._valid: frozenset[str] = frozenset()
        self._opened_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        stored = catalogue.tree(what.tree, settings)
        self._commits = Commits(catalogue, repository, what.view).all()
        self._run = last_run(catalogue)
        self._members = frozenset(stored[0].tolist() if stored is not None else ())
        # Mapped now: a merge may delete the files, and the catalogue's snapshot still names them.
        self._vectors = {
            number: open_vectors(vector_path(store.stem(number), model_id))
            for number, _, _ in catalogue.segments()
        }
        shapes = [vectors.rows.shape for vectors in self._vectors.values()]
        self.dimension: int = shapes[0][1] if shapes else 0

    @property
    def state(self) -> str:
        """Fingerprint of everything the rows depend on."""
        return json.dumps(
            [self._tree, self._settings, self.model_id, self._commit or "", self._run]
        )

    @property
    def sharing(self) -> ByHead | None:
        """Clones write the same rows where they follow the same branch."""
        return by_head(self._repository, self._what, self._since, "file_path")

    def _since(self, theirs: str, own: str | None) -> str | None:
        """Return the store's state, with the runs that looked for conversations in this clone."""
        since = mixed(theirs, own, _RUN)
        kind = json.loads(since)[1:3] if since else None
        return since if kind == [self._settings, self.model_id] else None

    def still_current(self, config: Config) -> bool:
        """Whether these are the rows of what is followed as it is now."""
        return followed(self._repository, config) == self._what

    def changes(self, since: str | None) -> tuple[bool, list[str]]:
        """Return the paths that changed since a state: other content, or a rewritten commit."""
        try:
            tree, settings, model, commit, run = json.loads(since or "null")
            if (settings, model) != (self._settings, self.model_id):
                return True, self._all_paths()
            paths = {change.path for change in diff_trees(self._repository, tree, self._tree)}
            return False, sorted(paths | self._recommitted(commit) | self._traced(run))
        except (TypeError, ValueError, GitFailed):
            return True, self._all_paths()

    def _all_paths(self) -> list[str]:
        rows = self._catalogue.files(self._members).values()
        return sorted(row.path for row in rows if row.chunks)

    def _recommitted(self, old: str) -> set[str]:
        """Return paths whose version came with a commit that the old HEAD did not have."""
        if not self._commit or old == self._commit:
            return set()
        arguments = ["rev-list", self._commit, *([f"^{old}"] if old else [])]
        new = set(self._repository.git.run(*arguments, "--").decode().split())
        numbers = [n for n in self._members if self._commits.get(n) in new]
        return {row.path for row in self._catalogue.files(numbers).values()}

    def _traced(self, run: int) -> set[str]:
        """Return the paths whose links to conversations may have changed."""
        numbers = self._members.intersection(traced_since(self._catalogue, run))
        return {row.path for row in self._catalogue.files(sorted(numbers)).values()}

    def rows(self, paths: Iterable[str], documents: bool) -> Iterator[Row]:
        """Yield the rows of these paths at HEAD."""
        for file in self._files(paths):
            yield from self._rows_of(file, documents)

    def _files(self, paths: Iterable[str]) -> Iterator[FileRow]:
        for path in paths:
            numbers = self._members.intersection(self._catalogue.ids_of_path(path))
            yield from self._catalogue.files(sorted(numbers)).values()

    def _rows_of(self, file: FileRow, documents: bool) -> Iterator[Row]:
        if file.segment is None or file.first_row is None:
            return
        vectors = self._vectors[file.segment]
        rows = slice(file.first_row, file.first_row + file.chunks)
        embeddings = unit_rows(Vectors(vectors.rows[rows], vectors.norms[rows]))
        lines = self._lines(file) if documents else []
        path = os.fsencode(file.path).decode(errors="replace")
        origins = origins_of(self._catalogue, file.id)
        for chunk in self._catalogue.chunks(file.id):
            text = "\n".join(lines[chunk.start_line - 1 : chunk.end_line]) if documents else None
            yield Row(
                id=chunk_id(self.repo_id, file.path, chunk.key),
                path=file.path,
                embedding=embeddings[chunk.ordinal],
                metadata={
                    "chunk_id": chunk_id(self.repo_id, file.path, chunk.key),
                    "repo_id": self.repo_id,
                    "file_path": path,
                    "blob_sha": file.blob,
                    "commit_sha": self._commits.get(file.id, ""),
                    "language": file.language,
                    "symbol": chunk.symbol,
                    "kind": chunk.kind,
                    "start_line": chunk.start_line,
                    "end_line": chunk.end_line,
                    "related_chat_ids": ",".join(
                        chat_id(self.repo_id, origin.session, origin.exchange)
                        for origin in origins.get(chunk.ordinal, ())[:_MOST_CHATS]
                    ),
                    "indexed_at": self._opened_at,
                },
                document=text,
                content_hash=chunk.content_hash.hex(),
            )

    def valid_commits(self, commits: Collection[str]) -> frozenset[str]:
        """Return those of the commits that HEAD still reaches."""
        asked = frozenset(commits)
        self._valid |= reached(self._repository, asked - self._looked, self._commit or "")
        self._looked |= asked
        return self._valid & asked

    def _lines(self, file: FileRow) -> list[str]:
        with BlobReader(self._repository) as reader:
            data = reader.read(file.blob) or b""
        return [line.removesuffix("\r") for line in data.decode(errors="replace").split("\n")]


@contextmanager
def codebase_rows(
    repository: Repository, config: Config, update_first: bool = True
) -> Iterator[CodebaseRows]:
    """Open the rows of the main working tree's HEAD, or of what is followed instead of it.

    It is indexed where that is missing. Raises `Unavailable` when the embedding model is, or when
    it is not indexed and `update_first` is off; `Busy`, `ReadOnly`, `Damaged`.
    """
    main = main_repository(repository)
    store = Store(main)
    model = source_of(config, store.embeddings_path).model_id
    settings = rules_of(config, {}).settings_id
    for attempt in range(3 if update_first else 1):
        what = followed(main, config)
        if attempt or (update_first and what.view):
            _index(main, config, what)
        catalogue = store.reader_if_any()
        if catalogue is None and not update_first:
            break
        if catalogue is None:
            continue
        try:
            rows = None
            models = catalogue.models()
            whole = all(model in models.get(number, ()) for number, _, _ in catalogue.segments())
            history = Commits(catalogue, main, what.view).head
            walked = what.commit is None or history == what.commit
            if whole and walked and catalogue.tree(what.tree, settings) is not None:
                with suppress(FileNotFoundError):  # a segment was merged this moment: try again
                    repo = repo_id(main, config)
                    rows = CodebaseRows(main, store, catalogue, repo, model, settings, what)
            if rows is not None:
                yield rows
                return
        finally:
            catalogue.close()
    missing = what.branch.shown if what.branch else "HEAD"
    raise Unavailable(f"{missing} is not in the index", "git skillmesh index --chroma wait")


def _index(repository: Repository, config: Config, what: Followed) -> None:
    """Index what is followed, with the commits and conversations that made it."""
    revision = (what.commit or "") if what.view else ""
    done = update(repository, config, revision, wait_seconds=_WAIT_SECONDS, view=what.view)
    if done.note:
        raise Unavailable("the index has no vectors", done.note)
    if what.view:
        update_provenance(repository, done, _WAIT_SECONDS, what.view)


def mirror_codebase(
    repository: Repository,
    config: Config,
    target: Target,
    progress: Callable[[int, int], None] | None = None,
    writers: WriterWhenNeeded | None = None,
) -> Outcome:
    """Bring `codebase_v1` up to date with HEAD. Raises what `mirror` and `codebase_rows` raise.

    Waits for another process that does the same, and looks at HEAD anew after that: it may have
    moved, and rows of an older HEAD must not be the last ones written.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            with codebase_rows(repository, config) as rows:
                outcome = mirror(rows, target, repository.state_dir, COLLECTION, progress, writers)
                if rows.still_current(config) or time.monotonic() > deadline:
                    return outcome
        except AlreadyMirroring:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
