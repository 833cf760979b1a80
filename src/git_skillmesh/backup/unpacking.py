"""Look through a backup: every byte, every object of its memory, every record of its collections.

In: a file or a stream. Out: `Unpacked`, of which all has been proven, in a folder. Nothing else is
touched.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..chroma import own_copy
from ..chroma.own_store import is_own
from ..errors import Damaged, UsageError
from ..git.bundles import MANNERS, empty_repository
from ..git.remotes import Remote, known
from ..git.repository import Repository
from ..sessions.difference import Difference
from ..sessions.sync import REFS, plan
from . import container
from .gathering import described
from .manifest import BUNDLE, COLLECTIONS, SETTINGS, Manifest, Member
from .settings import read_settings

_LONGEST_LINE = 64 << 20
TRACKING_KEY = "backup"
_LOOKED_INTO = (BUNDLE, SETTINGS, COLLECTIONS)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup in a folder: each member that was kept, under a number."""

    name: str
    manifest: Manifest
    folder: Path
    numbers: Mapping[str, int]

    def file(self, member: Member) -> Path:
        """Return where a member is."""
        return self.folder / str(self.numbers[member.path])

    def data(self, path: str) -> bytes:
        """Return the bytes of a member."""
        member = self.manifest.member(path)
        if member is None:
            raise Damaged(f"{self.name} cannot be used, it has no {path}")
        return self.file(member).read_bytes()

    @property
    def remote(self) -> Remote | None:
        """The bundle as a remote that can be fetched from, None where there was no memory."""
        bundle = self.manifest.member(BUNDLE)
        if bundle is None:
            return None
        return Remote(os.fspath(self.file(bundle)), "", TRACKING_KEY)

    def collection(self, member: Member) -> tuple[own_copy.Shape, Iterator[dict[str, Any]]]:
        """Return what a collection is and its records, as they are read. Raises `Damaged`."""
        path = self.file(member)
        lines = self._lines(path, member.path)
        first = next(lines, None)
        try:
            if first is None:
                raise ValueError("it is empty")
            shape = own_copy.Shape(
                first["collection"], first["space"], first["dimension"], first["metadata"]
            )
            fits = shape.name == member.path.rpartition("/")[2].removesuffix(".jsonl.gz")
            plain = isinstance(shape.metadata, dict) and isinstance(shape.dimension, int)
            if not (
                fits and plain and shape.space in own_copy.SPACES and described(shape) == first
            ):
                raise ValueError("it is none of ours")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(member.path, error) from None
        return shape, self._records(shape, lines, member.path)

    def _records(
        self, shape: own_copy.Shape, lines: Iterator[Any], path: str
    ) -> Iterator[dict[str, Any]]:
        for number, found in enumerate(lines, 2):
            try:
                yield own_copy.checked(found, shape.dimension)
            except ValueError as error:
                raise self._damaged(f"{path}:{number}", error) from None

    def sums(self) -> bytes:
        """Return SHA256SUMS of it."""
        return container.sums_of(self.manifest.to_bytes(), self.manifest.members)

    def _lines(self, path: Path, name: str) -> Iterator[Any]:
        try:
            with gzip.open(path, "rb") as file:
                while line := file.readline(_LONGEST_LINE):
                    if len(line) == _LONGEST_LINE:
                        raise ValueError("a record is too long")
                    yield json.loads(line)
        except (OSError, ValueError, EOFError, RecursionError, zlib.error) as error:
            raise self._damaged(name, error) from None

    def _damaged(self, path: str, error: Exception) -> Damaged:
        return Damaged(f"{self.name} cannot be used, {path}: {error!s:.200}")


def unpack(
    file: BinaryIO,
    name: str,
    folder: Path,
    progress: container.Progress | None = None,
    *,
    files: bool = True,
) -> Unpacked:
    """Read a backup into an empty folder and check all that is in it. Raises `Damaged`.

    Without `files`, only what has to be looked into is kept there.
    """

    def keep(manifest: Manifest, member: Member) -> container.Opened | None:
        if not files and member.path.partition("/")[0] not in _LOOKED_INTO:
            return None
        return (folder / str(numbers.setdefault(member.path, len(numbers)))).open("wb")

    numbers: dict[str, int] = {}
    manifest = container.read(file, name, keep, progress)
    found = Unpacked(name, manifest, folder, numbers)
    read_settings(found.data(SETTINGS))
    _check_collections(found)
    return found


def _without_none(tips: Mapping[str, str | None]) -> dict[str, str]:
    return {name: tip for name, tip in tips.items() if tip is not None}


def _check_collections(found: Unpacked) -> None:
    """Read every record once: what is not whole is refused before anything is done."""
    counts = {one["name"]: one["documents"] for one in found.manifest.collections}
    listed = found.manifest.below(COLLECTIONS)
    if {f"{name}.jsonl.gz" for name in counts} != set(listed):
        raise Damaged(f"{found.name} cannot be used, its collections are not those it names")
    for name, member in listed.items():
        if not is_own(name.removesuffix(".jsonl.gz")):
            raise Damaged(f"{found.name} cannot be used, {member.path} is none of a user's own")
        shape, records = found.collection(member)
        if sum(1 for _ in records) != counts[shape.name]:
            raise Damaged(f"{found.name} cannot be used, {member.path} has not all it should")


def rehearse(found: Unpacked, repository: Repository | None = None) -> Difference:
    """Unite the memory of a backup with that of a repository, in a copy; return what would come.

    Without a repository it is an empty one that the backup is brought into. Every object is checked
    by git and every path by the rules of `sync`. Raises `Damaged`.
    """
    remote = found.remote
    if remote is None:
        return Difference()
    object_format = found.manifest.object_format
    if repository is not None and repository.object_format != object_format:
        raise UsageError(
            f"{found.name} has objects of git in {object_format}",
            f"this repository has {repository.object_format}",
        )
    copy = empty_repository(found.folder / "rehearsal", object_format, repository, REFS)
    try:
        done = plan(copy, remote, MANNERS)
        if _without_none(known(copy, remote, REFS)) != found.manifest.refs:
            raise Damaged("its bundle has other refs than it names")
    except Damaged as error:
        what = error.what.replace(remote.name, found.name)
        raise Damaged(f"{found.name} cannot be used: {what}", error.mend) from None
    return done.fetched
