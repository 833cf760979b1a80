"""Everything that reads and writes objects of one repository, held together for one piece of work.

In: a repository. Out: objects by name, trees, commits on refs. One `git cat-file` for all reading,
one process for storing, one for moving the ref.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

from ..errors import Damaged
from .commits import Commit, new_commit, parse_commit
from .objects import BlobReader
from .refs import is_nowhere, move_ref
from .repository import Repository
from .treeobjects import Trees
from .writing import ObjectWriter


class Tip(NamedTuple):
    """A commit and its id."""

    oid: str
    commit: Commit


class ObjectDatabase:
    """The objects of a repository, for as long as it is open. Not for use by several threads.

    `frugal` bounds what git keeps in memory, see `BlobReader`.
    """

    def __init__(self, repository: Repository, *, frugal: bool = False) -> None:
        self.repository = repository
        self.reader = BlobReader(repository, frugal=frugal)
        self.writer = ObjectWriter(repository)
        self.trees = Trees(repository, self.reader, self.writer)

    def __enter__(self) -> "ObjectDatabase":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.reader.close()

    def tip(self, name: str) -> Tip | None:
        """Return the commit that a ref or an id leads to at this moment, None if to nothing."""
        if is_nowhere(self.repository, name):
            return None
        found = self.reader.look_up(name)
        if found is None:
            return None
        if found.kind != "commit":
            raise Damaged(f"{name} is a {found.kind} and no commit", f"git update-ref -d {name}")
        return Tip(found.oid, parse_commit(found.oid, found.data))

    def blob(self, data: bytes) -> str:
        """Put a blob and return its id. Raises `ReadOnly`."""
        return self.writer.put("blob", data)

    def commit(self, tree: str | None, parents: Sequence[str], message: str, time: int) -> str:
        """Put a commit of the program and return its id (None: of the empty tree)."""
        if tree is None:
            tree = self.writer.put("tree", b"")
        return self.put_commit(new_commit(tree, tuple(parents), message, time))

    def put_commit(self, commit: Commit) -> str:
        """Put a commit and return its id."""
        return self.writer.put("commit", commit.to_bytes())

    def move(self, ref: str, new: str, old: str | None, reason: str) -> None:
        """Store what was put, then move a ref. Raises `RefMoved`, `ReadOnly`."""
        self.writer.flush()
        move_ref(self.repository, ref, new, old, reason)
