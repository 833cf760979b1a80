"""The places that an exchange changed: pieces of code before and after, and the symbols in them.

In: the net change of each file. Out: snippets, their text, and the names of what was involved.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .edits_as_diff import FileChange


@dataclass(frozen=True, slots=True)
class Snippet:
    """A changed place: `line` in the new file, 0 if unknown; the text before and after, cut."""

    path: str
    symbol: str
    line: int
    before: str
    after: str


def snippets_of(changes: Sequence[FileChange]) -> tuple[Snippet, ...]:
    """Return the changed places of files."""
    return ()


def entities_of(changes: Sequence[FileChange], snippets: Sequence[Snippet]) -> tuple[str, ...]:
    """Return the files, then the symbols as `path::symbol`."""
    return tuple(change.path for change in changes)


def shown(snippets: Sequence[Snippet]) -> str:
    """Return snippets as text."""
    return ""
