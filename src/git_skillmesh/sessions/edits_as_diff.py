"""What the edits of an exchange amount to in each file.

In: an exchange. Out: the net change of each file, its lines counted as git counts them.

Edits of one file that follow each other are composed: an edit of what an earlier edit wrote counts
once. docs/context.md says when that is possible and what is counted where it is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .line_diff import Budget, hunks, lines_of
from .model import Exchange
from .net_texts import FileState, Piece

_MINUS = "\N{MINUS SIGN}"
_FILES_SHOWN = 10
_PATH = 200
# git looks this far for a NUL, which makes a file binary.
_BINARY = 8000


@dataclass(frozen=True, slots=True)
class Place:
    """Lines that went and lines that came in one place.

    `line` is the first in the new file, 0 if unknown; `row` the same in the text of the piece
    of the file that shows the place, counted from 0.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    line: int = 0
    piece: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class FileChange:
    """The net change of a file, with its lines without their ends in `places`.

    `is_exact` says that the contents before and after are known and the counts are those of
    `git diff --numstat`; otherwise they are summed over the pieces that the edits show.
    `pieces` is what is known of the new text: the whole, or what surrounds the changes.
    """

    path: str
    added: int
    removed: int
    places: tuple[Place, ...] = ()
    moved_from: str = ""
    is_new: bool = False
    is_gone: bool = False
    is_exact: bool = False
    pieces: tuple[str, ...] = ()


def changes_of(exchange: Exchange) -> tuple[FileChange, ...]:
    """Return the net change of each file, in the order in which they were first edited.

    A file that is as it was before is left out.
    """
    states: dict[str, FileState] = {}
    for edit in (edit for call in exchange.tools for edit in call.edits):
        if edit.moved_from and edit.moved_from != edit.path and edit.moved_from in states:
            states[edit.path] = states.pop(edit.moved_from)
        states.setdefault(edit.path, FileState()).apply(edit)
    budget = Budget()
    found = (_change(path, state, budget) for path, state in states.items())
    return tuple(change for change in found if change is not None)


def diff_summary(changes: Sequence[FileChange]) -> str:
    """Return the files with their lines in one line, the largest first: see docs/context.md."""
    if not changes:
        return ""
    largest = sorted(changes, key=lambda one: (-one.added - one.removed, one.path))
    shown = [f"{_named(one)} {_counted([one])}" for one in largest[:_FILES_SHOWN]]
    shown += [f"{len(changes) - _FILES_SHOWN} more"] * (len(changes) > _FILES_SHOWN)
    files = f"{len(changes)} file{'s' * (len(changes) > 1)}"
    return f"{files}, {_counted(changes)}: {'; '.join(shown)}"


def _counted(changes: Sequence[FileChange]) -> str:
    added, removed = sum(one.added for one in changes), sum(one.removed for one in changes)
    return f"+{added} {_MINUS}{removed}"


def _named(change: FileChange) -> str:
    """Return the path without control characters: it may come from anywhere."""
    path = "".join(c if c.isprintable() else "?" for c in change.path[-_PATH:])
    path = f"\u2026{path}" if len(change.path) > _PATH else path
    return f"{path} (deleted)" if change.is_gone else path


def _change(path: str, state: FileState, budget: Budget) -> FileChange | None:
    net = state.net()
    places: list[Place] = []
    for number, piece in enumerate(net.pieces):
        if not piece.is_whole or not _is_binary(piece.before, piece.after):
            places += _places(piece, number, budget)
    if not (
        places
        or net.is_new
        or net.is_gone
        or state.moved_from
        or any(p.before != p.after for p in net.pieces)
    ):
        return None
    return FileChange(
        path,
        sum(len(place.added) for place in places),
        sum(len(place.removed) for place in places),
        tuple(places),
        state.moved_from,
        net.is_new,
        net.is_gone,
        net.is_exact and not budget.is_spent,
        tuple(piece.after for piece in net.pieces),
    )


def _is_binary(*texts: str) -> bool:
    return any("\0" in text[:_BINARY] for text in texts)


def _places(piece: Piece, number: int, budget: Budget) -> list[Place]:
    if piece.before == piece.after:
        return []
    a, b = lines_of(piece.before), lines_of(piece.after)
    return [
        Place(
            tuple(text.removesuffix("\n") for text in a[hunk.a0 : hunk.a1]),
            tuple(text.removesuffix("\n") for text in b[hunk.b0 : hunk.b1]),
            piece.line + hunk.b0 if piece.line else 0,
            number,
            hunk.b0,
        )
        for hunk in hunks(a, b, budget)
    ]
