"""Commits of the program's own refs, as objects.

In: bytes of a commit, or what to commit. Out: `Commit`, bytes. The identity is the program's: these
commits are made in the background, where a person's identity may be unset, and where nobody should
seem to have written what a program wrote. It being the same everywhere, two clones that make the
same merge make the same commit.
"""

from dataclasses import dataclass, replace

from ..errors import Damaged

IDENTITY = "git skillmesh <git-skillmesh@localhost>"


@dataclass(frozen=True, slots=True)
class Commit:
    """`author` and `committer` are as in the object: name, address, seconds of the epoch, zone."""

    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    message: bytes

    @property
    def time(self) -> int:
        """When it was committed, in seconds of the epoch."""
        return int(self.committer.split(" ")[-2])

    @property
    def author_time(self) -> int:
        """When it was first made, in seconds of the epoch."""
        return int(self.author.split(" ")[-2])

    def to_bytes(self) -> bytes:
        """Return the object."""
        lines = [f"tree {self.tree}", *(f"parent {parent}" for parent in self.parents)]
        lines += [f"author {self.author}", f"committer {self.committer}", "", ""]
        return "\n".join(lines).encode("utf-8", "surrogateescape") + self.message

    def with_history(self, tree: str, parents: tuple[str, ...]) -> "Commit":
        """Return the same commit of another tree on other parents."""
        return replace(self, tree=tree, parents=parents)


def new_commit(tree: str, parents: tuple[str, ...], message: str, time: int) -> Commit:
    """Return a commit of the program."""
    who = f"{IDENTITY} {time} +0000"
    return Commit(tree, parents, who, who, message.encode() + b"\n")


def parse_commit(oid: str, data: bytes) -> Commit:
    """Return the commit in an object; signatures and other headers are left out.

    Raises `Damaged`.
    """
    head, _, message = data.partition(b"\n\n")
    found: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "surrogateescape").split("\n"):
        name, _, value = line.partition(" ")
        found.setdefault(name, []).append(value)
    try:
        return Commit(
            found["tree"][0],
            tuple(found.get("parent", ())),
            found["author"][0],
            found["committer"][0],
            message,
        )
    except KeyError as error:
        raise Damaged(f"{oid[:12]} is no commit: it has no {error}", "run: git fsck") from None
