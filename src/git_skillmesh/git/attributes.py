"""Attributes of paths as of a tree: `linguist-generated`, `linguist-vendored` and friends.

In: a tree and paths. Out: path → attribute → value. git itself evaluates the patterns, over a
throw-away index that holds only the tree's .gitattributes files, so that the answer is right for
any revision and in a bare repository (`check-attr --source` needs git 2.40).
"""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .objects import BlobReader
from .process import GitFailed
from .repository import Repository

_NAME = ".gitattributes"


def attribute_files(files: Mapping[str, str]) -> dict[str, str]:
    """Return the part of a path → blob id mapping that defines attributes."""
    return {p: oid for p, oid in files.items() if p == _NAME or p.endswith("/" + _NAME)}


def is_attribute_file(path: str) -> bool:
    """Whether a change of this path can change the attributes of other paths."""
    return path.rpartition("/")[2] == _NAME


def check_attributes(
    repository: Repository,
    attribute_blobs: Mapping[str, str],
    paths: Iterable[str],
    names: Sequence[str],
) -> dict[str, dict[str, str]]:
    """Return the set attributes of each path ("set", "unset" or a value; unspecified left out).

    .gitattributes files that a partial clone does not have say nothing.
    """
    wanted = list(paths)
    if not wanted:
        return {}
    try:
        out = _check(repository, attribute_blobs, wanted, names)
    except GitFailed:
        if not repository.is_partial():
            raise
        with BlobReader(repository) as reader:
            contents = reader.read_many(attribute_blobs.values())
            present = [path for path, data in zip(attribute_blobs, contents, strict=True) if data]
        out = _check(repository, {path: attribute_blobs[path] for path in present}, wanted, names)
    found: dict[str, dict[str, str]] = {}
    fields = out.split(b"\0")[:-1]
    for path, name, value in zip(fields[0::3], fields[1::3], fields[2::3], strict=True):
        if value != b"unspecified":
            found.setdefault(os.fsdecode(path), {})[name.decode()] = os.fsdecode(value)
    return found


def _check(
    repository: Repository,
    attribute_blobs: Mapping[str, str],
    paths: Iterable[str],
    names: Sequence[str],
) -> bytes:
    with tempfile.TemporaryDirectory(prefix="skillmesh-") as folder:
        index = {"GIT_INDEX_FILE": os.fspath(Path(folder, "index"))}
        entries = b"".join(
            b"100644 %s\t%s\0" % (oid.encode(), os.fsencode(path))
            for path, oid in attribute_blobs.items()
        )
        run = repository.git.run
        run("update-index", "-z", "--add", "--index-info", stdin=entries, extra_env=index)
        stdin = b"\0".join(os.fsencode(path) for path in paths) + b"\0"
        return run("check-attr", "--cached", "-z", "--stdin", *names, stdin=stdin, extra_env=index)
