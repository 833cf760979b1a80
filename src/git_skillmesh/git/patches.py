"""What one commit changed, as people read it: a unified diff for each file, bounded.

In: a commit. Out: `Patch`es in git's order. A merge is held against its first parent. Nothing that
the repository or the user says about diffs has a say.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import IO

from .repository import Repository

_FORM = (
    "diff-tree", "-r", "--root", "-M", "-l1000", "--no-commit-id", "--no-abbrev", "--no-ext-diff",
    "--no-textconv", "--no-relative", "-O/dev/null", "--no-color", "--src-prefix=a/",
    "--dst-prefix=b/", "--diff-algorithm=histogram",
)  # fmt: skip
_HEAD = b"diff --git "
_STATUS = {
    "A": "added", "C": "copied", "D": "deleted", "M": "modified", "R": "renamed",
    "T": "type changed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Patch:
    """A file of a commit. `old_path` is its earlier name, "" if it has none.

    `added` and `removed` count lines, None of a binary file. `text` is the unified diff without its
    head, None where it is too long, or binary.
    """

    path: str
    old_path: str
    status: str
    added: int | None = None
    removed: int | None = None
    text: str | None = None


def patches(
    repository: Repository, commit: str, parents: Sequence[str], most_of_file: int, most: int
) -> list[Patch]:
    """Return what a commit changed; texts up to so many bytes for each file, and for all together.

    Raises `GitFailed`.
    """
    sides = (parents[0], commit) if parents else (commit,)
    out = repository.git.run(*_FORM, "--raw", "--numstat", "-z", *sides, "--")
    listed = list(_listed(out))
    process = repository.git.start(*_FORM, "-p", "--unified=3", *sides, "--")
    stream = process.stdout
    try:
        texts = _texts(stream, most_of_file, most) if stream else iter(())
        return [replace(one, text=_joined(one, texts)) for one in listed]
    finally:
        if stream:
            stream.close()
        process.kill()
        process.wait()


def _joined(one: Patch, texts: Iterator[bytes | None]) -> str | None:
    """Return the diff of a file; of one whose kind has changed git writes two."""
    parts = [next(texts, None) for _ in range(2 if one.status == "type changed" else 1)]
    if None in parts or (one.added is None and one.removed is None):
        return None
    return b"".join(part for part in parts if part).decode("utf-8", "replace")


def _listed(out: bytes) -> Iterator[Patch]:
    """Yield the files: what --raw says of all of them, then what --numstat does, in one order."""
    fields = iter(out.split(b"\0"))
    found: list[Patch] = []
    counts: list[tuple[int | None, int | None]] = []
    for field in fields:
        if field.startswith(b":"):
            status = field.rsplit(b" ", 1)[1][:1].decode()
            path = os.fsdecode(next(fields, b""))
            old = ""
            if status in "RC":
                old, path = path, os.fsdecode(next(fields, b""))
            found.append(Patch(path, old, _STATUS.get(status, status)))
        elif field.count(b"\t") >= 2:
            added, removed, name = field.split(b"\t", 2)
            if not name:
                next(fields, b"")
                next(fields, b"")
            counts.append((_count(added), _count(removed)))
    for one, (plus, minus) in zip(found, counts, strict=True):
        yield replace(one, added=plus, removed=minus)


def _count(text: bytes) -> int | None:
    return int(text) if text.isdigit() else None


def _texts(stream: IO[bytes], most_of_file: int, most: int) -> Iterator[bytes | None]:
    """Yield the diff of each file without its head, None for one that is too long.

    Ends when all together are too long. A line of a file begins with a sign, so none of them can be
    taken for a head.
    """
    kept: list[bytes] | None = None
    size, in_hunks = 0, False
    for line in stream:
        if line.startswith(_HEAD):
            if kept is not None:
                yield b"".join(kept) if size <= most_of_file else None
                most -= min(size, most_of_file)
                if most < 0:
                    return
            kept, size, in_hunks = [], 0, False
        elif kept is not None:
            in_hunks = in_hunks or line.startswith(b"@@ ")
            if in_hunks:
                size += len(line)
                if size <= most_of_file:
                    kept.append(line)
    if kept is not None:
        yield b"".join(kept) if size <= most_of_file else None
