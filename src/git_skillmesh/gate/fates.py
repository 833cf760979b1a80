"""What became of lines that commits once added.

In: lines as they stood when they were added, and a later commit. Out: a `Fate` for each. A line
lives on where `git blame` of a file of the later commit still names that commit, path and line;
renames are followed, white space may change. Nothing is blamed where the text is gone anyway.
"""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..git.blame import blame
from ..git.objects import BlobReader
from ..git.repository import Repository
from ..git.trees import list_tree

# Beyond that a file is blamed whole: git reads long lists of ranges slowly.
_MOST_RANGES = 200
_LARGEST = 10_000_000
_SPACES = re.compile(rb"\s+")


class Fate(StrEnum):
    """What a line came to. `GONE`: its file was deleted, which says nothing about the line."""

    KEPT = "kept"
    CHANGED = "changed"
    GONE = "gone"
    YOUNG = "young"


@dataclass(frozen=True, slots=True)
class AddedLine:
    """Line `number` of `path` as a commit left it."""

    commit: str
    path: str
    number: int
    text: bytes

    @property
    def squeezed(self) -> bytes:
        """The text without white space."""
        return _SPACES.sub(b"", self.text)


class Fates:
    """Looks lines up at one commit, `tip`. Files are listed and read once."""

    def __init__(self, repository: Repository, tip: str, *, first_parent: bool = False) -> None:
        self._repository = repository
        self._tip = tip
        self._first_parent = first_parent
        self._blobs = list_tree(repository, tip)

    def of(self, lines: Collection[AddedLine], oldest: str) -> "dict[AddedLine, Fate]":
        """Return the fate of each line; `oldest` is the first commit that added one.

        Raises what `blame` raises.
        """
        if not lines:
            return {}
        heirs = self._heirs({line.path for line in lines}, oldest)
        wanted: dict[str, dict[bytes, list[AddedLine]]] = defaultdict(lambda: defaultdict(list))
        for line in lines:
            for path in heirs[line.path]:
                wanted[path][line.squeezed].append(line)
        living: set[tuple[str, str, int]] = set()
        with BlobReader(self._repository) as reader:
            for path, texts in wanted.items():
                data = reader.read(self._blobs[path]) or b""
                living.update(self._living(path, data, texts))
        return {
            line: Fate.KEPT
            if (line.commit, line.path, line.number) in living
            else Fate.CHANGED
            if heirs[line.path]
            else Fate.GONE
            for line in lines
        }

    def _living(
        self, path: str, data: bytes, texts: Collection[bytes]
    ) -> Iterator[tuple[str, str, int]]:
        """Yield (commit, path, line) of the lines of a file that read like one of the texts."""
        if len(data) > _LARGEST:
            return
        lines = data.split(b"\n")
        numbers = [n for n, text in enumerate(lines, 1) if _SPACES.sub(b"", text) in texts]
        if not numbers:
            return
        ranges = [f"{n},{n}" for n in numbers] if len(numbers) <= _MOST_RANGES else []
        for line in blame(
            self._repository, path, ranges, self._tip, first_parent=self._first_parent
        ):
            yield line.commit.oid, line.path, line.line

    def _heirs(self, paths: Iterable[str], oldest: str) -> "dict[str, set[str]]":
        """Return path → the files of the tip that it may have become, by any row of renames."""
        wanted = set(paths)
        renames = self._renames(oldest)
        found = {}
        for path in wanted:
            seen, left = {path}, [path]
            while left:
                new = renames.get(left.pop(), set()) - seen
                seen |= new
                left += new
            found[path] = {each for each in seen if each in self._blobs}
        return found

    def _renames(self, oldest: str) -> "dict[str, set[str]]":
        """Return old → new paths of every rename since a commit."""
        command = ["log", "-r", "--raw", "-z", "-M", "-l2000", "--diff-filter=R", "--format="]
        command += ["--no-merges", "--no-ext-diff", "--no-relative"]
        out = self._repository.git.run(*command, self._tip, f"^{oldest}", "--")
        found: dict[str, set[str]] = defaultdict(set)
        fields = iter(out.split(b"\0"))
        for field in fields:
            if field.lstrip(b"\n").startswith(b":"):
                old, new = os.fsdecode(next(fields, b"")), os.fsdecode(next(fields, b""))
                found[old].add(new)
        return found
