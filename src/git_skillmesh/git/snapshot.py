"""The files of somebody's repository at one commit, read from its objects.

In: an address and a revision. Out: `Snapshot`. Nothing is checked out, so there is nothing that a
hook, a filter, an attribute, a submodule or LFS could run, and no path that could lead elsewhere.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError
from .objects import BlobReader
from .process import ALLOWED_PROTOCOLS, Git, GitFailed, clean_environment
from .repository import Repository
from .transport import Manners, talk, unavailable, without_credentials

_REF = "refs/skillmesh/snapshot"
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+@-]{0,250}")
_LONG_ID = re.compile(r"[0-9a-f]{64}")
_LINK, _SUBMODULE, _PROGRAM = "120000", "160000", "100755"


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """An entry of a tree: `kind` is "file", "link" or "submodule"."""

    path: str
    oid: str
    size: int
    kind: str = "file"
    executable: bool = False


@dataclass(frozen=True)
class Snapshot:
    """A commit, and its files by path."""

    commit: str
    files: dict[str, SnapshotFile]
    repository: Repository = field(repr=False)

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the contents of files. Raises `UsageError` where one is missing."""
        with BlobReader(self.repository) as reader:
            found = list(reader.read_many(self.files[path].oid for path in paths))
        for path, data in zip(paths, found, strict=True):
            if data is None:
                raise UsageError(f"git does not have the content of {path}")
        return [data for data in found if data is not None]


@contextmanager
def snapshot(
    address: str, revision: str, folder: Path, protocols: Sequence[str], manners: Manners
) -> Iterator[Snapshot]:
    """Fetch one commit into an empty folder and yield its files; "" is the remote's HEAD.

    Raises `UsageError` for what is no revision there, `Unavailable`.
    """
    if address.startswith("-") or "\0" in address:
        raise UsageError(f"not an address: {address}")
    if revision and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise UsageError(f"not a revision: {revision}", "a branch, a tag or the id of a commit")
    for object_format in ("sha256",) if _LONG_ID.fullmatch(revision) else ("sha1", "sha256"):
        repository = _empty(folder / object_format, object_format, protocols)
        said = _fetch(repository, address, revision, manners)
        if b"mismatched algorithms" not in said:
            break
    shown = without_credentials(address)
    if b"couldn't find remote ref" in said or b"not our ref" in said:
        raise UsageError(f"{shown} has no {revision or 'commit'}", "a branch, a tag or a whole id")
    if said:
        raise unavailable(address, said)
    try:
        commit = repository.git.run("rev-parse", "--verify", "-q", f"{_REF}^{{commit}}")
    except GitFailed:
        raise UsageError(f"{revision} of {shown} is not a commit") from None
    name = commit.decode().strip()
    yield Snapshot(name, _files(repository, name), repository)


def _empty(folder: Path, object_format: str, protocols: Sequence[str]) -> Repository:
    """Make a bare repository that no template, hook or setting of anybody has touched."""
    environment = clean_environment(os.environ)
    own = environment.get(ALLOWED_PROTOCOLS)
    allowed = [name for name in protocols if own is None or name in own.split(":")]
    # An empty list would leave git to its own default.
    environment[ALLOWED_PROTOCOLS] = ":".join(allowed) or "none"
    folder.mkdir(parents=True)
    Git(folder, environment).run(
        "init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", "."
    )
    environment["GIT_DIR"] = os.fspath(folder)
    return Repository(Git(folder, environment), folder, folder, None, "", object_format)


def _fetch(repository: Repository, address: str, revision: str, manners: Manners) -> bytes:
    """Fetch a commit without its history; return what git said against it."""
    options = ["--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--update-shallow"]
    options += ["--no-recurse-submodules", "--no-auto-maintenance", "--refmap="]
    done = talk(
        repository, "fetch", *options, "--", address, f"+{revision or 'HEAD'}:{_REF}",
        remote=address, manners=manners,
    )  # fmt: skip
    return b"" if done.returncode == 0 else done.stderr or b"git fetch failed"


def _files(repository: Repository, commit: str) -> dict[str, SnapshotFile]:
    out = repository.git.run("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    found = {}
    for record in out.split(b"\0")[:-1]:
        header, _, name = record.partition(b"\t")
        mode, _, oid, size = header.decode().split()
        path = os.fsdecode(name)
        kind = {_LINK: "link", _SUBMODULE: "submodule"}.get(mode, "file")
        length = int(size) if size.isdigit() else 0
        found[path] = SnapshotFile(path, oid, length, kind, mode == _PROGRAM)
    return found
