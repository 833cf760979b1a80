"""Bundles: refs with everything they reach in one file, and how much room that takes.

In: names of refs. Out: a bundle; a repository to try things in; bytes on disk.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from .process import ALLOWED_PROTOCOLS, Git, clean_environment
from .refs import list_refs, move_ref
from .repository import Repository
from .transport import Manners

MANNERS = Manners(seconds=None)


def write_bundle(repository: Repository, refs: Sequence[str], file: BinaryIO) -> dict[str, str]:
    """Write refs and all they reach into an empty open file; return ref → commit, as bundled.

    Raises `GitFailed`.
    """
    repository.git.run_into(file, "bundle", "create", "--quiet", "-", *refs)
    file.seek(0)
    heads: dict[str, str] = {}
    for line in file:  # gitformat-bundle(5): a signature, lines, an empty line, a pack
        if line == b"\n":
            break
        oid, _, name = line.rstrip(b"\n").partition(b" ")
        if not line.startswith((b"#", b"@", b"-")):
            heads[os.fsdecode(name)] = oid.decode()
    file.seek(0)
    return heads


def empty_repository(
    folder: Path, object_format: str, like: Repository | None = None, refs: Sequence[str] = ()
) -> Repository:
    """Make a bare repository in a new folder that nobody's template or setting has touched.

    It has the refs of `like`, and sees its objects where they are; nothing is written there.
    """
    # What is fetched here comes from files.
    environment = clean_environment(os.environ) | {ALLOWED_PROTOCOLS: "file"}
    folder.mkdir(parents=True)
    Git(folder, environment).run(
        "init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", "."
    )
    environment["GIT_DIR"] = os.fspath(folder)
    if like is not None:
        objects = os.fspath(like.common_dir / "objects")
        environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = _quoted(objects)
    repository = Repository(Git(folder, environment), folder, folder, None, "", object_format)
    for name, oid in list_refs(like, *refs).items() if like is not None and refs else ():
        move_ref(repository, name, oid, None, "skillmesh: copy")
    return repository


def _quoted(path: str) -> str:
    """Return a path as it stands in a list with colons between."""
    if not any(sign in path for sign in ':"\\\n'):
        return path
    text = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def drop_refs(repository: Repository, prefix: str) -> None:
    """Delete all refs below a prefix of ours."""
    lines = [f"delete {name}\0{oid}\0" for name, oid in list_refs(repository, prefix).items()]
    if lines:
        repository.git.run(
            "-c", f"core.hooksPath={os.devnull}", "update-ref", "--no-deref", "-z", "--stdin",
            stdin=os.fsencode("".join(lines)),
        )  # fmt: skip


def disk_usage(repository: Repository, refs: Iterable[str]) -> int:
    """Return how many bytes the objects that refs reach take, as git has stored them."""
    given = list(refs)
    if not given:
        return 0
    out = repository.git.run("rev-list", "--disk-usage", "--objects", "--missing=allow-any", *given)
    return int(out)


def reached_objects(repository: Repository, refs: Iterable[str]) -> frozenset[str]:
    """Return the ids of all objects that refs reach."""
    out = repository.git.run(
        "rev-list", "--objects", "--no-object-names", "--missing=allow-any", *refs
    )
    return frozenset(out.decode().split())


def root_commits(repository: Repository) -> tuple[str, ...]:
    """Return the commits without parents that HEAD reaches; none in a shallow clone."""
    if (repository.common_dir / "shallow").is_file():
        return ()
    done = repository.git.run_unchecked("rev-list", "--max-parents=0", "HEAD")
    return tuple(sorted(done.stdout.decode().split()))
