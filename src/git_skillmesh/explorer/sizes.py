"""How many lines the files of HEAD have, counted beside the answers and kept.

In: a reading. Out: path → lines, or None while they are counted. What a commit did not change is
not read again: the counts of the last tree are kept.
"""

import threading
from collections.abc import Mapping

from ..git.objects import BlobReader
from ..git.repository import Repository
from . import kept
from .parts import Alive, files
from .stores import Reading

_LOOK = 8_000  # as git tells binary files
_SECONDS = 0.25  # that somebody waits for it


def lines_by_path(reading: Reading) -> Mapping[str, int] | None:
    """Return path → lines of each file of HEAD with text, None while they are being counted."""
    tree, blobs = reading.state.tree, files(reading).blobs
    counted: _Counts | None = reading.stores.peek("lines")
    if counted is not None and counted.tree == tree:
        return {path: count for path in blobs if (count := counted.of[blobs[path]]) is not None}
    counting = reading.part("counting", tree, lambda: _Counting(reading.repository, tree, blobs))
    if not counting.finished.wait(_SECONDS * reading.patience):
        return None
    found = counting.found
    reading.part("lines", tree, lambda: found)
    return lines_by_path(reading)


def known_lines(sizes: Mapping[str, int], known: Alive) -> int:
    """Return how many lines of HEAD an exchange is known for; no file has more than its lines."""
    return sum(
        min(sum(counts.values()), sizes.get(path, 0)) for path, counts in known.by_path.items()
    )


class _Counts:
    """Blob → lines (None: binary) of a tree."""

    def __init__(self, tree: str | None, of: Mapping[str, int | None]) -> None:
        self.tree = tree
        self.of = of


class _Counting:
    """A count that goes on in a thread of its own."""

    def __init__(self, repository: Repository, tree: str | None, blobs: Mapping[str, str]) -> None:
        self.finished = threading.Event()
        self.found = _Counts(tree, {})
        known = _kept(repository)
        wanted = set(blobs.values())
        missing = sorted(wanted - known.keys())
        thread = threading.Thread(
            target=self._count, args=(repository, tree, wanted, known, missing), daemon=True
        )
        thread.start()

    def _count(
        self, repository: Repository, tree: str | None, wanted: set[str],
        known: dict[str, int | None], missing: list[str],
    ) -> None:  # fmt: skip
        counts = {blob: known[blob] for blob in wanted & known.keys()}
        try:
            with BlobReader(repository, frugal=True) as reader:
                for blob, data in zip(missing, reader.read_many(missing), strict=True):
                    counts[blob] = count_lines(data) if data is not None else None
            self.found = _Counts(tree, counts)
            if missing:
                kept.write(repository, "lines", counts)
        finally:
            self.found = _Counts(tree, {**dict.fromkeys(wanted), **counts})
            self.finished.set()


def count_lines(data: bytes) -> int | None:
    """Return how many lines a file has, None for a binary one."""
    if b"\0" in data[:_LOOK]:
        return None
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def _kept(repository: Repository) -> dict[str, int | None]:
    counts = kept.read(repository, "lines")
    return {
        blob: count
        for blob, count in counts.items()
        if count is None or (type(count) is int and count >= 0)
    }
