"""Rewrite the history of a ref of the program as if some paths had never been there.

In: a commit and paths. Out: the commit that takes its place. Messages, authors and times stay,
and nothing else counts, so two clones that rewrite the same history get the same commits.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import Damaged
from .commits import parse_commit
from .database import ObjectDatabase
from .treeobjects import FOLDER, Entry

_Paths = dict[str, "_Paths | None"]


class Rewritten(NamedTuple):
    """`tip` is the new commit; `commits` were rewritten, the earliest of them are `first`."""

    tip: str
    commits: int
    first: tuple[str, ...]


def without_paths(db: ObjectDatabase, tip: str, paths: Sequence[str]) -> Rewritten:
    """Return the history of `tip` without the paths; what did not have them stays as it is.

    The new objects are put, not flushed. Raises `Damaged`, `ReadOnly`.
    """
    nested: _Paths = {}
    for path in paths:
        place = nested
        *folders, name = path.split("/")
        for folder in folders:
            below = place.setdefault(folder, {})
            place = below if below is not None else {}
        place[name] = None
    out = db.repository.git.run("rev-list", "--topo-order", "--reverse", "--parents", tip)
    # A shallow clone has no parents beyond its boundary, whatever the objects say.
    lines = [line.split() for line in out.decode().splitlines()]
    strip = _Strip(db)
    new: dict[str, str] = {}
    first = []
    for line, data in zip(lines, db.reader.read_many(line[0] for line in lines), strict=True):
        oid, *parents = line
        if data is None:
            raise Damaged(f"git does not have commit {oid[:12]}", "git fetch, or: git fsck")
        commit = parse_commit(oid, data)
        tree = strip(commit.tree, nested) or db.writer.put("tree", b"")
        onto = tuple(new[parent] for parent in parents)
        if tree == commit.tree and list(onto) == parents:
            new[oid] = oid
        else:
            new[oid] = db.put_commit(commit.with_history(tree, onto))
            if list(onto) == parents:
                first.append(oid)
    return Rewritten(new[lines[-1][0]], sum(old != now for old, now in new.items()), tuple(first))


class _Strip:
    """Takes paths out of trees; a tree that was seen before is not read again."""

    def __init__(self, db: ObjectDatabase) -> None:
        self._trees = db.trees
        self._seen: dict[tuple[str, int], str | None] = {}

    def __call__(self, tree: str, paths: _Paths) -> str | None:
        place = tree, id(paths)
        if place not in self._seen:
            self._seen[place] = self._strip(tree, paths)
        return self._seen[place]

    def _strip(self, tree: str, paths: _Paths) -> str | None:
        here = self._trees.entries(tree)
        left = dict(here)
        for name, below in paths.items():
            entry = left.get(name)
            if entry is None:
                continue
            inner = self(entry.oid, below) if below is not None and entry.is_folder else None
            if below is not None and not entry.is_folder:
                continue
            if inner is None:
                del left[name]
            else:
                left[name] = Entry(FOLDER, inner)
        return tree if left == here else self._trees.store(left)
