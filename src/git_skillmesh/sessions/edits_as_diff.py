"""What the edits of an exchange amount to in each file.

In: an exchange. Out: the net change of each file with its lines counted as git counts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .model import Exchange

_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class FileChange:
    """The net change of a file."""

    path: str
    added: int
    removed: int


def changes_of(exchange: Exchange) -> tuple[FileChange, ...]:
    """Return the net change of each file, in the order in which they were first edited."""
    found = dict.fromkeys(edit.path for call in exchange.tools for edit in call.edits)
    return tuple(FileChange(path, 0, 0) for path in found)


def diff_summary(changes: Sequence[FileChange]) -> str:
    """Return the files with their lines in one line, the largest first: docs/context.md."""
    if not changes:
        return ""
    largest = sorted(changes, key=lambda one: -(one.added + one.removed))
    files = "; ".join(f"{one.path} +{one.added} {_MINUS}{one.removed}" for one in largest)
    total = f"+{sum(c.added for c in changes)} {_MINUS}{sum(c.removed for c in changes)}"
    return f"{len(changes)} file{'s' * (len(changes) > 1)}, {total}: {files}"
