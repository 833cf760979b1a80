"""Which lines commits brought: those of a file's new version that no parent had.

In: commits. Out: `Addition`s, files in git's order. One `git diff-tree` for up to 500 commits, read
as it comes. Renames count as `git blame` counts them: only changed lines of a renamed file are new.
Lines that a merge took from one of its parents are not its own.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .quoting import unquoted
from .repository import Repository

_BATCH = 500  # ids that fit into a pipe, so that git never waits for us while we wait for git
_OPTIONS = (
    "-r", "-p", "-U0", "-M", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color",
    "--no-relative", "--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null", "--ignore-submodules",
)  # fmt: skip
_COMMIT = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_INDEX = re.compile(rb"index [0-9a-f,]+\.\.([0-9a-f]+)(?: (\d+))?")
_HUNK = re.compile(rb"(@@+) .*? \+(\d+)(?:,(\d+))? @@")
_NO_TEXT = (b"120000", b"160000")  # symbolic links and submodules


@dataclass(slots=True)
class Addition:
    """A file that a commit changed: `blob` is "" where it was deleted, `old_path` "" where new.

    `ranges` are first and last line, from 1, ascending.
    """

    path: str
    old_path: str
    blob: str
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def lines(self) -> Iterator[int]:
        """Yield the numbers of all added lines."""
        for first, last in self.ranges:
            yield from range(first, last + 1)


def added_lines(repository: Repository, commits: Iterable[str]) -> dict[str, list[Addition]]:
    """Return commit → what it added. Commits whose contents are not all here are left out."""
    left = list(dict.fromkeys(commits))
    found: dict[str, list[Addition]] = {}
    while left:
        batch = left[:_BATCH]
        command = ("diff-tree", "--stdin", "--root", "-c", *_OPTIONS)
        process = repository.git.start(*command)
        if process.stdin is None or process.stdout is None:
            return found
        process.stdin.write("".join(f"{commit}\n" for commit in batch).encode())
        process.stdin.close()
        last = ""
        for commit, additions in _commits(process.stdout):
            found[commit], last = additions, commit
        process.stdout.close()
        if process.wait() == 0:
            for commit in batch:  # git says nothing of a commit that changed nothing
                found.setdefault(commit, [])
            left = left[len(batch) :]
        else:  # git gave up on the last one it named, or on the first one
            found.pop(last, None)
            left = left[left.index(last) + 1 if last else 1 :]
    return found


def added_between(repository: Repository, old: str, new: str) -> list[Addition]:
    """Return what the commit or tree `new` has that `old` has not. Raises `GitFailed`."""
    out = repository.git.run("diff-tree", *_OPTIONS, old, new, "--")
    return _patch(iter(out.splitlines(keepends=True)))


def _commits(stream: Iterable[bytes]) -> Iterator[tuple[str, list[Addition]]]:
    """Yield each commit with its additions when the next one begins."""
    commit = ""
    lines: list[bytes] = []
    for line in stream:
        if _COMMIT.match(line):
            if commit:
                yield commit, _patch(iter(lines))
            commit, lines = line.strip().decode(), []
        elif not line.startswith(b"-") or line.startswith(b"---"):
            lines.append(line if line[:1] != b"+" or line.startswith(b"+++") else line[:64])
    if commit:
        yield commit, _patch(iter(lines))


def _patch(lines: Iterator[bytes]) -> list[Addition]:
    found: list[Addition] = []
    current = Addition("", "", "")
    old_path, header, parents, number, skip = "", False, 1, 0, False
    for line in lines:
        if line.startswith(b"diff "):
            header, old_path, current, skip = True, "", Addition("", "", ""), False
        elif header and (index := _INDEX.match(line)):
            current.blob = "" if not index[1].strip(b"0") else index[1].decode()
            skip = skip or index[2] in _NO_TEXT
        elif header and line.startswith((b"new file mode ", b"deleted file mode ")):
            skip = line.split()[-1] in _NO_TEXT
        elif header and line.startswith(b"--- "):
            old_path = _side(line)
        elif header and line.startswith(b"+++ "):
            path = _side(line)
            current.path, current.old_path = path or old_path, old_path
            header = False
            if not skip:
                found.append(current)
        elif hunk := _HUNK.match(line):
            parents, number = len(hunk[1]) - 1, int(hunk[2])
        elif line[:1] in (b"+", b" ", b"-"):
            signs = line[:parents]
            if b"-" in signs:
                continue
            if signs.strip(b"+") == b"":
                _extend(current.ranges, number)
            number += 1
    return found


def _side(line: bytes) -> str:
    # git puts a tab after a name with spaces; a name that holds one itself is quoted.
    path = os.fsdecode(unquoted(line[4:].removesuffix(b"\n").removesuffix(b"\t")))
    return "" if path == "/dev/null" else path[2:]


def _extend(ranges: list[tuple[int, int]], number: int) -> None:
    if ranges and ranges[-1][1] == number - 1:
        ranges[-1] = (ranges[-1][0], number)
    else:
        ranges.append((number, number))


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as first and last of each run."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        _extend(found, number)
    return found
