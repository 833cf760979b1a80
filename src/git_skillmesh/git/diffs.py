"""What commits and patches changed: per file the lines they added and removed.

In: commit ids. Out: a `CommitChange` for each, read from one git process however many they are. A
merge has only the lines that none of its parents has (a conflict resolved by hand). Or in: a patch
that somebody typed, piped or was sent. Out: its files.
"""

import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from ..errors import Damaged, UsageError
from .quoting import unquoted
from .repository import Repository

_SYMLINK, _SUBMODULE = b"120000", b"160000"
_RENAMES_FROM = 60  # per cent of a file that has to be the same
# Whatever the user or the repository set for showing diffs: the form is fixed here.
_FORM = (
    "-r", "--root", "--always", "--raw", "--no-abbrev", "-p", "-c", f"-M{_RENAMES_FROM}%",
    "--unified=1", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null",
    "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "--ignore-submodules=all",
    "--diff-algorithm=myers", "--no-notes", "--encoding=UTF-8",
    "--format=commit %H%n%at %ct%n%P%n%s",
)  # fmt: skip
# The letters that git puts before the paths of the sides, see diff.mnemonicPrefix.
_PREFIXED = re.compile(rb"(?:[aciow]/.*|/dev/null)\0(?:[bciow]/.*|/dev/null)", re.S)
_HUNK = re.compile(rb"@@+((?: -\d+(?:,\d+)?)+) \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that took the place of others, without their line feeds.

    `old` and `new` are the numbers of the first line of each; where there are none, that of the
    line before.
    """

    old: int
    removed: tuple[bytes, ...]
    new: int
    added: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a commit: a path or blob is "" on the side where the file does not exist.

    A binary file has blobs and no hunks. Symbolic links and submodules count as not existing.
    """

    old_path: str
    new_path: str
    old_blob: str
    new_blob: str
    hunks: tuple[Hunk, ...] = ()

    @property
    def path(self) -> str:
        """The path by which people know the file now, or knew it last."""
        return self.new_path or self.old_path

    @property
    def added(self) -> dict[int, bytes]:
        """Number → line of what is new in the new file."""
        return {hunk.new + n: line for hunk in self.hunks for n, line in enumerate(hunk.added)}

    @property
    def removed(self) -> dict[int, bytes]:
        """Number → line of what has gone, as counted in the old file."""
        return {hunk.old + n: line for hunk in self.hunks for n, line in enumerate(hunk.removed)}


@dataclass(frozen=True, slots=True)
class CommitChange:
    """A commit; times in seconds of the epoch."""

    commit: str
    parents: tuple[str, ...]
    authored: int
    committed: int
    subject: str
    files: tuple[FileChange, ...] = ()


# Every line that a file has and another version of it has not: attributes hide nothing, and a
# renamed file is one that went and one that came.
ALL_LINES = ("--unified=0", "--text", "--no-renames", "--indent-heuristic")


def commit_changes(
    repository: Repository,
    commits: Iterable[str],
    options: Sequence[str] = (),
    parents: "Mapping[str, str] | None" = None,
) -> Iterator[CommitChange]:
    """Yield what each commit (its whole id) changed, in the order given, few in memory at a time.

    A commit of which git lacks a blob (a partial clone) is left out. Close the iterator to stop
    git early. `options` are further ones of git diff-tree. `parents` names for a merge the one
    parent to compare it with.
    """
    names = list(commits)
    while names:
        place = 0
        for change in _answers(repository, names, options, parents or {}):
            place = names.index(change.commit, place) + 1
            yield change
        names = names[place + 1 :]  # git died of the one at this place, or all are answered


def patch_files(data: bytes) -> list[FileChange]:
    """Return the files of a unified diff, of git or of diff(1), with or without a/ and b/.

    Blobs are "", as no patch has to name them. Raises `UsageError` for one that ends in the middle.
    """
    try:
        return list(_Parser(io.BytesIO(data.replace(b"\r\n", b"\n"))).patch())
    except (_Ended, ValueError, OverflowError):
        raise UsageError("the diff ends in the middle of a hunk, or is damaged") from None


def _answers(
    repository: Repository, commits: list[str], options: Sequence[str], parents: Mapping[str, str]
) -> Iterator[CommitChange]:
    """Yield changes up to the first commit that git cannot read."""
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{name} {parents.get(name, '')}\n" for name in commits).encode())
        asked.seek(0)
        command = ("diff-tree", "--stdin", *_FORM, *options)
        process = repository.git.start(*command, stdin=asked.fileno())
        out = process.stdout
        if out is None:
            raise Damaged("git diff-tree has no pipe")
        try:
            last = None
            for change in _Parser(out).commits():
                if last is not None:
                    yield last
                last = change
            if last is not None and process.wait() == 0:
                yield last
        finally:
            out.close()
            process.kill()
            process.wait()


class _Ended(Exception):
    """The output ends in the middle."""


class _Parser:
    """Reads line by line. The lines of a hunk are counted, so no content is taken for a header."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._line = out.readline()

    def commits(self) -> Iterator[CommitChange]:
        try:
            while self._line:
                if self._line.startswith(b"commit "):
                    yield self._commit()
                else:
                    self._next()
        except _Ended:
            return

    def patch(self) -> Iterator[FileChange]:
        """Read files; what stands between them (a letter, a header of git) is skipped."""
        names: list[bytes] = []
        found: list[Hunk] = []
        while True:
            match = _HUNK.match(self._line) if len(names) == 2 else None
            begins = self._line.startswith(b"--- ")
            if found and not match and (begins or not self._line):
                yield _of_patch(names, found)
                found = []
            if not self._line:
                return
            if match:
                self._next()
                found += self._hunks(match)
            elif begins:
                names = [self._next()]
            elif self._line.startswith(b"+++ ") and len(names) == 1:
                names.append(self._next())
            else:
                self._next()

    def _next(self) -> bytes:
        line, self._line = self._line, self._out.readline()
        return line

    def _commit(self) -> CommitChange:
        name = self._next().split()[1].decode()
        authored, committed = (int(number) for number in self._next().split())
        parents = tuple(self._next().decode().split())
        subject = self._next().decode("utf-8", "replace").rstrip("\n")
        entries: list[tuple[FileChange, bytes]] = []
        hunks: dict[str, list[Hunk]] = {}
        while self._line and not self._line.startswith(b"commit "):
            if self._line.startswith(b":"):
                entries.append(_entry(self._next().rstrip(b"\n")))
            elif self._line.startswith(b"diff "):
                path, found = self._section()
                hunks.setdefault(path, []).extend(found)
            else:
                self._next()
        files = (_with_hunks(entry, hunks) for entry, _ in entries)
        kept = tuple(file for file in files if file.old_blob or file.new_blob)
        return CommitChange(name, parents, authored, committed, subject, kept)

    def _section(self) -> tuple[str, list[Hunk]]:
        """Read the hunks of one file; its path is that of the new file, or of the old one."""
        self._next()
        old = new = ""
        found: list[Hunk] = []
        while self._line and not self._line.startswith((b"diff ", b"commit ", b":")):
            match = _HUNK.match(self._line) if self._line.startswith(b"@@") else None
            if match:
                self._next()
                found += self._hunks(match)
            elif self._line.startswith(b"--- "):
                old = _named(self._next())
            elif self._line.startswith(b"+++ "):
                new = _named(self._next())
            else:
                self._next()
        return new or old, found

    def _hunks(self, match: "re.Match[bytes]") -> list[Hunk]:
        """Read a hunk; of one with several parents only what is in none of them is added."""
        ranges = [_range(part[1:]) for part in match[1].split()]
        width, left = len(ranges), [count for _, count in ranges]
        old, new = ranges[0][0], int(match[2])
        new_left = int(match[3]) if match[3] else 1
        if width == 1:
            return self._plain_hunks(old, left[0], new, new_left)
        new += new_left == 0
        found: list[Hunk] = []
        added: list[bytes] = []

        def close() -> None:
            if added:
                found.append(Hunk(0, (), new - len(added), tuple(added)))
                added.clear()

        while new_left > 0 or any(count > 0 for count in left):
            signs, text = self._content(width)
            gone = b"-" in signs
            for parent, sign in enumerate(signs):
                left[parent] -= sign == ord("-") or (sign == ord(" ") and not gone)
            if gone:
                continue
            new_left -= 1
            if signs == b"+" * width:
                added.append(text)
            else:
                close()
            new += 1
        close()
        return found

    def _plain_hunks(self, old: int, old_left: int, new: int, new_left: int) -> list[Hunk]:
        """Read a hunk with one parent. Most of what is read is read here, so no call a line."""
        old, new = old + (old_left == 0), new + (new_left == 0)
        found: list[Hunk] = []
        removed: list[bytes] = []
        added: list[bytes] = []
        read = self._out.readline
        self._skip_remark()
        line = self._line
        while new_left > 0 or old_left > 0:
            text, line = line, read()
            if line.startswith(b"\\ "):
                line = read()
            sign = text[:1]
            if text == b"\n":  # diff.suppressBlankEmpty
                sign = b" "
            elif len(text) <= 1:
                raise _Ended
            if sign == b"-":
                old_left -= 1
                removed.append(text[1:].removesuffix(b"\n"))
                old += 1
                continue
            new_left -= 1
            new += 1
            if sign == b"+":
                added.append(text[1:].removesuffix(b"\n"))
                continue
            old_left -= sign == b" "
            old += 1
            if removed or added:
                found.append(_closed(old - 1, removed, new - 1, added))
                removed, added = [], []
        self._line = line
        if removed or added:
            found.append(_closed(old, removed, new, added))
        return found

    def _content(self, width: int) -> tuple[bytes, bytes]:
        """Return the signs and the text of a line. Raises `_Ended`."""
        self._skip_remark()
        line = self._next()
        self._skip_remark()
        if line == b"\n":  # diff.suppressBlankEmpty
            return b" " * width, b""
        if len(line) <= width:
            raise _Ended
        return line[:width], line[width:].removesuffix(b"\n")

    def _skip_remark(self) -> None:
        if self._line.startswith(b"\\ "):  # No newline at end of file
            self._next()


def _closed(old: int, removed: list[bytes], new: int, added: list[bytes]) -> Hunk:
    """Return the hunk that ends before these lines."""
    first = old - len(removed) - (not removed)
    return Hunk(first, tuple(removed), new - len(added) - (not added), tuple(added))


def _range(text: bytes) -> tuple[int, int]:
    start, _, count = text.partition(b",")
    return int(start), int(count) if count else 1


def _entry(line: bytes) -> tuple[FileChange, bytes]:
    """Return the file of a raw line and its status.

    ":MODE MODE OID OID S\\tPATH[\\tPATH]", combined: "::MODE MODE MODE OID OID OID SS\\tPATH".
    """
    parents = len(line) - len(line.lstrip(b":"))
    header, *paths = line.lstrip(b":").split(b"\t")
    fields = header.split(b" ")
    modes, oids, status = fields[: parents + 1], fields[parents + 1 : -1], fields[-1]
    names = [os.fsdecode(unquoted(path)) for path in paths]
    old, new = (_blob(modes[n], oids[n]) for n in (0, -1))
    if parents > 1:
        old = ""
    return FileChange(names[0] if old else "", names[-1] if new else "", old, new), status


def _with_hunks(file: FileChange, hunks: dict[str, list[Hunk]]) -> FileChange:
    found = hunks.get(file.path, [])
    if not (file.old_blob and file.new_blob):  # the other side may be a symbolic link
        sides = bool(file.old_blob), bool(file.new_blob)
        found = [hunk for hunk in found if (bool(hunk.removed), bool(hunk.added)) == sides]
    return FileChange(file.old_path, file.new_path, file.old_blob, file.new_blob, tuple(found))


def _blob(mode: bytes, oid: bytes) -> str:
    return "" if mode in (_SYMLINK, _SUBMODULE) or not oid.strip(b"0") else oid.decode()


def _of_patch(names: list[bytes], hunks: list[Hunk]) -> FileChange:
    """Return a file of a patch; its names begin with a/ and b/ or not, and may end with a date."""
    old, new = (unquoted(line[4:].rstrip(b"\n").partition(b"\t")[0].rstrip(b" ")) for line in names)
    if _PREFIXED.match(old + b"\0" + new):
        old, new = (name if name == b"/dev/null" else name[2:] for name in (old, new))
    paths = ["" if name == b"/dev/null" else os.fsdecode(name) for name in (old, new)]
    return FileChange(paths[0], paths[1], "", "", tuple(hunks))


def _named(line: bytes) -> str:
    """Return the path of a "--- a/PATH" line, "" for /dev/null."""
    text = line[4:].removesuffix(b"\n").removesuffix(b"\t")
    if text == b"/dev/null":
        return ""
    return os.fsdecode(unquoted(text)[2:])
