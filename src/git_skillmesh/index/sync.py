"""Make the index equal to a tree: the one operation behind `index`, hooks and queries.

In: a repository, a tree. Out: the tree's members in the index. Nothing is replayed: the tree is
compared with one that is known already, so that a missed hook, a crash or a pull costs the
difference and no more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..chunking.exclusion import Skip
from ..config import Config
from ..git.attributes import attribute_files, is_attribute_file
from ..git.objects import missing_blobs, sizes
from ..git.process import GitFailed
from ..git.repository import Repository
from ..git.trees import diff_trees, list_tree
from ..machine import cores
from .build import (
    Batch,
    Version,
    WrittenBatch,
    build_from_repository,
    split,
)
from .catalogue import Catalogue
from .rules import Rules, rules_of
from .sets import united, without
from .store import Store
from .vectors import BuiltinSource, VectorSource

# Trees that stay in the catalogue, so that switching back to a branch costs nothing.
_REMEMBERED_TREES = 40

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Resolution:
    """What the index knows of a tree: ids of its files, and the versions it still has to read.

    `left_out` explains the paths that were judged now: all of them after a full listing, the
    changed ones when the tree was derived from another.
    """

    tree: str
    rules: Rules
    members: NDArray[np.int32]
    missing: list[tuple[str, str, str]] = field(default_factory=list)
    left_out: dict[str, Skip] = field(default_factory=dict)
    known: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did: files `read`, `files` with something in them, `chunks` of theirs.

    `gaps` counts files that are not in this clone.
    """

    read: int
    files: int
    chunks: int
    gaps: int
    resolution: Resolution


def resolve(
    repository: Repository,
    catalogue: Catalogue | None,
    config: Config,
    tree: str,
    full: bool = False,
) -> Resolution:
    """Find out which members of a tree the index has. `full` judges every path anew."""
    settings = rules_of(config, {}).settings_id
    if catalogue is not None and not full:
        stored = catalogue.tree(tree, settings)
        if stored is not None:
            return Resolution(tree, rules_of(config, stored[1]), stored[0], known=True)
        derived = _derive(repository, catalogue, config, settings, tree)
        if derived is not None:
            return derived
    files = list_tree(repository, tree)
    rules = rules_of(config, attribute_files(files))
    resolution = Resolution(tree, rules, np.zeros(0, np.int32))
    _look_up(repository, catalogue, resolution, list(files.items()), [])
    return resolution


def _derive(
    repository: Repository, catalogue: Catalogue, config: Config, settings: str, tree: str
) -> Resolution | None:
    """Resolve a tree by its difference from the last used one, None when that says too little."""
    for base, _ in catalogue.latest_trees(settings)[:1]:
        stored = catalogue.tree(base, settings)
        try:
            changes = diff_trees(repository, base, tree)
        except GitFailed:  # the base has been garbage-collected
            return None
        if stored is None or any(is_attribute_file(change.path) for change in changes):
            return None
        resolution = Resolution(tree, rules_of(config, stored[1]), stored[0])
        gone = [
            number
            for change in changes
            if change.old
            for number in catalogue.ids_of_path(change.path)
        ]
        added = [(change.path, change.new) for change in changes if change.new]
        _look_up(repository, catalogue, resolution, added, gone)
        return resolution
    return None


def _look_up(
    repository: Repository,
    catalogue: Catalogue | None,
    resolution: Resolution,
    files: Sequence[tuple[str, str]],
    gone: Sequence[int],
) -> None:
    """Judge files and sort them into members, missing and left out."""
    verdicts = resolution.rules.verdicts(repository, [path for path, _ in files])
    found = []
    for path, blob in files:
        verdict = verdicts[path]
        if verdict.skip is not None:
            resolution.left_out[path] = verdict.skip
            continue
        reading = resolution.rules.reading(verdict.forced)
        number = catalogue.file_id(path, blob, reading) if catalogue is not None else None
        if number is None:
            resolution.missing.append((path, blob, reading))
        else:
            found.append(number)
    kept = without(resolution.members, np.array(gone, np.int32))
    resolution.members = united(kept, np.array(found, np.int32))


def versions_of(
    repository: Repository, missing: Sequence[tuple[str, str, str]], commit: str | None
) -> list[Version]:
    """Return the missing files that this clone has, with their sizes."""
    if not missing:
        return []
    blobs = [blob for _, blob, _ in missing]
    try:
        found = sizes(repository, blobs)
    except GitFailed:  # git before 2.45 dies of an object that it may not fetch
        if commit is None or not repository.is_partial():
            raise
        absent = missing_blobs(repository, commit)
        found = sizes(repository, [blob for blob in blobs if blob not in absent])
    return [
        Version(path, blob, found[blob], reading)
        for path, blob, reading in missing
        if blob in found
    ]


def sync(
    repository: Repository,
    config: Config,
    store: Store,
    catalogue: Catalogue,
    source: VectorSource | None,
    commit: str | None,
    tree: str,
    progress: Progress | None = None,
) -> Report:
    """Index whatever a tree has and the index does not. Call while holding the index lock."""
    resolution = resolve(repository, catalogue, config, tree)
    if resolution.known:
        with catalogue.transaction():
            remember(catalogue, resolution)
        return Report(0, 0, 0, 0, resolution)
    versions = versions_of(repository, resolution.missing, commit)
    gaps = len(resolution.missing) - len(versions)
    jobs = config.number("index.jobs") or _default_jobs()
    chunks = files = read = 0
    new: list[int] = []
    if progress:
        progress(0, len(versions))
    for batch in _batches(repository, store, versions, resolution.rules.max_bytes, source, jobs):
        base = store.add(catalogue, batch)
        new += range(base, base + len(batch.files))
        read += len(batch.files)
        files += sum(1 for file in batch.files if file.chunks)
        chunks += sum(len(file.chunks) for file in batch.files)
        if progress:
            progress(read, len(versions))
    resolution.members = united(resolution.members, np.array(new, np.int32))
    if not gaps:
        with catalogue.transaction():
            remember(catalogue, resolution)
    store.compact(catalogue)
    return Report(read, files, chunks, gaps, resolution)


def _default_jobs() -> int:
    return min(cores(), 4)


def _batches(
    repository: Repository,
    store: Store,
    versions: Sequence[Version],
    max_bytes: int,
    source: VectorSource | None,
    jobs: int,
) -> Iterator[Batch | WrittenBatch]:
    batches = split(versions)
    if len(batches) > 2 and jobs > 1 and isinstance(source, BuiltinSource):
        from concurrent.futures.process import BrokenProcessPool

        from .pool import build_in_processes

        done: set[tuple[str, str]] = set()
        try:
            for written in build_in_processes(
                repository, batches, max_bytes, store.segments_folder, jobs
            ):
                done.update((file.path, file.blob) for file in written.files)
                yield written
        except BrokenProcessPool:  # a process was killed: go on alone with what is left
            batches = split([version for version in versions if version[:2] not in done])
        else:
            return
    for part in batches:
        yield build_from_repository(repository, part, max_bytes, source)


def remember(
    catalogue: Catalogue, resolution: Resolution, members: NDArray[np.int32] | None = None
) -> None:
    """Store a tree all of whose files have been read; call inside a transaction."""
    rules = resolution.rules
    found = resolution.members if members is None else members
    catalogue.put_tree(
        resolution.tree, rules.settings_id, rules.attribute_blobs, found.astype(np.int32)
    )
    catalogue.forget_trees(catalogue.latest_trees()[_REMEMBERED_TREES:])
