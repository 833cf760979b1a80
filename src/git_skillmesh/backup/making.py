"""Make a backup: one file that is there whole or not at all, or a stream.

In: a repository, a place. Out: `Made`. A file appears with its name when all of it is on the disk,
readable by its owner alone; until then it has a name beside it that ends in `.part`.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..config import Config
from ..errors import Busy, ReadOnly, UsageError
from ..files import sync
from ..git.bundles import root_commits
from ..git.repository import Repository
from ..index.identity import repo_id
from . import container
from .gathering import Gathered, What, gather
from .manifest import Manifest

_ATTEMPTS = 3
_START = 512


@dataclass(frozen=True, slots=True)
class Made:
    """A backup: where it is ("" for a stream), how large, the SHA-256 of all of it."""

    path: str
    size: int
    sha256: str
    manifest: Manifest


def back_up(
    repository: Repository,
    config: Config,
    place: Path | BinaryIO,
    what: What,
    *,
    force: bool = False,
    progress: container.Progress | None = None,
) -> Made:
    """Write a backup to a path or an open stream.

    Raises:
        UsageError: at the path is something else than a backup, and `force` is not given.
        ReadOnly: it cannot be written there.
        Busy: another backup is writing the same file, or Chroma is busy.
        Unavailable: Chroma, of which collections are asked for, does not answer.
        Damaged: git cannot read what is to be kept; a file changes all the time.
    """
    if isinstance(place, Path):
        _check(place, force)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with ExitStack() as stack:
                folder = place.parent if isinstance(place, Path) else None
                gathered = gather(repository, config, what, stack, folder)
                manifest = _manifest(repository, config, gathered)
                if not isinstance(place, Path):
                    return _write(place, "", manifest, gathered, progress)
                with _replacing(place) as out:
                    return _write(out, os.fspath(place), manifest, gathered, progress)
        except container.Changed:
            # Somebody writes learnings just now. What has gone to a stream cannot be taken back.
            if attempt == _ATTEMPTS or not isinstance(place, Path):
                raise
    raise AssertionError("unreachable")


def _manifest(repository: Repository, config: Config, gathered: Gathered) -> Manifest:
    return Manifest(
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        program=f"git-skillmesh {__version__}",
        repo_id=repo_id(repository, config),
        roots=root_commits(repository),
        head=repository.head_commit() or "",
        object_format=repository.object_format,
        refs=gathered.refs,
        memory=gathered.memory,
        collections=gathered.collections,
        adapters=gathered.adapters,
        left_out=gathered.left_out,
        members=tuple(gathered.members),
    )


def _write(
    out: BinaryIO,
    path: str,
    manifest: Manifest,
    gathered: Gathered,
    progress: container.Progress | None,
) -> Made:
    text = manifest.to_bytes()
    digest = container.write(out, text, gathered.members, gathered.contents(), progress)
    out.flush()
    return Made(path, container.size_of(text, gathered.members), digest, manifest)


def _check(path: Path, force: bool) -> None:
    """Refuse to put a backup in the place of what is none."""
    if not path.parent.is_dir():
        raise UsageError(f"no such folder: {path.parent}")
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError(f"{path} is no file", "`git skillmesh backup - > PLACE` writes to others")
    if force or path.stat().st_size == 0 or is_backup(path):
        return
    raise UsageError(f"{path} is there and is no backup", "choose another name, or --force")


def is_backup(path: Path) -> bool:
    """Whether a file begins like a backup, which says nothing of the rest."""
    try:
        with path.open("rb") as file:
            return container.begins(file.read(_START))
    except OSError:
        return False


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open what becomes the file when the block ends, and is removed if it fails."""
    path = Path(os.path.realpath(path))
    part = path.with_name(f".{path.name}.part")
    try:
        number = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None
    with open(number, "w+b") as out:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another backup writes {path}", "try again later") from None
        try:
            _check_still_there(number, part)
            os.fchmod(number, 0o600)
            out.truncate(0)
            yield out
            out.flush()
            os.fsync(number)
            part.replace(path)
            sync(path.parent)
        except Busy:
            raise
        except OSError as error:
            part.unlink(missing_ok=True)
            raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _check_still_there(number: int, part: Path) -> None:
    """Raise `Busy` where the file has got its name since it was opened: it is somebody's backup."""
    try:
        same = os.path.samestat(part.stat(), os.fstat(number))
    except FileNotFoundError:
        same = False
    if not same:
        raise Busy(f"another backup has just written {part.name}", "try again")


def summary(manifest: Manifest) -> Sequence[str]:
    """Return what is in a backup, in words."""
    from ..display import plural

    counts = manifest.memory
    parts = [
        plural(counts.get("sessions", 0), "conversation"),
        plural(counts.get("thoughts", 0), "thought"),
        f"notes of {plural(counts.get('notes', 0), 'commit')}",
        plural(len(manifest.below("files")), "file"),
    ]
    parts += [
        f"{plural(one['documents'], 'document')} in {one['name']}" for one in manifest.collections
    ]
    if manifest.adapters["names"]:
        kept = "" if manifest.adapters["included"] else " (names only)"
        parts.append(f"{plural(len(manifest.adapters['names']), 'adapter')}{kept}")
    return parts
