"""Look through what a remote has before anything of it is united with what is here.

In: a commit that was fetched, the one that is here. Out: nothing, or `Damaged` with the first thing
that is wrong. Anybody who may push can write to the refs of a remote, so what comes from there is
as trustworthy as they are: it may only be files and folders with plain names, in the places where
they belong, of a size that readers can hold. Only what differs from what is here is looked at.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..errors import Damaged
from ..git.commits import parse_commit
from ..git.database import ObjectDatabase
from ..git.objects import describe, missing_blobs
from ..git.treeobjects import FILE, FOLDER, Entries, Entry
from . import layout

MEGABYTE = 1 << 20
# The largest file that GitHub takes.
LARGEST_FILE = 100 * MEGABYTE
LARGEST_HEAD, LARGEST_EVENTS, LARGEST_NOTE = MEGABYTE, 16 * MEGABYTE, 16 * MEGABYTE
LARGEST_THOUGHT = MEGABYTE
# A tree can repeat a folder in itself until it has more paths than anybody can count.
MOST_ENTRIES = 2_000_000
_DEEPEST = 12
_NOTHING_TAKEN = "nothing of it was taken over"
_FETCH = "git skillmesh sync fetches it"

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DIGIT = re.compile(r"[0-9a-f]")
_KEY = re.compile(r"[0-9a-f]{32}")
_TOMBSTONE = re.compile(r"[0-9a-f]{32}\.json")
_PAIR = re.compile(r"[0-9a-f]{2}")
_HEX = re.compile(r"[0-9a-f]+")

# Path, whether it is a folder → how many bytes may be there, None if nothing may.
Rule = Callable[[str, bool], int | None]


class NotWhole(Damaged):
    """What was fetched lacks objects, as it may in a partial clone."""


def check_memory(db: ObjectDatabase, theirs: str, ours: str | None, where: str) -> None:
    """Check the memory in a commit; `where` says whose it is. Raises `Damaged`, `NotWhole`."""
    _check(db, theirs, ours, where, _memory_rule)


def check_notes(db: ObjectDatabase, theirs: str, ours: str | None, where: str) -> None:
    """Check notes in a commit. Raises as `check_memory`."""
    _check(db, theirs, ours, where, _notes_rule)


@dataclass(slots=True)
class _Walk:
    """What has been seen: `files` are blob → (path, most bytes it may have)."""

    where: str
    rule: Rule
    entries: int = 0
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)


def _check(db: ObjectDatabase, theirs: str, ours: str | None, where: str, rule: Rule) -> None:
    if theirs == ours:
        return
    if db.repository.is_partial() and missing_blobs(db.repository, theirs):
        raise NotWhole(f"{where} has not been fetched whole", _FETCH)
    walk = _Walk(where, rule)
    try:
        found = db.reader.look_up(theirs)
        if found is None:
            raise NotWhole(f"{where} has not been fetched whole", _FETCH)
        if found.kind != "commit":
            raise Damaged(f"{where} is not usable, it is a {found.kind}", _NOTHING_TAKEN)
        their, our = parse_commit(found.oid, found.data), db.tip(ours) if ours else None
        if their.time < 0:
            raise ValueError("a time before all times")
        walk.folders[their.tree] = ""
        level = [("", their.tree, our.commit.tree if our else None)]
        while level:
            level = list(_below(db, walk, level))
    except (ValueError, IndexError) as error:
        raise Damaged(f"{where} is not usable: {error}", _NOTHING_TAKEN) from None
    _check_objects(db, walk)


def _below(
    db: ObjectDatabase, walk: _Walk, level: list[tuple[str, str, str | None]]
) -> Iterator[tuple[str, str, str | None]]:
    """Check the entries of folders, and yield the folders in them that are not known."""
    listed = db.trees.many([tree for _, tree, _ in level])
    for (path, _, known), entries in zip(level, listed, strict=True):
        ours: Entries = db.trees.entries(known)
        for name, entry in entries.items():
            our = ours.get(name)
            if our == entry:
                continue
            inner = f"{path}{name}"
            walk.entries += 1
            if walk.entries > MOST_ENTRIES:
                raise _wrong(walk.where, inner, f"is one of more than {MOST_ENTRIES:,} paths")
            _check_entry(walk, inner, entry, our)
            if entry.is_folder:
                yield f"{inner}/", entry.oid, our.oid if our and our.is_folder else None


def _check_entry(walk: _Walk, path: str, entry: Entry, our: Entry | None) -> None:
    if entry.mode not in (FILE, FOLDER):
        kinds = {"120000": "a symbolic link", "160000": "a submodule", "100755": "a program"}
        kind = kinds.get(entry.mode, f"of mode {entry.mode}")
        raise _wrong(walk.where, path, f"is {kind}")
    largest = walk.rule(path, entry.is_folder)
    if largest is None:
        raise _wrong(walk.where, path, "does not belong there")
    if entry.is_folder:
        walk.folders[entry.oid] = path
        return
    before = walk.files.get(entry.oid)
    walk.files[entry.oid] = (path, min(largest, before[1]) if before else largest)
    if our is not None and not our.is_folder and _is_named_by_content(path):
        raise _wrong(walk.where, path, "is not what was stored under that name")


def _check_objects(db: ObjectDatabase, walk: _Walk) -> None:
    """Check that files are files and folders are folders, and how large the files are."""
    names = [*walk.files, *walk.folders]
    for oid, (kind, size) in describe(db.repository, names).items():
        wanted = "blob" if oid in walk.files else "tree"
        path, largest = walk.files.get(oid) or (walk.folders[oid], LARGEST_FILE)
        if kind == "missing":
            raise NotWhole(f"{walk.where} has not been fetched whole, {path} is missing", _FETCH)
        if kind != wanted:
            raise _wrong(walk.where, path, f"is a {kind}")
        if size > largest:
            raise _wrong(walk.where, path, f"has {size:,} bytes, more than {largest:,}")


def _is_named_by_content(path: str) -> bool:
    parts = path.split("/")
    if parts[0] == layout.THOUGHTS:
        return len(parts) == 5 and layout.thought_place(parts[4]) is not None
    return len(parts) == 6 and parts[4] in (layout.EXCHANGES, layout.EVENTS)


def _memory_rule(path: str, folder: bool) -> int | None:
    """Return how many bytes a file may have at a path of the memory, None if none may be there.

    What is not known may have been added by a later version: it is kept, and not read.
    """
    parts = path.split("/")
    if len(parts) > _DEEPEST or not _PLAIN.fullmatch(parts[-1]):
        return None
    top, depth = parts[0], len(parts)
    if top not in (layout.SESSIONS, layout.THOUGHTS, layout.FORGOTTEN):
        return LARGEST_FILE
    last = _TOMBSTONE if top == layout.FORGOTTEN else _KEY
    names = (_DIGIT, _DIGIT, last)
    if depth <= 4:
        fits = all(rule.fullmatch(name) for rule, name in zip(names, parts[1:], strict=False))
        digits = depth < 4 or parts[3].startswith(parts[1] + parts[2])
        wants_folder = depth < 4 or top != layout.FORGOTTEN
        return MEGABYTE if fits and digits and folder == wants_folder else None
    if top == layout.FORGOTTEN:
        return None
    if top == layout.THOUGHTS:
        is_thought = layout.thought_place(parts[4]) is not None
        if is_thought and (folder or depth > 5):
            return None
        return LARGEST_THOUGHT if is_thought else LARGEST_FILE
    if parts[4] == layout.HEAD:
        return LARGEST_HEAD if depth == 5 and not folder else None
    if parts[4] in (layout.EXCHANGES, layout.EVENTS):
        if depth > 6 or folder != (depth == 5):
            return None
        return LARGEST_EVENTS if parts[4] == layout.EVENTS else LARGEST_FILE
    return LARGEST_FILE


def _notes_rule(path: str, folder: bool) -> int | None:
    """Return how many bytes a note may have at a path, None if there can be none."""
    *above, name = path.split("/")
    length = 2 * len(above) + len(name)
    if not all(map(_PAIR.fullmatch, above)) or not _HEX.fullmatch(name) or length > 64:
        return None
    if folder:
        return LARGEST_NOTE if len(name) == 2 else None
    return LARGEST_NOTE if length in (40, 64) else None


def _wrong(where: str, path: str, what: str) -> Damaged:
    return Damaged(f"{where} is not usable, {path} {what}", _NOTHING_TAKEN)
