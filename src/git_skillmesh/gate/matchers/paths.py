"""Rules about which files a change touches, whatever stands in them.

In: a learning of kind paths, and every file that is changed. Out: `PathMatch`es.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...git.globs import Globs
from ...learnings.model import Learning
from ..scope import Scope


@dataclass(frozen=True, slots=True)
class ChangedPath:
    """A file that a change adds, modifies, deletes or renames.

    `old_path` is the name before, "" for the same one. Sizes are bytes, `old_size` before the
    change: 0 of a file that is added.
    """

    path: str
    old_path: str = ""
    size: int = 0
    deleted: bool = False
    old_size: int = 0

    @property
    def names(self) -> "tuple[str, ...]":
        """Both names of a file that is renamed."""
        return (self.path, self.old_path) if self.old_path else (self.path,)


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A file as the rule wants it not to be changed, and why in a few words."""

    path: str
    why: str


class PathsMatcher:
    """Finds files that are changed alone, must not be changed at all, or have become too large."""

    def __init__(self, learning: Learning) -> None:
        self._scope = Scope(learning)
        self._rule = learning.matcher

    def matches(self, changed: Sequence[ChangedPath]) -> Iterable[PathMatch]:
        """Return the findings, one a file; one for all files that lack the same companion."""
        ordered = sorted(changed, key=lambda file: file.path)
        mine = [file for file in ordered if any(map(self._scope.covers, file.names))]
        if self._rule.accompany:
            return list(self._alone(mine, ordered)) if mine else []
        if self._rule.untouchable:
            return [PathMatch(file.path, _said(file)) for file in mine]
        return list(self._too_large(mine))

    def _alone(
        self, mine: Sequence[ChangedPath], changed: Sequence[ChangedPath]
    ) -> Iterator[PathMatch]:
        others = f" and {len(mine) - 1} more" if len(mine) > 1 else ""
        for glob in self._rule.accompany:
            globs = Globs([glob])
            if not any(globs.match(name) for file in changed for name in file.names):
                yield PathMatch(mine[0].path, f"changed{others} without {glob}")

    def _too_large(self, mine: Sequence[ChangedPath]) -> Iterator[PathMatch]:
        most = self._rule.max_bytes
        for file in mine:
            # One that was too large before is not brought in by this change.
            grown = file.old_size <= most < file.size
            if grown and not file.deleted and self._scope.covers(file.path):
                yield PathMatch(file.path, f"{file.size:,} bytes, more than {most:,}")


def _said(file: ChangedPath) -> str:
    if file.deleted:
        return "deleted"
    return f"renamed from {file.old_path}" if file.old_path else "changed"
