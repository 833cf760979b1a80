"""Which commit took lines of a file away, that an earlier commit had.

In: lines of a file as a commit left it, a later commit. Out: line → the commit without it. From
`git blame --reverse`, which goes on in the file's new name where it was renamed; a commit that
deleted the file is looked for in its history.
"""

import os
import re
import time
from collections.abc import Iterable
from typing import NamedTuple

from .added import runs
from .quoting import unquoted
from .repository import Repository

_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+)(?: \d+)?")
_PREVIOUS = re.compile(rb"previous ([0-9a-f]{40,64}) ")
_FILENAME = b"filename "
_MOST_RANGES = 200


class _Told(NamedTuple):
    """What blame says: line → the last commit with it; of these commits, what comes next."""

    last: dict[int, str]
    after: dict[str, str]
    paths: dict[str, bytes]


def taken_away(
    repository: Repository, commit: str, head: str, path: str, lines: Iterable[int], seconds: float
) -> dict[int, str | None]:
    """Return line → the commit that took it away, None where nobody knows which.

    Lines that `head` still has, be it after changes of white space, are left out. Raises
    TimeoutError.
    """
    end = time.monotonic() + seconds
    wanted = sorted(set(lines))
    ranges = list(runs(wanted))
    arguments = ["blame", "--reverse", "--porcelain", "-w", "--no-textconv", "--ignore-revs-file="]
    if len(ranges) <= _MOST_RANGES:  # git reads long lists of them slowly
        arguments += [word for first, last in ranges for word in ("-L", f"{first},{last}")]
    done = repository.git.run_apart(*arguments, f"{commit}..{head}", "--", path, seconds=seconds)
    if done.returncode:
        return dict.fromkeys(wanted)
    told = _read(done.stdout)
    gone = {line: last for line in wanted if (last := told.last.get(line)) and last != head}
    for last in set(gone.values()) - told.after.keys():
        left = max(end - time.monotonic(), 0.01)
        if found := _deleted_by(repository, last, head, told.paths.get(last, b""), left):
            told.after[last] = found
    return {line: told.after.get(last) for line, last in gone.items()}


def _read(output: bytes) -> _Told:
    told = _Told({}, {}, {})
    header: re.Match[bytes] | None = None
    for text in output.split(b"\n"):
        if header is None:
            header = _HEADER.fullmatch(text)
        elif text.startswith(b"\t"):
            told.last[int(header[3])] = header[1].decode()
            header = None
        elif found := _PREVIOUS.match(text):
            told.after[header[1].decode()] = found[1].decode()
        elif text.startswith(_FILENAME):
            told.paths[header[1].decode()] = text.removeprefix(_FILENAME)
    return told


def _deleted_by(
    repository: Repository, last: str, head: str, name: bytes, seconds: float
) -> str | None:
    """Return the child of a commit, towards `head`, that deleted a file. Raises TimeoutError."""
    done = repository.git.run_apart(
        "--literal-pathspecs", "log", "--ancestry-path", "--full-history", "-m", "--no-renames",
        "--diff-filter=D", "--format=%H %P", f"{last}..{head}", "--", os.fsdecode(unquoted(name)),
        seconds=seconds,
    )  # fmt: skip
    for line in reversed(done.stdout.decode("ascii", "replace").splitlines()):
        child, *parents = line.split()
        if last in parents:
            return child
    return None
