"""Match paths with globs, in time that a hostile glob cannot blow up.

In: globs as people write them in .gitignore. Out: whether a path matches one of them.
"""

import fnmatch
import re
from collections.abc import Sequence
from functools import cache

_Segments = tuple["re.Pattern[str] | None", ...]


class Globs:
    """`*` stays within a folder, `**` does not, no slash: anywhere; a folder takes in its files."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._globs = [_segments(glob) for glob in globs]

    def match(self, path: str) -> bool:
        """Whether any of the globs matches a path of the repository."""
        if not self._globs:
            return False
        parts = path.split("/")
        return any(_matches(segments, parts) for segments in self._globs)


def _segments(glob: str) -> _Segments:
    """Return one pattern for each folder of a glob; None stands for `**`."""
    anchored = "/" in glob.rstrip("/")
    names = glob.strip("/").split("/")
    if not anchored:
        names.insert(0, "**")
    # Two in a row say no more than one.
    kept = [name for n, name in enumerate(names) if name != "**" or names[n - 1 : n] != ["**"]]
    return tuple(None if name == "**" else _name_pattern(name) for name in kept)


@cache
def _name_pattern(name: str) -> "re.Pattern[str]":
    # fnmatch never goes back before the last star, so its patterns take no more than
    # length x stars steps.
    return re.compile(fnmatch.translate(name))


def _matches(segments: _Segments, parts: Sequence[str]) -> bool:
    """Whether the segments match the path or a folder above it.

    `reached` holds how many parts can be behind the segments so far: every pair of segment and
    part is looked at once.
    """
    reached = {0}
    for number, segment in enumerate(segments):
        if segment is None:
            # At the end `**` means what lies below a folder, not the folder itself.
            least = min(reached) + (number == len(segments) - 1)
            reached = set(range(least, len(parts) + 1))
        else:
            reached = {
                place + 1 for place in reached if place < len(parts) and segment.match(parts[place])
            }
        if not reached:
            return False
    return True
