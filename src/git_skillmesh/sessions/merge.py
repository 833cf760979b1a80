"""Unite two memories, and two sets of notes, without conflict.

In: two commits of the ref. Out: one that holds what both hold, minus what either has forgotten. The
result is a function of what was written, whatever the order of the merges, because names are made
of contents (layout.py), heads are joined by a rule that does not care for the order, and a
tombstone always wins.
"""

from ..git.database import ObjectDatabase, Tip
from ..git.notes import merge_lines
from ..git.refs import is_ancestor
from ..git.repository import Repository
from ..git.rewrite import without_paths
from ..git.treeobjects import FILE, Entry
from . import layout
from .reading import fetched


def merge_memory(repository: Repository, ours: str | None, theirs: str) -> str:
    """Return the commit of two memories united; `ours` is None where there is none yet.

    What one has forgotten is taken out of the history of the other before they are joined. Both
    sides of a merge get the same commit. Nothing is moved: that is up to the caller.

    Raises:
        Damaged: git cannot read one of them.
        ReadOnly: the repository cannot be written.
    """
    if ours is None or ours == theirs:
        return theirs
    with ObjectDatabase(repository) as db:
        tips = sorted((_tip(db, ours), _tip(db, theirs)))
        forgotten = [_forgotten(db, tip) for tip in tips]
        cleaned = [
            _without(db, tip, (forgotten[0] | forgotten[1]) - own)
            for tip, own in zip(tips, forgotten, strict=True)
        ]
        db.writer.flush()
        for one, other in (cleaned, cleaned[::-1]):
            if is_ancestor(repository, one, other):
                return other
        return _join(db, _tip(db, cleaned[0]), _tip(db, cleaned[1]))


def merge_notes(repository: Repository, ours: str | None, theirs: str) -> str:
    """Return the commit of two notes refs united: of each note the union of its lines.

    Lines are sorted and kept once, as by `git notes merge -s cat_sort_uniq`; what somebody else
    wrote stays. Nothing is moved. Raises as `merge_memory`.
    """
    if ours is None or ours == theirs:
        return theirs
    for one, other in ((ours, theirs), (theirs, ours)):
        if is_ancestor(repository, one, other):
            return other
    with ObjectDatabase(repository) as db:
        return merge_lines(db, *sorted((ours, theirs)))


def _tip(db: ObjectDatabase, name: str) -> Tip:
    tip = db.tip(name)
    if tip is None:
        raise LookupError(name)
    return tip


def _forgotten(db: ObjectDatabase, tip: Tip) -> frozenset[str]:
    """Return the keys of all sessions with a tombstone."""
    found: set[str] = set()
    top = db.trees.folder(tip.commit.tree, layout.FORGOTTEN)
    for first in filter(_is_folder, top.values()):
        for second in filter(_is_folder, db.trees.entries(first.oid).values()):
            found |= {name.removesuffix(".json") for name in db.trees.entries(second.oid)}
    return frozenset(filter(layout.is_key, found))


def _is_folder(entry: Entry) -> bool:
    return entry.is_folder


def _without(db: ObjectDatabase, tip: Tip, keys: frozenset[str]) -> str:
    places = layout.session_path, layout.thoughts_path
    paths = [path(key) for key in sorted(keys) for path in places]
    return without_paths(db, tip.oid, paths).tip if paths else tip.oid


def _join(db: ObjectDatabase, one: Tip, other: Tip) -> str:
    def resolve(path: str, left: Entry, right: Entry) -> Entry:
        contents = [fetched(db.reader.read(entry.oid), layout.REF) for entry in (left, right)]
        if path.endswith(f"/{layout.HEAD}") and path.startswith(f"{layout.SESSIONS}/"):
            return Entry(FILE, db.blob(layout.join_heads(*contents)))
        # No file of ours: one that holds more, by a rule that gives the same either way round.
        richer = max(zip(map(len, contents), contents, (left, right), strict=True))
        return richer[2]

    tree = db.trees.unite(one.commit.tree, other.commit.tree, resolve)
    time = max(one.commit.time, other.commit.time)
    commit = db.commit(tree, (one.oid, other.oid), "merge memories", time)
    db.writer.flush()
    return commit
