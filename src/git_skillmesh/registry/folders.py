"""All files of a skill, bounded, and a hash of them.

In: a folder on disk, or a commit of somebody's repository. Out: `SkillFiles`. What a stranger put
there is let in only if it is plain: no links, no odd names, nothing large. Nothing of it is run.
"""

import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..errors import UsageError
from ..git.snapshot import Snapshot, SnapshotFile
from ..yamlnodes import Unreadable
from .texts import read_bytes

FILE_LONGEST = 5 * 1024 * 1024
SKILL_LARGEST = 20 * 1024 * 1024
MOST_FILES = 500
_MOST_LISTED = 200_000
_DEEPEST = 12
PASSED_OVER = frozenset({".git", ".github", "node_modules", ".venv", "__pycache__", ".DS_Store"})
_ODD = re.compile(r"[\x00-\x1f\x7f\\:]|^(\.\.?|\.git|git~\d+)$|[. ]$", re.I)


@dataclass(frozen=True)
class SkillFiles:
    """Path in the skill → content; `executable` are the paths that may be run as programs."""

    files: Mapping[str, bytes] = field(repr=False)
    executable: frozenset[str] = frozenset()

    @property
    def hashes(self) -> dict[str, str]:
        """The sha256 of each file, by path."""
        return {path: hash_of(data) for path, data in sorted(self.files.items())}


def hash_of(data: bytes) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(data).hexdigest()


def tree_hash(hashes: Mapping[str, str]) -> str:
    """Return one sha256 for all files: that of what `sha256sum` prints for them, by path."""
    lines = "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


class Place(Protocol):
    """Where files come from. `commit` is "" for a folder."""

    commit: str

    @property
    def files(self) -> Mapping[str, SnapshotFile]:
        """What there is, by path."""

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of files."""


class Folder:
    """A `Place` on disk; what is listed is not followed, and nothing that is read is a link."""

    commit = ""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files: dict[str, SnapshotFile] = {}
        self._list("", 0)

    def _list(self, prefix: str, depth: int) -> None:
        try:
            with os.scandir(self._root / prefix) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise UsageError(f"cannot read {self._root / prefix}", error.strerror or "") from None
        for entry in entries:
            path = prefix + entry.name
            if entry.name in PASSED_OVER:
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEEPEST:
                    self._list(f"{path}/", depth + 1)
                continue
            if len(self.files) >= _MOST_LISTED:
                raise UsageError(f"{self._root} has more than {_MOST_LISTED:,} files", "--path SUB")
            status = entry.stat(follow_symlinks=False)
            kind = "file" if stat.S_ISREG(status.st_mode) else "link"
            executable = bool(status.st_mode & stat.S_IXUSR)
            self.files[path] = SnapshotFile(path, "", status.st_size, kind, executable)

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of files. Raises `UsageError`."""
        found = []
        for path in paths:
            try:
                found.append(read_bytes(self._root / path, FILE_LONGEST))
            except Unreadable as error:
                raise UsageError(f"{path} cannot be taken", error.what) from None
        return found


class Commit:
    """A `Place` in somebody's repository: a folder of it, "" for all."""

    def __init__(self, snapshot: Snapshot, prefix: str) -> None:
        self.commit = snapshot.commit
        self._snapshot, self._prefix = snapshot, prefix
        self.files = {
            path.removeprefix(prefix): one
            for path, one in snapshot.files.items()
            if path.startswith(prefix) and not PASSED_OVER & set(path.split("/"))
        }

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of files."""
        return self._snapshot.read([self._prefix + path for path in paths])


def take(place: Place, folder: str, others: Sequence[str] = ()) -> SkillFiles:
    """Return the files of a skill: those in a folder ("" or with "/" at its end).

    `others` are the folders of other skills inside of it. Raises `UsageError` for what is not let
    in.
    """
    paths = [
        path
        for path in place.files
        if path.startswith(folder) and not any(path.startswith(other) for other in others)
    ]
    if len(paths) > MOST_FILES:
        raise UsageError(f"{folder or 'the skill'} has more than {MOST_FILES} files")
    total = 0
    seen: dict[str, str] = {}
    for path in paths:
        one, inside = place.files[path], path.removeprefix(folder)
        if one.kind != "file":
            what = "a submodule" if one.kind == "submodule" else "a link or no file"
            raise UsageError(f"{path!r} is {what}", "only plain files are taken")
        if any(_ODD.search(part) for part in inside.split("/")) or inside.count("/") > _DEEPEST:
            raise UsageError(f"{path!r} is not a name that is taken")
        if inside.casefold() in seen:
            raise UsageError(f"{path!r} and {seen[inside.casefold()]!r} differ in case only")
        seen[inside.casefold()] = path
        if one.size > FILE_LONGEST:
            raise UsageError(
                f"{path!r} has {one.size / 1024**2:.0f} MiB",
                f"at most {FILE_LONGEST // 1024**2} MiB a file are taken",
            )
        total += one.size
    if total > SKILL_LARGEST:
        raise UsageError(f"{folder or 'the skill'} is larger than {SKILL_LARGEST // 1024**2} MiB")
    contents = place.read(paths)
    executable = (path.removeprefix(folder) for path in paths if place.files[path].executable)
    return SkillFiles(
        {path.removeprefix(folder): data for path, data in zip(paths, contents, strict=True)},
        frozenset(executable),
    )
