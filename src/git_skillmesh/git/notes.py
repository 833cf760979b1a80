"""Notes of commits that hold one fact a line, so that they are united by keeping every line.

In: commits and lines. Out: lines, or a commit of the notes ref. git reads and writes the same notes
(`git notes --ref=skillmesh show`); it may keep them in folders of any depth, so all are understood.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping

from .database import ObjectDatabase
from .refs import until_moved
from .repository import Repository
from .treeobjects import Entries, Entry
from .trees import list_tree

REF = "refs/notes/skillmesh"
_FOLDER_NAME = re.compile(r"[0-9a-f]{2}")
_OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?$")


def read_notes(
    repository: Repository, commits: Iterable[str], ref: str = REF
) -> dict[str, list[str]]:
    """Return commit → lines of its note, for those that have one. Raises `Damaged`."""
    with ObjectDatabase(repository) as db:
        tip = db.tip(ref)
        notes = _Notes(db, tip.commit.tree if tip else None)
        found = {}
        for commit in commits:
            _, entry = notes.find(commit)
            if entry is not None:
                found[commit] = _lines(db.reader.read(entry.oid))
        return found


def all_notes(repository: Repository, ref: str = REF) -> dict[str, list[str]]:
    """Return commit → lines of all notes. Raises `Damaged`."""
    with ObjectDatabase(repository) as db:
        tip = db.tip(ref)
        if tip is None:
            return {}
        notes = dict(_walk(db, tip.commit.tree))
        contents = db.reader.read_many(entry.oid for entry in notes.values())
        return {name: _lines(data) for name, data in zip(notes, contents, strict=True)}


def add_lines(repository: Repository, lines: Mapping[str, Iterable[str]], ref: str = REF) -> bool:
    """Add lines to the notes of commits, and return whether any was new.

    A note that changes has its lines sorted, each once. Raises `ReadOnly`, `Busy`, `Damaged`.
    """
    with ObjectDatabase(repository) as db:

        def attempt() -> bool:
            tip = db.tip(ref)
            tree = tip.commit.tree if tip else None
            notes = _Notes(db, tree)
            changes: dict[str, str | None] = {}
            for commit, added in lines.items():
                wanted = set(added)
                path, entry = notes.find(commit)
                there = set(_lines(db.reader.read(entry.oid))) if entry else set[str]()
                if not wanted <= there:
                    changes[path] = db.blob(_text(there | wanted))
            new = db.trees.change(tree, changes)
            if new == tree:
                return False
            now = max(int(time.time()), tip.commit.time if tip else 0)
            made = db.commit(new, (tip.oid,) if tip else (), "add notes", now)
            db.move(ref, made, tip.oid if tip else None, "skillmesh: add notes")
            return True

        return until_moved(attempt, ref)


def merge_lines(db: ObjectDatabase, one: str, other: str) -> str:
    """Return the commit that unites two commits of notes: of every note all lines of both.

    Raises `Damaged`, `ReadOnly`.
    """
    left, right = db.tip(one), db.tip(other)
    if left is None or right is None:
        raise LookupError(f"{one}, {other}")
    notes = dict(_walk(db, left.commit.tree))
    places = _Notes(db, left.commit.tree)
    changes: dict[str, str | None] = {}
    for name, their in _walk(db, right.commit.tree):
        our = notes.get(name)
        both = {entry.oid for entry in (our, their) if entry}
        if our != their:
            lines = {line for oid in both for line in _lines(db.reader.read(oid))}
            text = db.blob(_text(lines)) if our else their.oid
            changes[places.find(name)[0]] = text
    tree = db.trees.change(left.commit.tree, changes)
    when = max(left.commit.time, right.commit.time)
    commit = db.commit(tree, (left.oid, right.oid), "merge notes", when)
    db.writer.flush()
    return commit


def _lines(data: bytes | None) -> list[str]:
    text = (data or b"").decode("utf-8", "surrogateescape")
    return [line for line in text.split("\n") if line]


def _text(lines: Iterable[str]) -> bytes:
    return b"".join(
        line + b"\n" for line in sorted(line.encode("utf-8", "surrogateescape") for line in lines)
    )


class _Notes:
    """Where the notes of a tree are; every folder is read once."""

    def __init__(self, db: ObjectDatabase, tree: str | None) -> None:
        self._db = db
        self._top = db.trees.entries(tree)
        self._folders: dict[str, Entries] = {}

    def find(self, name: str) -> tuple[str, Entry | None]:
        """Return the path of a note and what is there; for a new one, a path one folder deep."""
        path, rest, here = "", name, self._top
        flat: tuple[str, Entry] | None = None
        while True:
            entry = here.get(rest)
            if entry is not None and not entry.is_folder:
                flat = path + rest, entry
            folder = here.get(rest[:2])
            if folder is None or not folder.is_folder:
                break
            if folder.oid not in self._folders:
                self._folders[folder.oid] = self._db.trees.entries(folder.oid)
            path, rest, here = f"{path}{rest[:2]}/", rest[2:], self._folders[folder.oid]
        return flat or (path + rest if path else f"{rest[:2]}/{rest[2:]}", None)


def _walk(db: ObjectDatabase, tree: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Yield the name of what a note is about, and the note."""
    for name, entry in db.trees.entries(tree).items():
        if not entry.is_folder:
            yield prefix + name, entry
        elif _FOLDER_NAME.fullmatch(name):
            yield from _walk(db, entry.oid, prefix + name)


def notes_of(repository: Repository, ref: str) -> dict[str, str]:
    """Return annotated object → blob of its note, whatever the fan-out of the notes tree."""
    paths = list_tree(repository, ref)
    joined = ((path.replace("/", ""), oid) for path, oid in paths.items())
    return {annotated: oid for annotated, oid in joined if _OBJECT.match(annotated)}
