"""Lines of a file as users name them: FILE:LINE, FILE:FIRST-LAST, or FILE and git's -L.

In: words of the command line. Out: a path from the root, and ranges as git takes them.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError
from .context import Context

_PLACE = re.compile(r"(.+?):(\d{1,9})(?:-(\d{1,9})|:\d+:?)?", re.DOTALL)
_RANGE = re.compile(r"^(\d+)-(\d+)$")


def place(text: str, ranges: Sequence[str], context: Context) -> tuple[str, list[str]]:
    """Return path and ranges as git takes them. Raises `UsageError`."""
    if ranges:
        return context.tree_path(text), [_RANGE.sub(r"\1,\2", each) for each in ranges]
    found = _PLACE.fullmatch(text)
    if not found or os.path.lexists(Path(context.folder or "", text)):
        return context.tree_path(text), []
    first, last = int(found[2]), int(found[3] or found[2])
    if first < 1 or last < first:
        raise UsageError(f"no such lines: {text}", "lines count from 1: FILE:FIRST-LAST")
    return context.tree_path(found[1]), [f"{first},{last}"]
