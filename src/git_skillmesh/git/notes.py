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
from .treeobjects import FILE, FOLDER, Entries, Entry

REF = "refs/notes/skillmesh"
_FOLDER_NAME = re.compile(r"[0-9a-f]{2}")


def read_notes(
    repository: Repository, commits: Iterable[str], ref: str = REF
) -> dict[str, list[str]]:
    """Return commit → lines of its note, for those that have one. Raises `Damaged`."""
    with ObjectDatabase(repository) as db:
        tip = db.tip(ref)
        tree = tip.commit.tree if tip else None
        found = {}
        for commit in commits:
            entry = _find(db, tree, commit)
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
            new = tree
            for commit, added in lines.items():
                wanted = set(added)
                entry = _find(db, new, commit)
                there = _lines(db.reader.read(entry.oid)) if entry else []
                if not wanted <= set(there):
                    note = Entry(FILE, db.blob(_text({*there, *wanted})))
                    new = _put(db, new, commit, note)
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
    tree: str | None = left.commit.tree
    for name, their in _walk(db, right.commit.tree):
        our = notes.get(name)
        if our == their:
            continue
        if our is not None:
            both = {line for entry in (our, their) for line in _lines(db.reader.read(entry.oid))}
            their = Entry(FILE, db.blob(_text(both)))
        tree = _put(db, tree, name, their)
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


def _find(db: ObjectDatabase, tree: str | None, name: str) -> Entry | None:
    """Return the note of a commit, in whichever depth of folders it is."""
    entries = db.trees.entries(tree)
    folder = entries.get(name[:2])
    if folder is not None and folder.is_folder:
        found = _find(db, folder.oid, name[2:])
        if found is not None:
            return found
    entry = entries.get(name)
    return entry if entry is not None and not entry.is_folder else None


def _put(
    db: ObjectDatabase, tree: str | None, name: str, note: Entry, depth: int = 0
) -> str | None:
    """Return the tree with a note where git put it, else one folder deep."""
    entries: Entries = db.trees.entries(tree)
    folder = entries.get(name[:2])
    if name in entries and not (folder and folder.is_folder and _find(db, folder.oid, name[2:])):
        entries[name] = note
    elif (folder is not None and folder.is_folder) or depth == 0:
        inner = folder.oid if folder is not None and folder.is_folder else None
        entries[name[:2]] = Entry(FOLDER, _put(db, inner, name[2:], note, depth + 1) or "")
    else:
        entries[name] = note
    return db.trees.store(entries)


def _walk(db: ObjectDatabase, tree: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Yield the name of what a note is about, and the note."""
    for name, entry in db.trees.entries(tree).items():
        if not entry.is_folder:
            yield prefix + name, entry
        elif _FOLDER_NAME.fullmatch(name):
            yield from _walk(db, entry.oid, prefix + name)
