"""Blame: which commit brought each line of a file, and where the line stood there.

In: a file of the working tree or of a commit, ranges of lines. Out: `BlamedLine`s in order. Changes
of white space alone take no line from the commit that brought it (`git blame -w`); renames are
followed, and the user's `blame.ignoreRevsFile` counts, as in git's own command.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..errors import ConfigurationError, SkillmeshError, Unavailable, UsageError
from .database import ObjectDatabase
from .process import GitFailed
from .quoting import unquoted
from .repository import Repository
from .treeobjects import FILE, FOLDER, Entry

_FILES = (FILE, "100755", "100664")
_SYMLINK, _SUBMODULE = "120000", "160000"
# As git tells binary files: by a NUL in the first bytes.
_LOOK = 8000
_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+)(?: \d+)?")


@dataclass(frozen=True, slots=True)
class BlamedCommit:
    """A commit that brought lines. `time` is the author's, in seconds of the epoch.

    With `boundary`, history ends there (a shallow clone): the line may be older.
    """

    oid: str
    author: str
    time: int
    summary: str
    boundary: bool = False

    @property
    def is_uncommitted(self) -> bool:
        """Whether the lines are in the working tree only."""
        return not self.oid.strip("0")


class BlamedLine(NamedTuple):
    """Line `number` of the file, which is line `line` of `path` in `commit`."""

    number: int
    text: bytes
    commit: BlamedCommit
    path: str
    line: int


def blame(
    repository: Repository,
    path: str,
    ranges: Sequence[str] = (),
    commit: str = "",
    *,
    first_parent: bool = False,
) -> tuple[BlamedLine, ...]:
    """Return the lines of a file, all or those of `ranges` (as `git blame -L` takes them).

    Without `commit` the file is that of the working tree; what is not committed has a commit of
    zeros. `path` is relative to the root. With `first_parent` a merge stands for all that it
    brought.

    Raises:
        UsageError: there is no such file or line.
        ConfigurationError: the user's `blame.ignoreRevsFile` cannot be read.
        Unavailable: the clone lacks what is needed.
    """
    # What the user has configured for people (dates, colours) has no say in this format.
    # textconv runs foreign programs, and lines of what they say are not lines of the file.
    arguments = ["blame", "--porcelain", "-w", "--no-textconv", "--encoding=UTF-8"]
    arguments += ["--first-parent"] * first_parent
    arguments += [word for each in ranges for word in ("-L", each)]
    done = repository.git.run_unchecked(*arguments, *filter(None, [commit]), "--", path)
    if done.returncode:
        raise _explained(GitFailed(arguments, done.returncode, done.stderr), path, ranges)
    return tuple(parse_porcelain(done.stdout.split(b"\n"), _shallow(repository)))


def _shallow(repository: Repository) -> frozenset[bytes]:
    """Return the commits at which the history of a shallow clone ends."""
    try:
        return frozenset((repository.common_dir / "shallow").read_bytes().split())
    except OSError:
        return frozenset()


def parse_porcelain(lines: Iterable[bytes], ends: Collection[bytes] = ()) -> Iterator[BlamedLine]:
    """Yield what `git blame --porcelain` says; a commit is described when it first appears.

    `ends` are commits at which history ends although there is more of it elsewhere.
    """
    commits: dict[bytes, BlamedCommit] = {}
    paths: dict[bytes, str] = {}
    said: dict[bytes, bytes] = {}
    header: re.Match[bytes] | None = None
    for raw in lines:
        if header is None:
            header = _HEADER.fullmatch(raw)
            continue
        if not raw.startswith(b"\t"):
            name, _, value = raw.partition(b" ")
            said[name] = value
            continue
        oid = header[1]
        if b"author" in said:
            commits[oid] = _described(oid, said, oid in ends)
        if b"filename" in said:
            paths[oid] = os.fsdecode(unquoted(said[b"filename"]))
        yield BlamedLine(int(header[3]), raw[1:], commits[oid], paths[oid], int(header[2]))
        header, said = None, {}


def _described(oid: bytes, said: dict[bytes, bytes], is_end: bool) -> BlamedCommit:
    return BlamedCommit(
        oid.decode(),
        said[b"author"].decode("utf-8", "replace"),
        int(said.get(b"author-time", b"0")),
        said.get(b"summary", b"").decode("utf-8", "replace"),
        is_end,
    )


def check_file(db: ObjectDatabase, path: str, commit: str = "") -> None:
    """Say clearly why a path has no lines of its own, before git is asked for them.

    Without `commit` it is one of the working tree. Raises `UsageError`.
    """
    if commit or db.repository.top is None:
        mode, data = _in_commit(db, path, commit or "HEAD")
    else:
        mode, data = _on_disk(db, path, db.repository.top)
    if mode == FOLDER:
        raise UsageError(f"{path or 'this'} is a folder", "name a file in it")
    if mode == _SUBMODULE:
        raise _is_submodule(path)
    if mode == _SYMLINK:
        raise UsageError(f"{path} is a symbolic link", "name the file that it leads to")
    if b"\0" in data[:_LOOK]:
        raise UsageError(f"{path} is a binary file: it has no lines")


def _in_commit(db: ObjectDatabase, path: str, commit: str) -> tuple[str, bytes]:
    """Return the mode of a path, and how its contents begin."""
    tip = db.tip(commit)
    if tip is None:
        raise UsageError("this repository has no commits yet")
    entry = _entry(db, tip.commit.tree, path)
    if entry is None:
        where = "HEAD" if commit == "HEAD" else commit[:12]
        raise UsageError(f"{path} is not in {where}")
    return entry.mode, (db.reader.read(entry.oid) or b"" if entry.mode in _FILES else b"")


def _on_disk(db: ObjectDatabase, path: str, top: Path) -> tuple[str, bytes]:
    """The same for the working tree."""
    file = top / path
    try:
        if file.is_symlink():
            return _SYMLINK, b""
        if file.is_dir():
            return _SUBMODULE if path and (file / ".git").exists() else FOLDER, b""
        with open(file, "rb") as stream:
            return FILE, stream.read(_LOOK)
    except (OSError, ValueError):
        tip = db.tip("HEAD")
        if tip and _entry(db, tip.commit.tree, path):
            mend = "ask with --at HEAD"
            raise UsageError(f"{path} is not in the working tree, only in HEAD", mend) from None
        raise UsageError(f"no such file: {path}") from None


def _entry(db: ObjectDatabase, tree: str, path: str) -> Entry | None:
    """Return what is at a path. Raises `UsageError` for one inside of a submodule."""
    entry, below = Entry(FOLDER, tree), ""
    for name in path.split("/") if path else ():
        if entry.mode == _SUBMODULE:
            raise _is_submodule(below)
        found = db.trees.entries(entry.oid).get(name) if entry.is_folder else None
        if found is None:
            return None
        entry, below = found, f"{below}/{name}".lstrip("/")
    return entry


def _is_submodule(path: str) -> UsageError:
    mend = f"ask there: git -C {path} skillmesh"
    return UsageError(f"{path} is a submodule, a repository of its own", mend)


def _explained(error: GitFailed, path: str, ranges: Sequence[str]) -> SkillmeshError:
    """Return what to raise for what git said, in the words of the user."""
    said = error.stderr
    if found := re.search(r"has only (\d+) lines?$", said, re.MULTILINE):
        count = int(found[1])
        return UsageError(f"{path} has {count} line{'s' * (count != 1)}", "there is none as asked")
    if "-L " in said or said.startswith("usage:"):
        return UsageError(f"no such lines in {path}: {', '.join(ranges)}", _last(said, "-L"))
    if "object name list" in said:
        name = said.rpartition(": ")[2]
        return ConfigurationError(
            f"git cannot read {name}, which blame.ignoreRevsFile names", "git config --edit"
        )
    if "no such path" in said:
        return UsageError(f"{path} is not tracked by git: no commit has it")
    if any(sign in said for sign in ("unable to read", "missing", "promisor", "lazy", "fetch")):
        return Unavailable(
            f"this clone lacks versions of {path}", "git fetch --refetch --no-filter"
        )
    return error


def _last(said: str, sign: str) -> str:
    lines = [line for line in said.splitlines() if sign in line and line.startswith("fatal: ")]
    return lines[-1].removeprefix("fatal: ") if lines else "3, 3,7, 3,+5, /RE/ or :NAME"
