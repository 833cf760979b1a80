"""Which commit took lines of a file away, that an earlier commit had.

In: lines of a file as a commit left it, a later commit. Out: line → the commit without it. From
`git blame --reverse`, which follows no renames: where a file has gone or has another name, nothing
is said.
"""

import re
from collections.abc import Iterable

from .added import runs
from .repository import Repository

_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+)(?: \d+)?")
_PREVIOUS = re.compile(rb"previous ([0-9a-f]{40,64}) ")
_MOST_RANGES = 200


def taken_away(
    repository: Repository, commit: str, head: str, path: str, lines: Iterable[int], seconds: float
) -> dict[int, str | None]:
    """Return line → the commit that took it away, None where nobody knows which.

    Lines that `head` still has, be it after changes of white space, are left out. Raises
    TimeoutError.
    """
    wanted = sorted(set(lines))
    ranges = list(runs(wanted))
    arguments = ["blame", "--reverse", "--porcelain", "-w", "--no-textconv", "--ignore-revs-file="]
    if len(ranges) <= _MOST_RANGES:  # git reads long lists of them slowly
        arguments += [word for first, last in ranges for word in ("-L", f"{first},{last}")]
    done = repository.git.run_apart(*arguments, f"{commit}..{head}", "--", path, seconds=seconds)
    if done.returncode:
        return dict.fromkeys(wanted)
    last: dict[int, bytes] = {}
    after: dict[bytes, str] = {}
    header: re.Match[bytes] | None = None
    for text in done.stdout.split(b"\n"):
        if header is None:
            header = _HEADER.fullmatch(text)
        elif text.startswith(b"\t"):
            last[int(header[3])] = header[1]
            header = None
        elif found := _PREVIOUS.match(text):
            after[header[1]] = found[1].decode()
    return {
        line: after.get(last[line])
        for line in wanted
        if line in last and last[line] != head.encode()
    }
