"""Where lines of a file came from: the commit, and the file and line there.

In: lines of a file in a commit. Out: `Origin`s, from one `git blame` a file.
"""

import os
import re
import time
from collections.abc import Iterable
from typing import NamedTuple

from .diffs import unquoted
from .repository import Repository

_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+) (\d+)$")


class Origin(NamedTuple):
    """Line `line` of `path` in `commit`, where it was new."""

    commit: str
    path: str
    line: int


def origins(
    repository: Repository, commit: str, path: str, lines: Iterable[int], since: int
) -> dict[int, Origin]:
    """Return line → origin, for those that came after a time in seconds of the epoch.

    White space is ignored and renames are followed. What git cannot tell is left out.
    """
    wanted = sorted(set(lines))
    if not wanted:
        return {}
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(since, 0)))
    arguments = ["blame", "--incremental", "-w", "--root", "--no-textconv", f"--since={date}"]
    for first, last in _stretches(wanted):
        arguments += ["-L", f"{first},{last}"]
    done = repository.git.run_unchecked(*arguments, commit, "--", path)
    found: dict[int, Origin] = {}
    header: re.Match[bytes] | None = None
    older: set[bytes] = set()  # git says it of a commit when it first names it
    for text in done.stdout.split(b"\n"):
        if header is None:
            header = _HEADER.match(text)
        elif text == b"boundary":
            older.add(header[1])
        elif text.startswith(b"filename "):
            name = os.fsdecode(unquoted(text[9:]))
            old, new, count = (int(header[place]) for place in (2, 3, 4))
            for n in range(0 if header[1] in older else count):
                found[new + n] = Origin(header[1].decode(), name, old + n)
            header = None
    return {line: found[line] for line in wanted if line in found}


def _stretches(numbers: list[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
