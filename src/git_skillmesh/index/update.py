"""Bring the index up to date: what `git skillmesh index`, the hooks and a first query call.

In: a repository and its configuration. Out: `Update`, what was done and what could not be.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..config import Config
from ..errors import ConfigurationError, Unavailable
from ..git.repository import Repository
from .exchanges import ExchangesReport, exchange_store, sync_exchanges
from .history import sync_history
from .learnings import LearningsReport, learning_store, sync_learnings
from .maintenance import complete_vectors, prune, prune_is_due
from .provenance import sync_provenance
from .store import Store
from .sync import Progress, Report, sync
from .vectors import VectorSource, prose_source_of, source_of


@dataclass(frozen=True, slots=True)
class Update:
    """The outcome of one run; `note` says why vectors are missing, "" when they are not."""

    report: Report
    commit: str | None
    embedded: int
    pruned: int
    note: str


def update(
    repository: Repository,
    config: Config,
    revision: str = "",
    rebuild: bool = False,
    wait_seconds: float = 0.0,
    progress: Progress | None = None,
    view: str = "",
) -> Update:
    """Make the index equal to HEAD's tree (or that of `revision`).

    Which commits made it is kept for HEAD, and for a revision that a `view` names.

    Raises `Busy` when another process writes the index for longer than `wait_seconds`,
    `ReadOnly`, `Damaged`, `UsageError` (bad revision). An embedding model that cannot be reached
    is no error: chunks are searchable by their words until the next run.
    """
    commit, tree = repository.resolve(revision) if revision else repository.head_tree()
    store = Store(repository)
    if rebuild:
        store.clear(wait_seconds)
    source, note = _source(config, store)
    with store.writing(wait_seconds) as catalogue:
        try:
            report = sync(repository, config, store, catalogue, source, commit, tree, progress)
        except Unavailable as error:
            source, note = None, str(error)
            report = sync(repository, config, store, catalogue, None, commit, tree, progress)
        if commit is not None and (view or not revision):
            sync_history(repository, catalogue, commit, report.resolution.members, view)
        embedded = 0
        if source is not None:
            try:
                embedded = complete_vectors(
                    repository, catalogue, store, source, report.resolution.rules.max_bytes
                )
            except Unavailable as error:
                note = str(error)
        pruned = prune(repository, catalogue, store) if prune_is_due(catalogue) else 0
    return Update(report, commit, embedded, pruned, note)


def update_exchanges(
    repository: Repository,
    config: Config,
    wait_seconds: float = 0.0,
    progress: Progress | None = None,
) -> ExchangesReport:
    """Make the index of exchanges equal to the memory. Raises as `update`.

    Without the embedding model exchanges are searchable by their words.
    """
    source, _ = _source(config, exchange_store(repository))
    report = None
    if source is not None:
        with suppress(Unavailable):
            report = sync_exchanges(repository, source, wait_seconds, progress=progress)
    if report is None:
        report = sync_exchanges(repository, None, wait_seconds, progress=progress)
    return report or ExchangesReport()


def update_learnings(
    repository: Repository, config: Config, wait_seconds: float = 0.0, tree: str = ""
) -> LearningsReport:
    """Make sure that the learnings of HEAD (or of `tree`) are in their index. Raises as `update`.

    Without the embedding model they are searchable by their words.
    """
    source, _ = _source(config, learning_store(repository), prose_source_of)
    if source is not None:
        with suppress(Unavailable):
            return sync_learnings(repository, source, wait_seconds, tree)
    return sync_learnings(repository, None, wait_seconds, tree)


def update_provenance(
    repository: Repository, outcome: Update, wait_seconds: float = 0.0, view: str = ""
) -> int:
    """Record which exchanges made what `update` has indexed; return how many files were blamed.

    Raises `Busy`, `ReadOnly`, `Damaged`.
    """
    members = outcome.report.resolution.members.tolist()
    return sync_provenance(
        repository, Store(repository), members, outcome.commit, wait_seconds, view=view
    )


def _source(
    config: Config, store: Store, of: Callable[[Config, Path], VectorSource] = source_of
) -> tuple[VectorSource | None, str]:
    try:
        return of(config, store.embeddings_path), ""
    except (Unavailable, ConfigurationError) as error:
        return None, str(error)
