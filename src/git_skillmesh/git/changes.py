"""What differs between a commit and another one, or the index: files, renames, added lines.

In: trees, or a tree and the index. Out: `ChangedFile`s in git's order, from two git processes
however many there are. Nothing that the change or the user's settings say about diffs has a say:
attributes such as `-diff` or `binary`, foreign diff programs, limits of the search for renames.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from .objects import sizes
from .quoting import unquoted
from .repository import Repository

LARGEST = 10_000_000  # bytes of a file of which the lines are compared
_REGULAR = ("100644", "100755", "100664")
_OPTIONS = (
    "--no-abbrev", "-M", "-l0", "--no-ext-diff", "--no-textconv", "--no-relative", "-O/dev/null",
    "--ignore-submodules=dirty",
)  # fmt: skip
_PATCH = (
    "-p", "-U0", "--text", "--diff-filter=MR", "--diff-algorithm=myers", "--indent-heuristic",
    "--inter-hunk-context=0", "--no-color", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip
# A line of content begins with a sign, so nothing in a file can be taken for one of these.
_MARK = re.compile(rb"^(?:diff --git |@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@)", re.MULTILINE)
_NEW_NAME = re.compile(rb"^\+\+\+ (.*)$", re.MULTILINE)


class Hunk(NamedTuple):
    """`removed` lines from `old` on gave way to `added` lines from `new` on; lines from 1.

    Where there are none, the line is the one before.
    """

    old: int
    removed: int
    new: int
    added: int


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A path that differs. On a side where it does not exist, path, blob and mode are "".

    `path` is where it is now, or was last. `hunks` is None where all lines are new;
    `compared` is False where lines were not compared. Of added lines only those `among` these
    count, if it is given. `conflict`: the index has several versions.
    """

    path: str
    old_path: str
    blob: str
    old_blob: str
    mode: str
    old_mode: str
    size: int = 0
    old_size: int = 0
    hunks: tuple[Hunk, ...] | None = None
    compared: bool = True
    conflict: bool = False
    among: "frozenset[int] | None" = None

    @property
    def deleted(self) -> bool:
        """Whether it does not exist any more."""
        return not self.mode

    @property
    def renamed(self) -> bool:
        """Whether it had another name."""
        return bool(self.old_path) and self.old_path != self.path

    @property
    def has_text(self) -> bool:
        """Whether it is a regular file now, and not a symbolic link or submodule."""
        return self.mode in _REGULAR

    @property
    def had_text(self) -> bool:
        """Whether it was a regular file."""
        return self.old_mode in _REGULAR

    def added(self) -> "frozenset[int] | None":
        """Return the numbers of the added lines; None stands for all of them."""
        if self.hunks is None:
            return self.among
        added = frozenset(n for h in self.hunks for n in range(h.new, h.new + h.added))
        return added if self.among is None else added & self.among

    def old_line(self, line: int) -> int:
        """Return where an unchanged line of the new file stood in the old one."""
        shift = 0
        for hunk in self.hunks or ():
            # Where a hunk adds nothing, its place is the line before.
            if hunk.new + (hunk.added == 0) > line:
                break
            shift += hunk.removed - hunk.added
        return line + shift


def staged_changes(repository: Repository, tree: str) -> list[ChangedFile]:
    """Return how the index differs from a tree. Raises `GitFailed`."""
    return _changes(repository, ("diff-index", "--cached", "--ita-invisible-in-index"), (tree,))


def tree_changes(repository: Repository, old: str, new: str) -> list[ChangedFile]:
    """Return how one commit or tree differs from another. Raises `GitFailed`."""
    return _changes(repository, ("diff-tree", "-r"), (old, new))


def _changes(
    repository: Repository, command: Sequence[str], sides: Sequence[str]
) -> list[ChangedFile]:
    out = repository.git.run(*command, "--raw", "-z", *_OPTIONS, *sides, "--")
    files = _listed(out)
    known = sizes(repository, {oid for file in files for oid in _blobs_of(file)})
    files = [
        replace(file, size=known.get(file.blob, 0), old_size=known.get(file.old_blob, 0))
        for file in files
    ]
    both = [f for f in files if f.has_text and f.had_text and f.blob != f.old_blob]
    large = [f for f in both if max(f.size, f.old_size) > LARGEST]
    hunks: dict[str, tuple[Hunk, ...]] = {}
    if len(both) > len(large):
        # Renames are told by all paths together, so the others are not asked for alone.
        kept_out = [f":(top,exclude,literal){name}" for f in large for name in _names(f)]
        paths = [":(top)", *kept_out] if large else []
        hunks = _hunks(repository.git.run(*command, *_OPTIONS, *_PATCH, *sides, "--", *paths))
    too_large = {file.path for file in large}
    return [_with_hunks(file, hunks, too_large) for file in files]


def _with_hunks(
    file: ChangedFile, hunks: "dict[str, tuple[Hunk, ...]]", too_large: "set[str]"
) -> ChangedFile:
    if not (file.has_text and file.had_text):
        return file
    if file.path in too_large:
        return replace(file, compared=file.blob == file.old_blob, hunks=())
    return replace(file, hunks=hunks.get(file.path, ()))


def _blobs_of(file: ChangedFile) -> list[str]:
    sides = ((file.blob, file.has_text), (file.old_blob, file.had_text))
    return [oid for oid, text in sides if oid and text]


def _names(file: ChangedFile) -> set[str]:
    return {file.path, file.old_path} - {""}


def _listed(out: bytes) -> list[ChangedFile]:
    """Read the raw form: ":MODE MODE OID OID STATUS", path, and for a rename the new path."""
    fields = iter(out.split(b"\0"))
    found: dict[str, ChangedFile] = {}
    for header in fields:
        if not header.startswith(b":"):
            continue
        old_mode, mode, old_blob, blob, status = header[1:].decode().split(" ")
        old = new = os.fsdecode(next(fields))
        if status[0] in "RC":
            new = os.fsdecode(next(fields))
        there, before = mode.strip("0"), old_mode.strip("0")
        found[new] = ChangedFile(
            path=new,
            old_path=old if before else "",
            blob=blob if there else "",
            old_blob=old_blob if before else "",
            mode=mode if there else "",
            old_mode=old_mode if before else "",
            conflict=status[0] == "U" or (new in found and found[new].conflict),
        )
    return list(found.values())


def _hunks(out: bytes) -> "dict[str, tuple[Hunk, ...]]":
    """Return path → hunks of a patch without context."""
    found: dict[str, list[Hunk]] = {}
    current: list[Hunk] = []
    header: int | None = None
    for mark in _MARK.finditer(out):
        if mark[3] is None:
            header = mark.end()
            continue
        if header is not None:
            name = _NEW_NAME.search(out, header, mark.start())
            current = found.setdefault(_path(name[1]) if name else "", [])
            header = None
        old, removed, new, added = (int(n) if n is not None else 1 for n in mark.groups())
        current.append(Hunk(old, removed, new, added))
    return {path: tuple(hunks) for path, hunks in found.items()}


def _path(text: bytes) -> str:
    # git puts a tab after a name with spaces; a name that holds one itself is quoted.
    return os.fsdecode(unquoted(text.removesuffix(b"\t"))[2:])
