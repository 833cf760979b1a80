"""What a query sees: the live documents of a tree, or of the working tree on top of HEAD.

In: a scope. Out: `View`. Small gaps are closed on the way (and kept, if no other process is
writing); large ones are counted, so that the answer can say how far behind it is. Files that
changed since are never answered from their old version.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config import Config
from ..errors import Busy, Damaged, ReadOnly
from ..git.objects import BlobReader
from ..git.repository import Repository
from ..git.trees import working_tree
from .build import Batch, Version, build, oversized_files, read_blobs
from .catalogue import Catalogue, ChunkRow, FileRow, NewFile
from .database import REBUILD
from .history import Commits
from .provenance import Origin, origins_of_files
from .rules import Rules
from .sets import united
from .store import LoadedSegment, Store
from .sync import Resolution, remember, resolve, versions_of
from .vectors import VectorSource

# What a query reads by itself before it answers; more is left to `git skillmesh index`.
QUICK_FILES = 200
QUICK_BYTES = 2_000_000
_SHORT_OID = 12


class Scope(Enum):
    """Which files are searched."""

    WORKING_TREE = "working-tree"
    COMMITTED = "committed"
    REVISION = "revision"


@dataclass(slots=True)
class View:
    """Segments, and which of their files are live.

    `live` bool[highest file id + 1]. `behind` counts files that should be searched but are not
    read yet, `unread` those of them that are changed or untracked. `texts` holds where a live
    file's bytes come from when git does not have them.
    """

    repository: Repository
    scope: Scope
    commit: str | None
    tree: str
    segments: list[LoadedSegment]
    live: NDArray[np.bool_]
    behind: int
    catalogue: Catalogue | None
    reader: BlobReader
    extra_files: dict[int, NewFile] = field(default_factory=dict)
    on_disk: frozenset[str] = frozenset()
    unread: int = 0

    @property
    def catch_up(self) -> tuple[str, ...]:
        """The words of the command that reads what is `behind`; none where nothing is."""
        if not self.behind:
            return ()
        if self.scope is Scope.REVISION:
            return ("index", "--rev", (self.commit or self.tree)[:_SHORT_OID])
        return ("index", "--changed") if self.behind == self.unread else ("index",)

    def files(self, ids: Iterable[int]) -> dict[int, FileRow]:
        """Return the rows of files by id."""
        wanted = list(ids)
        stored = [number for number in wanted if number not in self.extra_files]
        found = self.catalogue.files(stored) if self.catalogue is not None else {}
        for number in wanted:
            if number in self.extra_files:
                file = self.extra_files[number]
                found[number] = FileRow(
                    id=number,
                    path=file.path,
                    blob=file.blob,
                    reading=file.reading,
                    language=file.language,
                    skip=file.skip,
                    bytes=file.bytes,
                    chunks=len(file.chunks),
                    segment=None,
                    first_row=None,
                )
        if len(found) < len(set(wanted)):
            raise Damaged("the index lost a file", REBUILD)
        return found

    def live_files(self) -> list[FileRow]:
        """Return the rows of all live files."""
        stored = self.catalogue.all_files() if self.catalogue is not None else iter(())
        rows = [row for row in stored if row.id < len(self.live) and self.live[row.id]]
        return rows + list(self.files(self.extra_files).values())

    def symbols(self) -> list[str]:
        """Return the symbol paths of stored live files, sorted."""
        if self.catalogue is None:
            return []
        rows = self.catalogue.rows("SELECT file, symbol FROM chunks WHERE symbol <> ''")
        found = {symbol for file, symbol in rows if file < len(self.live) and self.live[file]}
        return sorted(found)

    def commits(self, files: Iterable[FileRow]) -> dict[int, str]:
        """Return file id → the commit that brought it, as far as HEAD reaches and knows it.

        Files that lie changed on disk have none: they may equal a version of long ago, but an
        answer must not depend on whether the index has met that one.
        """
        if self.catalogue is None:
            return {}
        stored = [row.id for row in files if row.path not in self.on_disk]
        return Commits(self.catalogue, self.repository).of(stored)

    def origins(self, file: FileRow) -> dict[int, tuple[Origin, ...]]:
        """Return ordinal of the chunk → the exchanges that made lines of it, as far as known."""
        return self.origins_of([file]).get(file.id, {})

    def origins_of(self, files: Iterable[FileRow]) -> dict[int, dict[int, tuple[Origin, ...]]]:
        """Return the same for each file that has any."""
        if self.catalogue is None:
            return {}
        known = [
            file.id
            for file in files
            if file.id not in self.extra_files and file.path not in self.on_disk
        ]
        return origins_of_files(self.catalogue, known) if known else {}

    def chunk(self, file: int, ordinal: int) -> ChunkRow:
        """Return a chunk of a live file."""
        if file in self.extra_files:
            return self.extra_files[file].chunks[ordinal]
        if self.catalogue is None:
            raise Damaged("the index lost a file", REBUILD)
        return self.catalogue.chunk(file, ordinal)

    def chunks(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], ChunkRow]:
        """Return chunks of live files by file and ordinal."""
        extra = self.extra_files
        found = {(file, n): extra[file].chunks[n] for file, n in places if file in extra}
        stored = [place for place in places if place[0] not in extra]
        if stored and self.catalogue is None:
            raise Damaged("the index lost a file", REBUILD)
        return found | (self.catalogue.chunks_at(stored) if self.catalogue and stored else {})

    def expect(self, files: Sequence[FileRow]) -> None:
        """Let git begin to read what `texts` will be asked for."""
        self.reader.expect(row.blob for row in files if row.path not in self.on_disk)

    def texts(self, files: Sequence[FileRow]) -> dict[int, bytes]:
        """Return the bytes of files: from disk where they changed, else from git."""
        return {row.id: data for row, data in zip(files, self.each_text(files), strict=True)}

    def each_text(self, files: Sequence[FileRow]) -> Iterator[bytes]:
        """Yield the same in order, each as soon as git has read it."""
        on_disk = {row.id: self._disk_bytes(row) for row in files if row.path in self.on_disk}
        blobs = self.reader.read_many(row.blob for row in files if on_disk.get(row.id) is None)
        for row in files:
            data = on_disk.get(row.id)
            yield data if data is not None else next(blobs) or b""

    def _disk_bytes(self, row: FileRow) -> bytes | None:
        top = self.repository.top
        data = read_regular(top / row.path) if top is not None else None
        return data if data is not None and self.repository.hash_blob(data) == row.blob else None

    def close(self) -> None:
        """Close the catalogue and git."""
        self.reader.close()
        if self.catalogue is not None:
            self.catalogue.close()


class NoIndexError(Exception):
    """There is no index yet and the repository is too large to read on the way."""


def open_view(
    repository: Repository,
    config: Config,
    store: Store,
    source: VectorSource | None,
    scope: Scope,
    revision: str = "",
) -> View:
    """Open the view of a scope. Raises `NoIndexError`, `UsageError` (bad revision), `Damaged`."""
    commit: str | None
    commit, tree = (
        repository.resolve(revision) if scope is Scope.REVISION else repository.head_tree()
    )
    for _ in range(5):
        try:
            return _open(repository, config, store, source, scope, commit, tree)
        except FileNotFoundError:
            continue  # a segment was merged away between catalogue and file: look again
    raise Damaged("segments of the index are missing", REBUILD)


def _open(
    repository: Repository,
    config: Config,
    store: Store,
    source: VectorSource | None,
    scope: Scope,
    commit: str | None,
    tree: str,
) -> View:
    catalogue = store.reader_if_any()
    try:
        resolution = resolve(repository, catalogue, config, tree)
        overlay = _Overlay()
        if scope is Scope.WORKING_TREE:
            overlay = _read_overlay(repository, catalogue, resolution)
        missing = versions_of(repository, resolution.missing, commit)
        missing = [version for version in missing if version.path not in overlay.replaced]
        batch, left = _read_small(repository, missing, overlay, resolution.rules, source)
        if catalogue is None and left:
            raise NoIndexError
        kept = _keep(store, batch, resolution, scope, missing, left)
        if kept is not None:
            if catalogue is not None:
                catalogue.close()
            catalogue = store.reader()
        model = source.model_id if source is not None else None
        segments = store.load(catalogue, model) if catalogue is not None else []
        live, base = _live_files(catalogue, segments, resolution, overlay, batch, kept)
        extra: dict[int, NewFile] = {}
        if batch is not None and kept is None:
            extra = {base + number: file for number, file in enumerate(batch.files)}
            ids = batch.segment.files.astype(np.int64) + base
            segments = [*segments, LoadedSegment(batch.segment, ids, batch.vectors)]
    except BaseException:
        if catalogue is not None:
            catalogue.close()
        raise
    return View(
        repository=repository,
        scope=scope,
        commit=commit,
        tree=tree,
        segments=segments,
        live=live,
        behind=left + overlay.unread,
        catalogue=catalogue,
        reader=BlobReader(repository),
        extra_files=extra,
        on_disk=overlay.paths,
        unread=overlay.unread,
    )


@dataclass(slots=True)
class _Overlay:
    """The working tree over HEAD: `replaced` paths hide their committed version."""

    replaced: frozenset[str] = frozenset()
    known: list[int] = field(default_factory=list)
    contents: list[tuple[Version, bytes]] = field(default_factory=list)
    paths: frozenset[str] = frozenset()
    unread: int = 0


def _read_overlay(
    repository: Repository, catalogue: Catalogue | None, resolution: Resolution
) -> _Overlay:
    top = repository.top
    state = working_tree(repository)
    present = [*state.changed, *state.untracked]
    verdicts = resolution.rules.verdicts(repository, present)
    overlay = _Overlay(frozenset([*state.changed, *state.deleted]))
    wanted = [path for path in present if verdicts[path].skip is None and top is not None]
    budget = QUICK_BYTES
    for path in wanted:
        data = read_regular(top / path, resolution.rules.max_bytes) if top is not None else None
        if data is None:
            continue
        reading = resolution.rules.reading(verdicts[path].forced)
        version = Version(path, repository.hash_blob(data), len(data), reading)
        number = catalogue.file_id(path, version.blob, reading) if catalogue is not None else None
        if number is not None:
            overlay.known.append(number)
        elif len(overlay.contents) < QUICK_FILES and budget > 0:
            overlay.contents.append((version, data))
            budget -= len(data)
        else:
            overlay.unread += 1
    overlay.paths = frozenset(wanted)
    return overlay


def read_regular(path: Path, max_bytes: int | None = None) -> bytes | None:
    """Return the bytes of a regular file; None for anything else, and for what cannot be read."""
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode) or (max_bytes is not None and info.st_size > max_bytes):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()
    except OSError:
        return None


def _read_small(
    repository: Repository,
    missing: Sequence[Version],
    overlay: _Overlay,
    rules: Rules,
    source: VectorSource | None,
) -> tuple[Batch | None, int]:
    """Build what is quickly read; return it with the number of files that are not."""
    too_many = (
        len(missing) > QUICK_FILES
        or sum(version.size for version in missing if version.size <= rules.max_bytes) > QUICK_BYTES
    )
    versions = [] if too_many else list(missing)
    if not versions and not overlay.contents:
        return None, len(missing) if too_many else 0
    contents = [*read_blobs(repository, versions, rules.max_bytes), *overlay.contents]
    batch = build(contents, rules.max_bytes, source)
    extra = oversized_files(versions, rules.max_bytes)
    whole = Batch([*batch.files, *extra], batch.segment, batch.vectors, batch.model)
    return whole, len(missing) if too_many else 0


def _keep(
    store: Store,
    batch: Batch | None,
    resolution: Resolution,
    scope: Scope,
    missing: Sequence[Version],
    left: int,
) -> int | None:
    """Store what was read if no other process is writing; return the first file's id."""
    if batch is None:
        return None
    try:
        with store.writing(wait_seconds=0) as catalogue:
            known = {
                (f.path, f.blob): catalogue.file_id(f.path, f.blob, f.reading) for f in batch.files
            }
            if any(number is not None for number in known.values()):
                return None  # another process was faster; ours serves this one query
            base = store.add(catalogue, batch)
            new = [
                base + number
                for number, file in enumerate(batch.files)
                if (file.path, file.blob) in {version[:2] for version in missing}
            ]
            members = united(resolution.members, np.array(new, np.int32))
            if not left and not resolution.known and len(new) == len(resolution.missing):
                with catalogue.transaction():
                    remember(catalogue, resolution, members)
            return base
    except (Busy, ReadOnly, OSError):
        return None


def _live_files(
    catalogue: Catalogue | None,
    segments: Sequence[LoadedSegment],
    resolution: Resolution,
    overlay: _Overlay,
    batch: Batch | None,
    kept: int | None,
) -> tuple[NDArray[np.bool_], int]:
    """Return which file ids are live, and the id of the first file that was read just now."""
    highest = max((int(s.files.max(initial=0)) for s in segments), default=0)
    highest = max([highest, int(resolution.members.max(initial=0)), *overlay.known])
    base = kept if kept is not None else highest + 1
    count = len(batch.files) if batch is not None else 0
    live = np.zeros(max(highest + 1, base + count), np.bool_)
    live[resolution.members] = True
    if catalogue is not None:
        for path in overlay.replaced:
            live[[n for n in catalogue.ids_of_path(path) if n < len(live)]] = False
    live[overlay.known] = True
    live[base : base + count] = True
    return live, base
