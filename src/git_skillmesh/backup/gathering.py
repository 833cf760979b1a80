"""What goes into a backup: found, counted and hashed.

In: a repository and its settings. Out: `Gathered`, whose members are read when they are written.
What git and Chroma hand over waits in files without a name, which vanish with the process.
"""

import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ..chroma import own_copy
from ..chroma.target import target_of
from ..config import Config
from ..errors import Busy, ConfigurationError, Damaged, ReadOnly, Unavailable
from ..git.bundles import write_bundle
from ..git.database import ObjectDatabase
from ..git.notes import REF as NOTES
from ..git.process import GitFailed
from ..git.refs import list_refs
from ..git.repository import Repository
from ..git.trees import list_tree
from ..sessions.difference import memory_difference, notes_difference
from ..sessions.layout import REF as MEMORY
from ..sessions.serving import ACTIVE, ADAPTER, HISTORY, adapters_folder
from . import manifest as names
from .container import Changed
from .manifest import Member
from .settings import kept_settings
from .workfiles import listing, open_file

REFS = (MEMORY, NOTES)
TRAINED = ("state.json", "trained.txt")  # of the folder skillmesh-nightly
NIGHTLY = "skillmesh-nightly"
_JUDGEMENTS, _SIGNERS = "judgements", "allowed_signers"
_BLOCK = 1 << 20
_README = """\
A backup of what `git skillmesh` remembers of a repository. No program of ours is needed to read it:

  tar xf THIS_FILE
  sha256sum -c SHA256SUMS       every file is what was written
  git clone --bare memory.bundle memory.git
                                conversations, thoughts (refs/skillmesh/memory) and links
                                (refs/notes/skillmesh)
  files/.skillmesh/             learnings, skills and settings of the working tree
  settings.json                 the repository's own git configuration skillmesh.*
  collections/NAME.jsonl.gz     collections that only Chroma holds: a line that describes the
                                collection, then one for each record; vectors are base64 of
                                little-endian float32
  training/, adapters/          what training at night remembers; adapters, if asked for

`git skillmesh restore THIS_FILE` brings it all back. manifest.json lists everything.
"""


@dataclass(frozen=True, slots=True)
class What:
    """What to leave out or to add."""

    collections: bool = True
    adapters: bool = False


@dataclass(slots=True)
class Gathered:
    """Members and where their bytes come from, and what the manifest says of them."""

    members: list[Member] = field(default_factory=list)
    sources: list[Callable[[], Iterator[bytes]]] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    collections: list[dict[str, Any]] = field(default_factory=list)
    adapters: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(
        self, path: str, source: Callable[[], Iterator[bytes]], *,
        executable: bool = False, blob: str = "", object_format: str = "",
    ) -> None:  # fmt: skip
        """Take a member; `blob` is what HEAD has at its path."""
        size, digest = 0, hashlib.sha256()
        for block in source():
            size += len(block)
            digest.update(block)
        committed = bool(blob) and _blob_of(source, size, object_format) == blob
        member = Member(path, size, digest.hexdigest(), executable, committed)
        self.members.append(member)
        self.sources.append(source)

    def contents(self) -> Iterator[Iterator[bytes]]:
        """Yield the bytes of each member, in order."""
        for source in self.sources:
            yield source()


def gather(
    repository: Repository, config: Config, what: What, stack: ExitStack, folder: Path | None
) -> Gathered:
    """Find everything; files that are needed until it is written are closed with the stack.

    They take room in `folder`, by default in that of the system for such files.

    Raises `Unavailable`, `Busy` where Chroma cannot be read, `Damaged`, `GitFailed`.
    """
    gathered = Gathered()
    gathered.add(names.README, lambda: iter((_README.encode(),)))
    _memory(repository, gathered, stack, folder)
    settings = json.dumps(kept_settings(repository), indent=1).encode() + b"\n"
    gathered.add(names.SETTINGS, lambda: iter((settings,)))
    _working_files(repository, gathered)
    if what.collections:
        _collections(repository, config, gathered, stack, folder)
    else:
        gathered.left_out["collections"] = "as asked for"
    _training(repository, gathered)
    _adapters(repository, config, gathered, whole=what.adapters)
    return gathered


def _memory(
    repository: Repository, gathered: Gathered, stack: ExitStack, folder: Path | None
) -> None:
    there = list_refs(repository, *REFS)
    wanted = [ref for ref in REFS if ref in there]
    gathered.memory = {"sessions": 0, "thoughts": 0, "notes": 0}
    if not wanted:
        return
    file = stack.enter_context(closing(_nameless(folder)))
    gathered.refs = write_bundle(repository, wanted, file)
    gathered.add(names.BUNDLE, lambda: _blocks(file))
    with ObjectDatabase(repository, frugal=True) as db:
        found = memory_difference(db, None, gathered.refs.get(MEMORY))
        found += notes_difference(db, None, gathered.refs.get(NOTES))
    gathered.memory = {"sessions": found.new, "thoughts": found.thoughts, "notes": found.notes}


