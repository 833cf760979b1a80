"""Where lines of a file came from: the commit, and the file and line there.

In: lines of a file in a commit. Out: `Origin`s, from one `git blame` a file.
"""

import os
import re
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .added import runs
from .quoting import unquoted
from .repository import Repository

# An empty name empties git's list; in a setting it is only one more name.
_OPTIONS = ("--incremental", "--root", "--no-textconv", "--ignore-revs-file=")
_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+) (\d+)$")


class Origin(NamedTuple):
    """Line `line` of `path` in `commit`, where it was new."""

    commit: str
    path: str
    line: int


def origins(
    repository: Repository,
    commit: str,
    path: str,
    lines: Iterable[int],
    since: int | None = None,
    *,
    spaces: bool = False,
    env: Mapping[str, str] | None = None,
) -> dict[int, Origin]:
    """Return line → origin, for those that came after a time in seconds of the epoch.

    Renames are followed; a change of white space counts with `spaces` only. What git cannot tell
    is left out. The user's `blame.ignoreRevsFile` has no say: links are the same for everybody.
    `env` are further variables for git, as of `graphs.path_graph`.
    """
    wanted = sorted(set(lines))
    if not wanted:
        return {}
    arguments = ["-c", "blame.markIgnoredLines=false", "blame", *_OPTIONS]
    arguments += [] if spaces else ["-w"]
    if since is not None:
        date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(since, 0)))
        arguments.append(f"--since={date}")
    for first, last in runs(wanted):
        arguments += ["-L", f"{first},{last}"]
    done = repository.git.run_unchecked(*arguments, commit, "--", path, extra_env=env)
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
