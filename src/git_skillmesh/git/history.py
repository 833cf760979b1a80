"""History: which commit brought a version of a file to its path.

In: a range of commits. Out: `Introduction`s, newest first.
"""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from .repository import Repository


class Introduction(NamedTuple):
    """`commit` brought `blob` to `path`; `time` is the committer's, in seconds of the epoch."""

    path: str
    blob: str
    commit: str
    time: int


def introductions(
    repository: Repository,
    new: str,
    known: Sequence[str] = (),
    limit: int = 20_000,
    parents: set[str] | None = None,
) -> Generator[Introduction]:
    """Yield every file version that commits of `known..new` introduced.

    At most `limit` commits are read, newest first. A merge introduces what none of its parents
    had (an evil merge or a conflict resolved by hand). Close the iterator to stop git early.
    The parents of the commits that were read are added to `parents`.
    """
    arguments = ["log", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-textconv", "-c"]
    arguments += ["--no-show-signature", "--no-notes", "--no-mailmap", "--no-color"]
    # Whatever the user set for reading logs: root commits count, the order is git's.
    arguments += ["--root", "-O/dev/null"]
    arguments += [f"--max-count={limit}", "--format=%x00commit %H %ct %P", new]
    arguments += [f"^{commit}" for commit in known]
    with closing(repository.git.fields(*arguments, "--")) as fields:
        yield from _parse(fields, set() if parents is None else parents)


def _parse(fields: Iterator[bytes], met: set[str]) -> Iterator[Introduction]:
    commit, time = "", 0
    for raw in fields:
        field = raw.lstrip(b"\n")
        if field.startswith(b"commit "):
            commit, seconds, *above = field[7:].decode().split()
            time = int(seconds)
            met.update(above)
        elif field.startswith(b":"):
            # ":mode mode oid oid X", combined: "::mode mode mode oid oid oid XX"
            parents = len(field) - len(field.lstrip(b":"))
            oid = field.lstrip(b":").split(b" ")[2 * parents + 1]
            path = next(fields, b"")
            if oid.strip(b"0"):
                yield Introduction(os.fsdecode(path), oid.decode(), commit, time)
