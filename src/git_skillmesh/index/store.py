"""The folder of the local tier: the catalogue, segment files, and the steps that change them.

In: batches. Out: loaded segments. Files are written first and become part of the index with one
transaction of the catalogue; what a crash leaves behind is swept by the next writer.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import Damaged, ReadOnly
from ..git.repository import Repository
from .build import Batch, WrittenBatch, segment_path, write_batch
from .catalogue import Catalogue, open_catalogue
from .locks import exclusive
from .segment import (
    MAX_DOCUMENTS,
    Segment,
    merge,
    open_segment,
    with_file_base,
    write_segment,
)
from .vectors import Vectors, VectorSource, open_vectors, vector_path, write_vectors

# This many segments of similar size become one: a document is rewritten once for each tier.
_TIER = 8


@dataclass(frozen=True, slots=True)
class LoadedSegment:
    """A mapped segment: `files` int64[n] holds ids of the catalogue, `vectors` one model's rows."""

    segment: Segment
    files: NDArray[np.int64]
    vectors: Vectors | None


class Store:
    """Paths and operations of one repository's local tier: of code, or (`folder`) of exchanges."""

    def __init__(self, repository: Repository, folder: str = "index") -> None:
        self.folder = repository.state_dir / folder
        self.catalogue_path = self.folder / "catalogue.db"
        self.segments_folder = self.folder / "segments"
        self.embeddings_path = self.folder / "embeddings.db"

    @contextmanager
    def writing(self, wait_seconds: float) -> Iterator[Catalogue]:
        """Hold the index lock and the open catalogue. Raises `Busy`, `ReadOnly`, `Damaged`."""
        with exclusive(self.folder / "index.lock", wait_seconds):
            try:
                self.segments_folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ReadOnly(f"cannot write {self.folder}", error.strerror or "") from None
            catalogue = open_catalogue(self.catalogue_path, write=True)
            try:
                self._sweep(catalogue)
                yield catalogue
            finally:
                catalogue.close()

    def reader(self) -> Catalogue:
        """Open the catalogue for reading. Raises FileNotFoundError, `Damaged`."""
        return open_catalogue(self.catalogue_path, write=False)

    def reader_if_any(self) -> Catalogue | None:
        """Open the catalogue for reading; None when there is no index. Raises `Damaged`."""
        try:
            return self.reader()
        except FileNotFoundError:
            return None

    def clear(self, wait_seconds: float) -> None:
        """Delete the whole index; the caller makes it anew. Raises `Busy`, `ReadOnly`."""
        with exclusive(self.folder / "index.lock", wait_seconds):
            for path in [*self.segments_folder.glob("*"), *self.folder.glob("catalogue.db*")]:
                path.unlink(missing_ok=True)

    def drop_other_models(self, source: VectorSource | None, wait_seconds: float) -> None:
        """Delete an index that another model made, or none: for one that is quick to make anew."""
        catalogue = self.reader_if_any()
        if catalogue is None or source is None:
            return
        try:
            models = catalogue.models()
            whole = all(source.model_id in models.get(n, ()) for n, _, _ in catalogue.segments())
        finally:
            catalogue.close()
        if not whole:
            self.clear(wait_seconds)

    def stem(self, segment: int) -> Path:
        """Return the path of a segment's files without their endings."""
        return self.segments_folder / str(segment)

    def add(self, catalogue: Catalogue, batch: Batch | WrittenBatch) -> int:
        """Make a batch part of the index and return the id of its first file."""
        if isinstance(batch, Batch):
            batch = write_batch(batch, self.segments_folder / f"new-{os.getpid()}")
        base = catalogue.next_file_id()
        number = catalogue.next_segment_id() if batch.documents else None
        if number is not None:
            segment_path(batch.stem).replace(segment_path(self.stem(number)))
            if batch.model is not None:
                vector_path(batch.stem, batch.model).replace(
                    vector_path(self.stem(number), batch.model)
                )
        with catalogue.transaction():
            if number is not None:
                catalogue.add_segment(number, batch.documents, base, batch.model)
            catalogue.add_files(batch.files, number, base)
        return base

    def load(self, catalogue: Catalogue, model: str | None) -> list[LoadedSegment]:
        """Map every segment, with the vectors of `model` where it has them."""
        models = catalogue.models()
        loaded = []
        for number, _, base in catalogue.segments():
            segment = open_segment(segment_path(self.stem(number)))
            vectors = None
            if model is not None and model in models.get(number, ()):
                vectors = open_vectors(vector_path(self.stem(number), model))
            loaded.append(LoadedSegment(segment, segment.files.astype(np.int64) + base, vectors))
        return loaded

    def compact(self, catalogue: Catalogue, largest: int = MAX_DOCUMENTS) -> None:
        """Merge segments of similar size while a tier is full, and drop forgotten documents."""
        while group := self._full_tier(catalogue, largest):
            self.merge(catalogue, group)

    def _full_tier(self, catalogue: Catalogue, largest: int) -> list[int]:
        tiers: dict[int, list[tuple[int, int]]] = {}
        for number, documents, _ in catalogue.segments():
            tiers.setdefault(max(documents, 1).bit_length() // 3, []).append((number, documents))
        for tier in sorted(tiers):
            group, size = [], 0
            for number, documents in tiers[tier]:
                if size + documents > largest:
                    break
                group.append(number)
                size += documents
            if len(tiers[tier]) >= _TIER and len(group) > 1:
                return group
        return []

    def merge(self, catalogue: Catalogue, group: Sequence[int]) -> None:
        """Replace segments by one that holds the documents of files the catalogue still knows."""
        bases = {number: base for number, _, base in catalogue.segments()}
        marks = ",".join("?" * len(group))
        known = catalogue.rows(f"SELECT id FROM files WHERE segment IN ({marks})", list(group))
        known_ids = np.array([row[0] for row in known], np.int64)
        parts = []
        for number in group:
            segment = open_segment(segment_path(self.stem(number)))
            absolute = with_file_base(segment, bases[number])
            parts.append((absolute, np.isin(absolute.files, known_ids)))
        if not any(keep.any() for _, keep in parts):
            with catalogue.transaction():
                catalogue.remove_segments(group)
            self._unlink(group)
            return
        merged = merge(parts)
        models = catalogue.models()
        shared = set.intersection(*(models.get(number, set()) for number in group))
        target = catalogue.next_segment_id()
        write_segment(merged, segment_path(self.stem(target)))
        for model in shared:
            kept = [
                (open_vectors(vector_path(self.stem(number), model)), keep)
                for number, (_, keep) in zip(group, parts, strict=True)
            ]
            rows = np.concatenate([vectors.rows[keep] for vectors, keep in kept])
            norms = np.concatenate([vectors.norms[keep] for vectors, keep in kept])
            write_vectors(Vectors(rows, norms), vector_path(self.stem(target), model))
        with catalogue.transaction():
            catalogue.add_segment(target, len(merged), 0, None)
            for model in shared:
                catalogue.add_vectors(target, model)
            first = np.flatnonzero(merged.ordinals == 0)
            catalogue.connection.executemany(
                "UPDATE files SET segment = ?, first_row = ? WHERE id = ?",
                [(target, int(row), int(merged.files[row])) for row in first],
            )
            catalogue.remove_segments(group)
        self._unlink(group)

    def _unlink(self, segments: Sequence[int]) -> None:
        # Readers that have mapped these files keep them; one that is about to open them asks the
        # catalogue again.
        for number in segments:
            for path in self.segments_folder.glob(f"{number}.*"):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _sweep(self, catalogue: Catalogue) -> None:
        """Delete files that no transaction made part of the index."""
        known = {str(number) for number, _, _ in catalogue.segments()}
        for path in self.segments_folder.iterdir():
            if path.name.split(".", 1)[0] not in known:
                with contextlib.suppress(OSError):
                    path.unlink()

    def size(self) -> int:
        """Return the bytes the local tier takes on disk."""
        total = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):
                total += path.stat().st_size
        return total

    def check_files(self, catalogue: Catalogue) -> list[str]:
        """Return one line for each segment whose files are missing or damaged."""
        problems = []
        models = catalogue.models()
        for number, documents, _ in catalogue.segments():
            try:
                segment = open_segment(segment_path(self.stem(number)), check=True)
                rows = [
                    len(open_vectors(vector_path(self.stem(number), model), check=True).norms)
                    for model in models.get(number, ())
                ]
            except (Damaged, OSError) as error:
                problems.append(f"segment {number}: {error}")
                continue
            if len(segment) != documents or any(count != documents for count in rows):
                problems.append(f"segment {number}: holds {len(segment)} of {documents} chunks")
        return problems
