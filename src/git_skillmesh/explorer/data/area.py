"""A folder of HEAD: how many lines each thing in it has, and of how many the reasons are known.

In: a reading, the key of a folder. Out: `Area`. Lines that are known are those that the index has
found an exchange for.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from ...sessions.answering import Pair
from ..parts import alive, files
from ..sizes import lines_by_path
from ..stores import Reading
from .refs import Document, file_ref


@dataclass(slots=True)
class _Sum:
    """Counts of a file, or of all files of a folder."""

    folder: bool = False
    lines: int = 0
    known: int = 0
    exchanges: set[Pair] = field(default_factory=set)

    def add(self, lines: int, known: dict[Pair, int]) -> None:
        """Add a file."""
        self.lines += lines
        # The index counts lines of chunks as it met them, which are never more than there are.
        self.known += min(sum(known.values()), lines)
        self.exchanges.update(known)


def area(reading: Reading, key: str) -> Document | None:
    """Return a folder, None if HEAD has none of this key."""
    listed = files(reading)
    path = listed.folders.get(key)
    if path is None:
        return None
    sizes, known = lines_by_path(reading), alive(reading)
    start = f"{path}/" if path else ""
    whole = _Sum(folder=True)
    inside: defaultdict[str, _Sum] = defaultdict(_Sum)
    for name in listed.blobs:
        if name.startswith(start):
            child, slash, _ = name[len(start) :].partition("/")
            lines = sizes.get(name, 0) if sizes else 0
            mine = dict(known.by_path.get(name, {}))
            inside[child].folder |= bool(slash)
            inside[child].add(lines, mine)
            whole.add(lines, mine)
    ordered = sorted(inside.items(), key=lambda each: (not each[1].folder, each[0]))
    return {
        "file": file_ref(path),
        "parent": file_ref(path.rpartition("/")[0])["key"] if path else None,
        **_counts(whole),
        "children": [
            {"file": file_ref(f"{start}{name}"), "folder": one.folder, **_counts(one)}
            for name, one in ordered
        ],
        "complete": sizes is not None and known.is_current,
    }


def _counts(one: _Sum) -> Document:
    return {"lines": one.lines, "known": one.known, "exchanges": len(one.exchanges)}
