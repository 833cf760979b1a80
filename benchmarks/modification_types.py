"""How well modification types are told: `python -m benchmarks.modification_types CLONE…`.

In: clones whose commits follow the convention of Conventional Commits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.edits_as_diff import FileChange, Place
from git_skillmesh.sessions.modification import Modification

_TYPES = {
    "feat": Modification.FEATURE, "fix": Modification.BUGFIX, "docs": Modification.DOCUMENTATION,
    "doc": Modification.DOCUMENTATION, "test": Modification.TEST, "tests": Modification.TEST,
    "refactor": Modification.REFACTOR, "perf": Modification.OPTIMISATION,
    "style": Modification.STYLE, "chore": Modification.CONFIG, "build": Modification.CONFIG,
    "ci": Modification.CONFIG, "deps": Modification.CONFIG,
}  # fmt: skip
_SUBJECT = re.compile(r"([a-z]+)(?:\([^)]*\))?!?: +(.+)")
_NUMBER = re.compile(r"\s*\(?#\d+\)?\s*$")
_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)")
_BOT = re.compile(r"\[bot\]|dependabot|renovate|greenkeeper|release-please", re.IGNORECASE)
_MOST_LINES = 5_000
_START = b"\x01commit "


@dataclass(frozen=True, slots=True)
class Labelled:
    """A commit: what kind of change its author says it is, in which words, and the change."""

    project: str
    label: Modification
    text: str
    changes: tuple[FileChange, ...]


def labelled(clone: Path, most: int) -> list[Labelled]:
    """Return the latest changes of a clone that name their type, those of bots left out."""
    repository = discover(clone)
    out = repository.git.run(
        "log", f"--max-count={4 * most}", "--no-merges", "--no-color", "--no-ext-diff",
        "--no-textconv", "-p", "-U0", "-M", "--format=%x01commit %an%x00%s",
    )  # fmt: skip
    name = clone.parent.name if clone.name == "repo" else clone.name
    found: list[Labelled] = []
    for entry in out.split(b"\n" + _START):
        head, _, patch = entry.removeprefix(_START).partition(b"\n")
        author, _, subject = head.decode("utf-8", "replace").partition("\0")
        match = _SUBJECT.match(subject)
        kind = _TYPES.get(match[1]) if match else None
        if match is None or kind is None or _BOT.search(author):
            continue
        changes = tuple(changes_in(patch))
        if changes:
            found.append(Labelled(name, kind, _NUMBER.sub("", match[2]), changes))
        if len(found) == most:
            break
    return found


def changes_in(patch: bytes) -> Iterator[FileChange]:
    """Yield the change of each file in a patch without context."""
    for part in re.split(rb"(?m)^diff --git ", patch)[1:]:
        yield _change(part.decode("utf-8", "replace").split("\n")[: _MOST_LINES + 20])


def _change(lines: list[str]) -> FileChange:
    path = lines[0].rpartition(" b/")[2].rstrip('"')
    moved_from, is_new, is_gone = "", False, False
    places: list[tuple[list[str], list[str], int]] = []
    for line in lines[1:]:
        if line.startswith("@@"):
            match = _HUNK.match(line.encode())
            places.append(([], [], int(match[1]) if match else 0))
        elif places and line.startswith("-"):
            places[-1][0].append(line[1:])
        elif places and line.startswith("+"):
            places[-1][1].append(line[1:])
        elif not places:
            is_new |= line.startswith("new file")
            is_gone |= line.startswith("deleted file")
            if line.startswith("rename from "):
                moved_from = line.removeprefix("rename from ")
    made = tuple(Place(tuple(old), tuple(new), line) for old, new, line in places)
    added, removed = (sum(len(place[n]) for place in places) for n in (1, 0))
    return FileChange(path, added, removed, made, moved_from, is_new, is_gone)
