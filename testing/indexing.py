"""The index of a test repository, used directly: make it, ask it, dump it for comparison.

In: a `Repo`. Out: outcomes, answers, and `dump`, everything a query could ever see of a tree.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from git_skillmesh.cli.query import as_document
from git_skillmesh.config import Config, load
from git_skillmesh.git.repository import Repository
from git_skillmesh.index.identity import repo_id
from git_skillmesh.index.store import Store
from git_skillmesh.index.update import Update, update
from git_skillmesh.index.vectors import source_of
from git_skillmesh.index.view import Scope, View, open_view
from git_skillmesh.retrieval.corpus import Corpus
from git_skillmesh.retrieval.results import Answer
from git_skillmesh.retrieval.search import Options, Searcher
from testing.repos import Repo

WORKING_TREE, COMMITTED, REVISION = Scope.WORKING_TREE, Scope.COMMITTED, Scope.REVISION


def opened(repo: Repo, settings: Mapping[str, str] | None = None) -> tuple[Repository, Config]:
    """Return the repository and its configuration; one process builds the index."""
    repository = repo.opened()
    return repository, load(repository, {"index.jobs": "1", **(settings or {})})


def index(repo: Repo, revision: str = "", settings: Mapping[str, str] | None = None) -> Update:
    """Bring the index up to date."""
    repository, config = opened(repo, settings)
    return update(repository, config, revision, wait_seconds=60)


def view_of(
    repo: Repo,
    scope: Scope = COMMITTED,
    revision: str = "",
    settings: Mapping[str, str] | None = None,
) -> View:
    """Open a view; the caller closes it."""
    repository, config = opened(repo, settings)
    store = Store(repository)
    source = source_of(config, store.embeddings_path)
    return open_view(repository, config, store, source, scope, revision)


def ask(
    repo: Repo,
    text: str,
    scope: Scope = COMMITTED,
    revision: str = "",
    options: Options | None = None,
    settings: Mapping[str, str] | None = None,
) -> Answer:
    """Search, as `git skillmesh query` does."""
    repository, config = opened(repo, settings)
    source = source_of(config, Store(repository).embeddings_path)
    view = view_of(repo, scope, revision, settings)
    try:
        repo_name = repo_id(repository, config)
        vector = source.embed_query(text)
        return Searcher(view, repo_name).answer(text, options or Options(), vector)
    finally:
        view.close()


def places(answer: Answer) -> list[str]:
    """Return "path:line symbol" of each hit."""
    return [f"{hit.path}:{hit.line} {hit.symbol}".rstrip() for hit in answer.hits]


def documents(repo: Repo, *queries: str, scope: Scope = COMMITTED) -> list[dict[str, Any]]:
    """Return the whole JSON answers to several queries."""
    return [as_document(ask(repo, text, scope), full=True, explain=True) for text in queries]


def dump(repo: Repo, scope: Scope = COMMITTED, revision: str = "") -> list[tuple[Any, ...]]:
    """Return every live chunk with its terms, lengths and vector, in a canonical order."""
    view = view_of(repo, scope, revision)
    try:
        corpus = Corpus(view)
        rows = view.files(np.unique(corpus.files[corpus.live]).tolist())
        found = []
        for loaded, offset in zip(view.segments, corpus.offsets, strict=False):
            segment = loaded.segment
            terms: dict[int, list[tuple[int, int]]] = {}
            spans = zip(segment.keys, segment.starts[:-1], segment.starts[1:], strict=True)
            for key, start, end in spans:
                for place in range(start, end):
                    number = int(segment.documents[place])
                    terms.setdefault(number, []).append((int(key), int(segment.frequencies[place])))
            for number in range(len(segment)):
                if not corpus.live[offset + number]:
                    continue
                row = rows[int(loaded.files[number])]
                chunk = view.chunk(row.id, int(segment.ordinals[number]))
                vector = b"" if loaded.vectors is None else loaded.vectors.rows[number].tobytes()
                lengths = tuple(segment.lengths[:, number].tolist())
                found.append(
                    (row.path, row.blob, row.language, chunk, terms.get(number), lengths, vector)
                )
        return sorted(found, key=lambda item: (item[0], item[3].ordinal))
    finally:
        view.close()
