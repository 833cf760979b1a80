"""Bring back what is in a backup, beside what is here, without losing anything of it.

In: an unpacked backup, a repository. Out: `Restored`, what was done or would be. First all of it is
planned, so that what cannot be done is refused before anything is; done again, it does nothing.
Memory and links are united as `sync` unites them: what was forgotten here stays forgotten. Files,
settings and documents that are otherwise here stay so, unless they are to be replaced.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..chroma import own_copy
from ..chroma.target import Target, target_of
from ..config import Config
from ..errors import ReadOnly, UsageError
from ..git.bundles import MANNERS, drop_refs, root_commits
from ..git.refs import is_ancestor
from ..git.remotes import TRACKING
from ..git.repository import Repository
from ..git.trees import list_tree
from ..index.identity import repo_id
from ..sessions.difference import Difference
from ..sessions.sync import sync
from .adapters import Adapters, restore_adapters
from .manifest import COLLECTIONS, FILES, SETTINGS, Member
from .settings import Restored as Settings
from .settings import restore_settings
from .unpacking import TRACKING_KEY, Unpacked, rehearse
from .workfiles import open_file, write_file


@dataclass(frozen=True, slots=True)
class Options:
    """What to do: `force` takes the backup of another repository, `replace` prefers the backup's.

    `personal` also sets what is the user's alone, `adapters` also brings adapters and the state of
    training back.
    """

    dry_run: bool = False
    force: bool = False
    replace: bool = False
    personal: bool = False
    adapters: bool = False
    collections: bool = True


@dataclass(slots=True)
class Files:
    """Paths: written, otherwise here and left so, deleted here since; how many are the same."""

    written: list[str] = field(default_factory=list)
    same: int = 0
    differ: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    skipped: str = ""


@dataclass(slots=True)
class Documents:
    """What became of one collection: ids that differ are left as they are here, or replaced."""

    name: str
    added: int = 0
    same: int = 0
    differ: list[str] = field(default_factory=list)
    replaced: int = 0


@dataclass(slots=True)
class Restored:
    """What was done, or would be."""

    memory: Difference = field(default_factory=Difference)
    files: Files = field(default_factory=Files)
    settings: Settings = field(default_factory=Settings)
    collections: list[Documents] = field(default_factory=list)
    collections_skipped: str = ""
    adapters: Adapters = field(default_factory=Adapters)


def restore(found: Unpacked, repository: Repository, config: Config, options: Options) -> Restored:
    """Bring a backup back.

    Raises:
        UsageError: it is of another repository, and `force` is not given.
        Damaged: its memory is none.
        ConfigurationError: a collection here has vectors of another model.
        Busy, Unavailable: Chroma cannot be used.
        ReadOnly: something cannot be written.
    """
    _check_identity(found, repository, config, options)
    done = Restored(memory=rehearse(found, repository))
    plans = _plan_files(found, repository, options, done.files)
    target = _target(found, repository, config, options, done)
    wanted = _plan_collections(found, target, options, done) if target else dict[str, set[str]]()
    done.settings = _settings(found, repository, options, dry_run=True)
    done.adapters = restore_adapters(found, repository, config, options.adapters, dry_run=True)
    if options.dry_run:
        return done
    done.memory = _unite(found, repository)
    for path, member in plans:
        _write(found, repository, path, member)
    _settings(found, repository, options, dry_run=False)
    if target is not None and any(wanted.values()):
        own_copy.put(target, repository.state_dir, _chosen(found, wanted))
    restore_adapters(found, repository, config, options.adapters, dry_run=False)
    return done


def _check_identity(
    found: Unpacked, repository: Repository, config: Config, options: Options
) -> None:
    """Raise `UsageError` for the backup of another repository.

    It is the same one if it has the same identity, or began with the same commit.
    """
    theirs, ours = found.manifest.repo_id, repo_id(repository, config)
    if options.force or theirs == ours:
        return
    if set(found.manifest.roots) & set(root_commits(repository)):
        return
    raise UsageError(
        f"{found.name} is of the repository {theirs}, this is {ours}",
        "--force restores it all the same",
    )


def _unite(found: Unpacked, repository: Repository) -> Difference:
    remote = found.remote
    if remote is None:
        return Difference()
    try:
        return sync(repository, remote, push_too=False, manners=MANNERS).fetched
    finally:
        drop_refs(repository, f"{TRACKING}/{TRACKING_KEY}/")


def _plan_files(
    found: Unpacked, repository: Repository, options: Options, files: Files
) -> list[tuple[str, Member]]:
    """Return what is to be written, and say what is not."""
    members = found.manifest.below(FILES)
    if repository.top is None:
        files.skipped = "a bare repository has no working tree" if members else ""
        return []
    gone = _deleted_since(found, repository, members)
    todo = []
    for path, member in members.items():
        here = _sha256(repository.top, path)
        if here == member.sha256:
            files.same += 1
        elif here is not None and not options.replace:
            files.differ.append(path)
        elif here is None and path in gone and not options.replace:
            files.deleted.append(path)
        else:
            files.written.append(path)
            todo.append((path, member))
    return todo


def _deleted_since(
    found: Unpacked, repository: Repository, members: Mapping[str, Member]
) -> set[str]:
    """Return the files that were committed when the backup was made, and that HEAD has no more."""
    head, then = repository.head_commit(), found.manifest.head
    if head is None or not then or not is_ancestor(repository, then, head):
        return set()
    there = list_tree(repository, head)
    return {path for path, member in members.items() if member.committed and path not in there}


def _sha256(top: Path, path: str) -> str | None:
    """Return the hash of a file; None where there is none, "" for what is no plain file."""
    try:
        with os.fdopen(open_file(top, path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def _write(found: Unpacked, repository: Repository, path: str, member: Member) -> None:
    if repository.top is None:
        return
    with found.file(member).open("rb") as source:
        write_file(repository.top, path, source.fileno(), member.executable)


def _settings(
    found: Unpacked, repository: Repository, options: Options, *, dry_run: bool
) -> Settings:
    return restore_settings(
        repository, found.data(SETTINGS), personal=options.personal, replace=options.replace,
        dry_run=dry_run,
    )  # fmt: skip


def _target(
    found: Unpacked, repository: Repository, config: Config, options: Options, done: Restored
) -> Target | None:
    if not found.manifest.collections:
        return None
    if not options.collections:
        done.collections_skipped = "as asked for"
        return None
    target = target_of(config, repository)
    if target is None:
        done.collections_skipped = "chroma.impl is off"
    return target


def _plan_collections(
    found: Unpacked, target: Target, options: Options, done: Restored
) -> dict[str, set[str]]:
    """Return member → ids that are to be written."""
    wanted = {}
    with own_copy.opened(target) as reader:
        for member in found.manifest.below(COLLECTIONS).values():
            shape, records = found.collection(member)
            compared = own_copy.compare(reader, shape, records)
            ids = compared.missing | (compared.differ if options.replace else set())
            told = Documents(shape.name, len(compared.missing), compared.same)
            if options.replace:
                told.replaced = len(compared.differ)
            else:
                told.differ = sorted(compared.differ)
            done.collections.append(told)
            wanted[member.path] = ids
    return wanted


def _chosen(
    found: Unpacked, wanted: Mapping[str, set[str]]
) -> Iterator[tuple[own_copy.Shape, Iterable[Mapping[str, Any]]]]:
    for path, ids in wanted.items():
        member = found.manifest.member(path)
        if member is not None and ids:
            shape, records = found.collection(member)
            yield shape, (record for record in records if record["id"] in ids)


def unpack_into(found: Unpacked, folder: Path) -> int:
    """Write all members into a new or empty folder; return how many. Raises as `write_file`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", "name a new folder")
    except OSError as error:
        raise ReadOnly(f"cannot write {folder}", error.strerror or str(error)) from None
    for name, data in (
        ("manifest.json", found.manifest.to_bytes()), ("SHA256SUMS", found.sums())
    ):  # fmt: skip
        (folder / name).write_bytes(data)
    for member in found.manifest.members:
        with found.file(member).open("rb") as source:
            write_file(folder, member.path, source.fileno(), member.executable)
    return len(found.manifest.members)
