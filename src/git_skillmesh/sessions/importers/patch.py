"""The patches of `apply_patch`, the edit tool of Codex, Cursor and Copilot.

In: a text that holds `*** Begin Patch`. Out: an `Edit` for each run of changed lines.
"""

import re

from ..model import Edit
from .places import Place

BEGIN_PATCH, _END = "*** Begin Patch", "*** End Patch"
_FILE = re.compile(r"\*\*\* (Update|Add|Delete) File: (.+)")
_MOVE = "*** Move to: "


def edits_of_patch(text: str, place: Place) -> list[Edit]:
    """Return the edits of every patch in a text. Raises `Misfit` for a path that is none."""
    edits: list[Edit] = []
    for patch in text.split(BEGIN_PATCH)[1:]:
        lines = patch.partition(_END)[0].splitlines()
        starts = [at for at, line in enumerate(lines) if _FILE.match(line)]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            edits += _edits_of_file(lines[start:end], place)
    return edits


def _edits_of_file(lines: list[str], place: Place) -> list[Edit]:
    match = _FILE.match(lines[0])
    if match is None:
        return []
    kind, path, body = match[1], place.relative(match[2].strip()), lines[1:]
    if kind == "Delete":
        return [Edit(path, whole=True)]
    if kind == "Add":
        text = _text([line[1:] for line in body if line.startswith("+")])
        return [Edit(path, None, text, whole=True, line=1)]
    old = ""
    if body and body[0].startswith(_MOVE):
        old, path = path, place.relative(body[0].removeprefix(_MOVE).strip())
        body = body[1:]
    edits = [Edit(path, before, after, moved_from=old) for before, after in runs(body)]
    if old and not edits:
        return [Edit(path, "", "", moved_from=old)]
    return edits


def runs(lines: list[str]) -> list[tuple[str, str]]:
    """Return (removed, added) of each run of changed lines between lines that stay."""
    runs: list[tuple[str, str]] = []
    removed: list[str] = []
    added: list[str] = []
    for line in [*lines, "@@"]:
        if line.startswith("-"):
            removed.append(line[1:])
        elif line.startswith("+"):
            added.append(line[1:])
        elif removed or added:
            runs.append((_text(removed), _text(added)))
            removed, added = [], []
    return runs


def _text(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)
