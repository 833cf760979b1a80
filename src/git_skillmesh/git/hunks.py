"""What a file of the working tree has that a commit has not.

In: a path and a commit. Out: the changed runs of lines, as `git diff` counts them.
"""

import re
from dataclasses import dataclass

from .repository import Repository

_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_OPTIONS = (
    "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "-U0", "--ignore-submodules",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that were replaced, with their line ends; `line` is the first one of `after`."""

    before: bytes
    after: bytes
    line: int


def changed_hunks(repository: Repository, commit: str, path: str) -> list[Hunk]:
    """Return how a tracked file differs from a commit; nothing for a binary file."""
    command = ("--literal-pathspecs", "diff", *_OPTIONS, commit, "--", path)
    lines = repository.git.run(*command).split(b"\n")
    found: list[Hunk] = []
    sides: dict[bytes, list[bytes]] = {}
    line = 0

    def end() -> None:
        if sides:
            found.append(Hunk(b"".join(sides[b"-"]), b"".join(sides[b"+"]), line))

    for text in lines:
        head = _HUNK.match(text)
        if head:
            end()
            sides = {b"-": [], b"+": []}
            line = int(head[1])
            last = b"-"
        elif sides and text[:1] in sides:
            last = text[:1]
            sides[last].append(text[1:] + b"\n")
        elif sides and text.startswith(b"\\"):  # no line feed at the end of the file
            sides[last][-1] = sides[last][-1].removesuffix(b"\n")
    end()
    return found
