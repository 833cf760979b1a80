"""Trees as objects: change paths of one, unite two, without an index or a working tree.

In: tree ids. Out: tree ids. Only the trees on the way to a change are read and written, so a change
costs the same however much else the tree holds.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ..errors import Damaged
from .objects import BlobReader
from .repository import Repository
from .writing import ObjectWriter

FILE, FOLDER = "100644", "40000"


class Entry(NamedTuple):
    """What a name in a tree stands for."""

    mode: str
    oid: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a tree."""
        return self.mode == FOLDER


Entries = dict[str, Entry]
# Path, ours, theirs → what to keep of a path that both have with different contents.
Resolve = Callable[[str, Entry, Entry], Entry]


class Trees:
    """Reads and writes tree objects through a reader and a writer of one repository."""

    def __init__(self, repository: Repository, reader: BlobReader, writer: ObjectWriter) -> None:
        self._width = len(repository.empty_tree) // 2
        self._reader = reader
        self._writer = writer
        self._fresh: dict[str, bytes] = {}

    def entries(self, tree: str | None) -> Entries:
        """Return name → entry of a tree, nothing for None. Raises `Damaged`."""
        if tree is None:
            return {}
        data = self._fresh.get(tree)
        return self.parse(tree, self._reader.read(tree) if data is None else data)

    def parse(self, tree: str, data: bytes | None) -> Entries:
        """Return the entries in the bytes of a tree. Raises `Damaged` if there are none."""
        if data is None:
            raise Damaged(f"git does not have the tree {tree[:12]}", "git fetch, or: git fsck")
        found, place = {}, 0
        while place < len(data):
            end = data.index(b"\0", place)
            mode, _, name = data[place:end].partition(b" ")
            place = end + 1 + self._width
            found[name.decode("utf-8", "surrogateescape")] = Entry(
                mode.decode(), data[end + 1 : place].hex()
            )
        return found

    def many(self, trees: list[str]) -> Iterator[Entries]:
        """Yield the entries of each tree, all asked for at once. Raises `Damaged`."""
        for tree, data in zip(trees, self._reader.read_many(trees), strict=True):
            yield self.parse(tree, data)

    def store(self, entries: Mapping[str, Entry]) -> str | None:
        """Put a tree and return its id, None for an empty one: git keeps no empty folders."""
        if not entries:
            return None
        lines = sorted(
            (name.encode("utf-8", "surrogateescape") + b"/" * entry.is_folder, name, entry)
            for name, entry in entries.items()
        )
        data = b"".join(
            f"{entry.mode} {name}\0".encode("utf-8", "surrogateescape") + bytes.fromhex(entry.oid)
            for _, name, entry in lines
        )
        oid = self._writer.put("tree", data)
        self._fresh[oid] = data
        return oid

    def at(self, tree: str | None, path: str) -> Entry | None:
        """Return what a tree has at a path, None if nothing. Raises `Damaged`."""
        entry = None
        for name in path.split("/"):
            entry = self.entries(tree).get(name)
            if entry is None:
                return None
            tree = entry.oid if entry.is_folder else None
        return entry

    def folder(self, tree: str | None, path: str) -> Entries:
        """Return the entries of the folder at a path, nothing if there is none."""
        entry = self.at(tree, path)
        return self.entries(entry.oid) if entry and entry.is_folder else {}

    def change(self, tree: str | None, changes: Mapping[str, str | None]) -> str | None:
        """Return the tree with blobs put at paths, or with paths taken away (None)."""
        here: Entries = self.entries(tree)
        deeper: dict[str, dict[str, str | None]] = {}
        for path, oid in changes.items():
            name, _, rest = path.partition("/")
            if rest:
                deeper.setdefault(name, {})[rest] = oid
            elif oid is None:
                here.pop(name, None)
            else:
                here[name] = Entry(FILE, oid)
        for name, inner in deeper.items():
            old = here.get(name)
            new = self.change(old.oid if old and old.is_folder else None, inner)
            if new is not None:
                here[name] = Entry(FOLDER, new)
            elif old is not None and old.is_folder:
                del here[name]
        return self.store(here)

    def unite(
        self, ours: str | None, theirs: str | None, resolve: Resolve, at: str = ""
    ) -> str | None:
        """Return the tree with the paths of both; what is the same in both is not even read."""
        if ours == theirs or theirs is None:
            return ours
        if ours is None:
            return theirs
        both = self.entries(ours)
        for name, their in self.entries(theirs).items():
            our = both.get(name)
            if our is None or our == their:
                both[name] = their
            elif our.is_folder and their.is_folder:
                tree = self.unite(our.oid, their.oid, resolve, f"{at}{name}/")
                both[name] = Entry(FOLDER, tree or our.oid)
            elif our.is_folder or their.is_folder:
                both[name] = our if our.is_folder else their
            else:
                both[name] = resolve(f"{at}{name}", our, their)
        return self.store(both)
