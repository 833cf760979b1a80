"""Trees and the working tree: what files there are, and how two trees differ.

In: tree ids. Out: path → entry. Paths are str as from os.fsdecode, relative to the root.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from .repository import Repository

_SYMLINK, _SUBMODULE = b"120000", b"160000"


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between two trees; `old` or `new` is None where it does not exist.

    Symbolic links and submodules count as not existing: they have no text of their own.
    """

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class WorkingTree:
    """How the files on disk differ from HEAD: `changed` and `untracked` exist, `deleted` do not."""

    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    deleted: tuple[str, ...]


def list_tree(repository: Repository, tree: str) -> dict[str, str]:
    """Return path → blob id of every regular file of a tree."""
    return {
        path: oid
        for mode, oid, path in _entries(repository, tree)
        if mode not in (_SYMLINK, _SUBMODULE)
    }


def list_links(repository: Repository, tree: str) -> dict[str, bool]:
    """Return the other entries of a tree: True for a submodule, False for a symbolic link."""
    return {
        path: mode == _SUBMODULE
        for mode, _, path in _entries(repository, tree)
        if mode in (_SYMLINK, _SUBMODULE)
    }


def _entries(repository: Repository, tree: str) -> Iterator[tuple[bytes, str, str]]:
    """Yield mode, object id and path of all that a tree and its folders hold."""
    out = repository.git.run("ls-tree", "-r", "-z", "--full-tree", tree)
    for record in out.split(b"\0")[:-1]:
        header, _, path = record.partition(b"\t")
        mode, _kind, oid = header.split(b" ")
        yield mode, oid.decode(), os.fsdecode(path)


def diff_trees(repository: Repository, old: str, new: str) -> list[Change]:
    """Return what differs between two trees, renames as a deletion and an addition.

    Costs as much as the difference: git skips subtrees with the same id.
    """
    if old == new:
        return []
    out = repository.git.run(
        "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new
    )
    fields = out.split(b"\0")
    changes = []
    for header, path in zip(fields[0::2], fields[1::2], strict=False):
        old_mode, new_mode, old_oid, new_oid, _ = header[1:].split(b" ")
        changes.append(
            Change(os.fsdecode(path), _blob(old_mode, old_oid), _blob(new_mode, new_oid))
        )
    return changes


def _blob(mode: bytes, oid: bytes) -> str | None:
    if mode in (_SYMLINK, _SUBMODULE) or not oid.strip(b"0"):
        return None
    return oid.decode()


def working_tree(repository: Repository, folder: str = "") -> WorkingTree:
    """Compare the files on disk with HEAD, or those of a folder.

    An empty answer in a bare repository.
    """
    if repository.is_bare:
        return WorkingTree((), (), ())
    below = ("--", f":(top,literal){folder}") if folder else ()
    out = repository.git.run(
        "status",
        "--porcelain=v2",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignore-submodules=all",
        *below,
    )
    changed: list[str] = []
    untracked: list[str] = []
    deleted: list[str] = []
    for record in _records(out):
        kind, rest = record[:1], record[2:]
        if kind == b"?":
            untracked.append(os.fsdecode(rest))
        elif kind == b"1":
            _xy, _sub, _mode_head, _mode_index, mode, _head, _index, path = rest.split(b" ", 7)
            (deleted if not mode.strip(b"0") else changed).append(os.fsdecode(path))
        elif kind == b"u":
            mode, path = rest.split(b" ", 9)[5], rest.split(b" ", 9)[9]
            (deleted if not mode.strip(b"0") else changed).append(os.fsdecode(path))
    # A nested repository that is not a submodule is reported as a folder: not ours to read.
    files = [path for path in untracked if not path.endswith("/")]
    return WorkingTree(tuple(changed), tuple(files), tuple(deleted))


def _records(out: bytes) -> Iterator[bytes]:
    yield from (record for record in out.split(b"\0") if record)


def is_tracked(repository: Repository, path: str) -> bool:
    """Return whether git keeps a file of the working tree, so that clones have it too.

    Some file systems find `.env` where git has `.ENV`, so that case counts for nothing.
    """
    if repository.top is None:
        return False
    words = ("ls-files", "--error-unmatch", "--", f":(top,literal,icase){path}")
    return repository.git.run_unchecked(*words).returncode == 0
