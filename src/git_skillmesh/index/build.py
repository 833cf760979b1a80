"""Read file versions, chunk and embed them, and write the result as one segment.

In: (path, blob) pairs, or bytes from the working tree. Out: a `Batch`: new file rows and a
segment with its vectors.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..chunking.exclusion import Skip
from ..git.objects import BlobReader
from ..git.repository import Repository
from .catalogue import ChunkRow, NewFile
from .documents import KIND_NUMBERS, FileDocuments, read_file
from .outlines import encode
from .rules import is_forced
from .segment import Segment, SegmentBuilder, write_segment
from .vectors import Vectors, VectorSource, vector_path, write_vectors

# What one batch holds: enough to fill numpy's arrays well, little enough for steady progress.
BATCH_BYTES = 1_500_000
BATCH_FILES = 400


class Version(NamedTuple):
    """A file version to read: `size` in bytes, `reading` as in index/rules.py."""

    path: str
    blob: str
    size: int
    reading: str


@dataclass(frozen=True, slots=True)
class Batch:
    """File rows and the segment of their chunks (file ids count from 0 within the batch)."""

    files: Sequence[NewFile]
    segment: Segment
    vectors: Vectors | None
    model: str | None


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """A batch whose arrays lie in files named `<stem>.lex` and `<stem>.<model>.vec`."""

    files: Sequence[NewFile]
    documents: int
    model: str | None
    stem: Path


def build(
    contents: Iterable[tuple[Version, bytes | None]], max_bytes: int, embedder: VectorSource | None
) -> Batch:
    """Build one batch in memory. Contents that are None (missing objects) are left out."""
    read = (
        (version, _read(version, data, max_bytes), len(data))
        for version, data in contents
        if data is not None
    )
    return assemble(read, embedder)


def assemble(
    read: Iterable[tuple[Version, FileDocuments, int]], embedder: VectorSource | None
) -> Batch:
    """Build one batch of what was read of each version, and its size in bytes."""
    builder = SegmentBuilder()
    files: list[NewFile] = []
    documents = []
    for version, found, size in read:
        first_row, rows = len(builder), []
        for number, document in enumerate(found.documents):
            piece = document.chunk
            kind = KIND_NUMBERS[piece.kind]
            builder.add(len(files), number, kind, document.terms, document.lengths)
            rows.append(
                ChunkRow(
                    number,
                    piece.symbol,
                    piece.kind,
                    piece.key,
                    piece.start_line,
                    piece.end_line,
                    document.content_hash,
                    encode(piece),
                )
            )
            documents.append(document)
        skip = found.skip.value if found.skip else None
        path, blob, _, reading = version
        files.append(NewFile(path, blob, reading, found.language, skip, size, first_row, rows))
    if embedder is None:
        return Batch(files, builder.finish(), None, None)
    return Batch(files, builder.finish(), embedder.vectors(documents), embedder.model_id)


def _read(version: Version, data: bytes, max_bytes: int) -> FileDocuments:
    try:
        return read_file(version.path, data, max_bytes, is_forced(version.reading))
    except (RecursionError, MemoryError):
        # One hostile file must not cost the index of all others.
        return FileDocuments("", Skip.OVERSIZED, ())


def write_batch(batch: Batch, stem: Path) -> WrittenBatch:
    """Write the arrays of a batch beside each other; the catalogue does not know them yet."""
    if len(batch.segment):
        write_segment(batch.segment, segment_path(stem))
        if batch.vectors is not None and batch.model is not None:
            write_vectors(batch.vectors, vector_path(stem, batch.model))
    return WrittenBatch(batch.files, len(batch.segment), batch.model, stem)


def segment_path(stem: Path) -> Path:
    """Return where the lexical arrays of a segment lie."""
    return stem.with_name(stem.name + ".lex")


def split(versions: Sequence[Version]) -> list[list[Version]]:
    """Cut the work into batches of bounded size, in order."""
    batches: list[list[Version]] = []
    size = BATCH_BYTES
    for version in versions:
        if size >= BATCH_BYTES or len(batches[-1]) >= BATCH_FILES:
            batches.append([])
            size = 0
        batches[-1].append(version)
        size += version.size
    return batches


def read_blobs(
    repository: Repository, versions: Sequence[Version], max_bytes: int
) -> Iterator[tuple[Version, bytes | None]]:
    """Yield the contents of versions in order, without the oversized ones."""
    small = [version for version in versions if version.size <= max_bytes]
    with BlobReader(repository) as reader:
        yield from zip(small, reader.read_many(v.blob for v in small), strict=True)


def oversized_files(versions: Iterable[Version], max_bytes: int) -> list[NewFile]:
    """Return rows for what is too large to read at all."""
    return [
        NewFile(v.path, v.blob, v.reading, "", Skip.OVERSIZED.value, v.size, 0, ())
        for v in versions
        if v.size > max_bytes
    ]


def build_from_repository(
    repository: Repository,
    versions: Sequence[Version],
    max_bytes: int,
    embedder: VectorSource | None,
) -> Batch:
    """Read blobs from git and build one batch."""
    batch = build(read_blobs(repository, versions, max_bytes), max_bytes, embedder)
    too_large = oversized_files(versions, max_bytes)
    return Batch([*batch.files, *too_large], batch.segment, batch.vectors, batch.model)
