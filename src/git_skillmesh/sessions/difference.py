"""What one memory has that another has not: counted, for people.

In: two commits of the memory, or two of notes. Out: numbers. Costs as much as the difference:
folders that are the same in both are not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..git.database import ObjectDatabase
from ..git.treeobjects import Entry
from . import layout


@dataclass(frozen=True, slots=True)
class Difference:
    """Sessions that are new, that grew, that are gone; commits whose notes are new or changed.

    `thoughts` are new ones, in whatever session of thoughts; such a session is gone like another.
    """

    new: int = 0
    grown: int = 0
    forgotten: int = 0
    notes: int = 0
    thoughts: int = 0

    def __add__(self, other: "Difference") -> "Difference":
        return Difference(
            self.new + other.new,
            self.grown + other.grown,
            self.forgotten + other.forgotten,
            self.notes + other.notes,
            self.thoughts + other.thoughts,
        )

    def __bool__(self) -> bool:
        return self != Difference()

    def __str__(self) -> str:
        """Return the numbers as people say them."""
        sessions = " and ".join(
            text
            for text in (
                _count(self.new, "new session"),
                f"{_count(self.grown, 'session')} that grew" if self.grown else "",
                f"{_count(self.forgotten, 'session')} forgotten" if self.forgotten else "",
            )
            if text
        )
        told = sessions, _count(self.thoughts, "thought"), _notes(self.notes)
        return ", ".join(text for text in told if text) or "nothing"


def memory_difference(db: ObjectDatabase, old: str | None, new: str | None) -> Difference:
    """Return what became of sessions between two commits (None: before there was any)."""
    before, after = _tree(db, old), _tree(db, new)
    counts = {"new": 0, "grown": 0, "forgotten": 0}
    places = (_at(db, before, layout.SESSIONS), _at(db, after, layout.SESSIONS))
    for one, other in _changed(db, *places, levels=3):
        counts["new" if one is None else "forgotten" if other is None else "grown"] += 1
    thoughts = 0
    places = (_at(db, before, layout.THOUGHTS), _at(db, after, layout.THOUGHTS))
    for one, other in _changed(db, *places, levels=3):
        counts["forgotten"] += other is None
        thoughts += sum(old is None for old, _ in _changed(db, _folder(one), _folder(other), 1))
    return Difference(**counts, thoughts=thoughts)


def notes_difference(db: ObjectDatabase, old: str | None, new: str | None) -> Difference:
    """Return how many notes are new or other between two commits."""
    before, after = (dict[str, str](), dict[str, str]())
    for path, one, other in _leaves(db, _tree(db, old), _tree(db, new), ""):
        for found, entry in ((before, one), (after, other)):
            if entry is not None:
                found[path] = entry.oid
    return Difference(notes=sum(before.get(name) != oid for name, oid in after.items()))


def _tree(db: ObjectDatabase, commit: str | None) -> str | None:
    tip = db.tip(commit) if commit else None
    return tip.commit.tree if tip else None


def _at(db: ObjectDatabase, tree: str | None, top: str) -> str | None:
    entry = db.trees.at(tree, top) if tree else None
    return entry.oid if entry and entry.is_folder else None


def _changed(
    db: ObjectDatabase, old: str | None, new: str | None, levels: int
) -> Iterator[tuple[Entry | None, Entry | None]]:
    """Yield what differs so many levels down."""
    if old == new:
        return
    before, after = db.trees.entries(old), db.trees.entries(new)
    for name in before.keys() | after.keys():
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        if levels == 1:
            yield one, other
        else:
            yield from _changed(db, _folder(one), _folder(other), levels - 1)


def _leaves(
    db: ObjectDatabase, old: str | None, new: str | None, path: str
) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    """Yield files that differ under a name without its slashes: git moves notes between folders."""
    if old == new:
        return
    before, after = db.trees.entries(old), db.trees.entries(new)
    for name in before.keys() | after.keys():
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        yield from _leaves(db, _folder(one), _folder(other), path + name)
        files = [entry if entry and not entry.is_folder else None for entry in (one, other)]
        if files != [None, None]:
            yield path + name, files[0], files[1]


def _folder(entry: Entry | None) -> str | None:
    return entry.oid if entry and entry.is_folder else None


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}" if number else ""


def _notes(number: int) -> str:
    return f"notes of {_count(number, 'commit')}" if number else ""
