"""The learnings of a working tree or of a commit, and how one is put into the working tree.

In: a repository. Out: id → `ReadFile`, sorted by id. Of a commit the blobs are read, never what
lies on disk: what a pull request changes has no say over it.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from ..errors import ReadOnly, UsageError
from ..files import rewrite_file
from ..git.objects import BlobReader
from ..git.repository import Repository
from ..yamlnodes import LONGEST
from .model import FOLDER, Learning, id_of
from .reading import Problem, ReadFile, read_learning
from .writing import write_learning

SUFFIXES = (".yaml", ".yml")


def learnings_on_disk(repository: Repository) -> dict[str, ReadFile]:
    """Return the learnings of the working tree; none in a bare repository."""
    found = {}
    if repository.top is not None:
        folder = repository.top / FOLDER
        with suppress(FileNotFoundError, NotADirectoryError):
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
                if entry.name.endswith(SUFFIXES):
                    found[id_of(entry.name)] = read_file(repository, f"{FOLDER}/{entry.name}")
    return found


def read_file(repository: Repository, path: str) -> ReadFile:
    """Read a file of the working tree, which must be a regular one. A missing one is a problem."""
    place = (repository.top or repository.git_dir) / path
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return ReadFile(path, None, (Problem(path, 1, "not a regular file"),))
            return read_learning(path, file.read(LONGEST + 1))
    except OSError as error:
        return ReadFile(path, None, (Problem(path, 1, error.strerror or "cannot be read"),))


def learnings_at(repository: Repository, tree: str) -> dict[str, ReadFile]:
    """Return the learnings of a commit or tree."""
    blobs = blobs_at(repository, tree)
    found = {}
    with BlobReader(repository) as reader:
        for (path, _), data in zip(blobs.items(), reader.read_many(blobs.values()), strict=True):
            missing = ReadFile(path, None, (Problem(path, 1, "git does not have its content"),))
            name = id_of(path.rsplit("/", 1)[1])
            found[name] = missing if data is None else read_learning(path, data)
    return found


def blobs_at(repository: Repository, tree: str) -> dict[str, str]:
    """Return path → blob of the files of learnings of a commit or tree, in order of their names."""
    return folder_at(repository, tree)[1]


def folder_at(repository: Repository, tree: str) -> tuple[str, dict[str, str]]:
    """Return the object id of the folder of a commit or tree ("" where it has none), its files.

    The files are those of `blobs_at`. Git is asked once for both.
    """
    command = ("ls-tree", "-r", "-t", "-z", "--full-tree", tree, FOLDER)
    folder, found = "", {}
    for record in repository.git.run(*command).split(b"\0")[:-1]:
        header, _, path = record.partition(b"\t")
        mode, kind, oid = header.split(b" ")
        name = os.fsdecode(path)
        if name == FOLDER:
            folder = oid.decode() if kind == b"tree" else ""
        elif name.rpartition("/")[0] != FOLDER or not name.endswith(SUFFIXES):
            continue
        elif kind == b"blob" and mode != b"120000":
            found[name] = oid.decode()
    return folder, found


def put(repository: Repository, learning: Learning, *, replace: bool = False) -> Path:
    """Write the file of a learning into the working tree and return where.

    Raises `UsageError` where there is one already or no working tree, `ReadOnly`.
    """
    if repository.top is None:
        raise UsageError("a bare repository has no working tree", "promote in a clone")
    place = repository.top / learning.path
    if not replace and place.exists():
        raise UsageError(f"{learning.path} exists", "choose another id, or: learnings edit")
    write_text(place, write_learning(learning))
    return place


def write_text(place: Path, text: str) -> None:
    """Write a file in one step: either all of it is there or nothing. Raises `ReadOnly`."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        rewrite_file(place, text.encode())
    except OSError as error:
        raise ReadOnly(f"cannot write {place}", error.strerror or "") from None