def _working_files(repository: Repository, gathered: Gathered) -> None:
    if repository.top is None:
        return
    top = repository.top
    found, others = listing(top, names.HOME)
    tree = _committed(repository)
    for one in found:
        blob = tree.get(one.path.removeprefix(f"{names.HOME}/"), "")
        gathered.add(
            f"{names.FILES}/{one.path}", _file(top, one.path), executable=one.executable,
            blob=blob, object_format=repository.object_format,
        )  # fmt: skip
    gathered.left_out |= others


def _committed(repository: Repository) -> dict[str, str]:
    """Return path → blob of our folder at HEAD."""
    try:
        return list_tree(repository, f"HEAD:{names.HOME}")
    except GitFailed:
        return {}  # there is none, or no commit yet


def _collections(
    repository: Repository,
    config: Config,
    gathered: Gathered,
    stack: ExitStack,
    folder: Path | None,
) -> None:
    try:
        _read_collections(repository, config, gathered, stack, folder)
    except (Busy, ConfigurationError, Damaged, Unavailable) as error:
        way = f"{error.mend}; --no-collections leaves out what only Chroma holds"
        raise type(error)(error.what, way.removeprefix("; ")) from None


def _read_collections(
    repository: Repository,
    config: Config,
    gathered: Gathered,
    stack: ExitStack,
    folder: Path | None,
) -> None:
    target = target_of(config, repository)
    if target is None:
        return
    with own_copy.opened(target) as reader:
        if reader is None:
            return
        for shape in own_copy.shapes(reader):
            file = stack.enter_context(closing(_nameless(folder)))
            count = _write_collection(own_copy.records(reader, shape.name), shape, file)
            gathered.add(f"{names.COLLECTIONS}/{shape.name}.jsonl.gz", _later(file))
            gathered.collections.append(
                {"name": shape.name, "documents": count, "model_id": shape.model_id}
            )


def _write_collection(
    records: Iterator[dict[str, Any]], shape: own_copy.Shape, file: BinaryIO
) -> int:
    count = 0
    # Without name and time, the same records are the same bytes.
    with gzip.GzipFile("", "wb", 6, file, mtime=0) as out:
        out.write(_line(described(shape)))
        for record in records:
            out.write(_line(record))
            count += 1
    return count


def described(shape: own_copy.Shape) -> dict[str, Any]:
    """Return the first line of a collection's file."""
    return {
        "collection": shape.name,
        "space": shape.space,
        "dimension": shape.dimension,
        "metadata": dict(shape.metadata),
    }


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True).encode() + b"\n"


def _training(repository: Repository, gathered: Gathered) -> None:
    folder = repository.common_dir / NIGHTLY
    for name in TRAINED:
        if (folder / name).is_file():
            gathered.add(f"{names.TRAINING}/{name}", _file(folder, name))


def _adapters(repository: Repository, config: Config, gathered: Gathered, *, whole: bool) -> None:
    from ..training.adapters.store import Store

    folder = adapters_folder(repository, config)
    if not folder.is_dir():
        gathered.adapters = {"active": "", "names": [], "included": whole}
        return
    found = Store(folder).names()
    gathered.adapters = {"active": active_of(folder), "names": found, "included": whole}
    files, _ = listing(folder)
    for one in files:
        if is_beside(one.path) or (whole and one.path.partition("/")[0] in found):
            path = f"{names.ADAPTERS}/{one.path}"
            gathered.add(path, _file(folder, one.path), executable=one.executable)


def is_beside(path: str) -> bool:
    """Whether a file of the folder of adapters says something of adapters, as a path below it."""
    folder, _, name = path.rpartition("/")
    judged = folder == _JUDGEMENTS and ADAPTER.fullmatch(name.removesuffix(".json")) is not None
    return path in (ACTIVE, HISTORY, _SIGNERS) or (judged and name.endswith(".json"))


def active_of(folder: Path) -> str:
    """Return the name of the active adapter, "" if there is none or nobody can tell."""
    try:
        return str(json.loads((folder / ACTIVE).read_bytes())["manifest"]["adapter"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _nameless(folder: Path | None) -> BinaryIO:
    """Return an open file that nobody else sees and that a killed process does not leave."""
    try:
        return tempfile.TemporaryFile(prefix=".skillmesh-", dir=folder)
    except OSError as error:
        where = folder or tempfile.gettempdir()
        raise ReadOnly(f"cannot write in {where}", error.strerror or str(error)) from None


def _later(file: BinaryIO) -> Callable[[], Iterator[bytes]]:
    return lambda: _blocks(file)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block


def _file(folder: Path, path: str) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        try:
            with os.fdopen(open_file(folder, path), "rb") as file:
                yield from _blocks(file)
        except FileNotFoundError:
            raise Changed(f"{path} changed while it was backed up", "run it again") from None
        except OSError as error:
            raise Damaged(f"cannot read {folder / path}", error.strerror or str(error)) from None

    return read


def _blob_of(source: Callable[[], Iterator[bytes]], size: int, object_format: str) -> str:
    digest = hashlib.new(object_format, b"blob %d\0" % size)
    for block in source():
        digest.update(block)
    return digest.hexdigest()
