"""The log: commits with the files they changed, as `git log` orders and limits them.

In: revisions and paths as a user gives them to git, or ids of commits. Out: `LoggedCommit`s, newest
first or in the order asked; `Headline`s where the files do not matter.
"""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import UsageError
from .repository import Repository

# Whatever the user has set for reading logs.
_FORM = (
    "--raw", "--numstat", "-z", "--no-abbrev", "--find-renames", "--no-textconv", "--no-ext-diff",
    "--no-show-signature", "--no-notes", "--no-color", "--root", "-O/dev/null", "--encoding=UTF-8",
    "--format=%x00commit %H %at%n%aN%n%s%x00",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoggedFile:
    """A file of a commit and its blob ("" if it is gone); counts of a binary file are 0."""

    path: str
    blob: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit; `time` is the author's, in seconds of the epoch. A merge has no files."""

    oid: str
    author: str
    time: int
    summary: str
    files: tuple[LoggedFile, ...] = ()

    @property
    def added(self) -> int:
        """How many lines it added."""
        return sum(file.added for file in self.files)


class Headline(NamedTuple):
    """What a list of thousands shows of a commit; `time` is the author's, in seconds."""

    oid: str
    parents: tuple[str, ...]
    author: str
    time: int
    summary: str


def check_revisions(repository: Repository, revisions: Sequence[str]) -> None:
    """Raise `UsageError` unless git takes all of them as revisions or ranges."""
    for revision in revisions:
        if not is_revision(repository, revision):
            raise UsageError(f"not a revision or range: {revision}")


def is_revision(repository: Repository, text: str) -> bool:
    """Return whether git takes a text as a revision or a range of them."""
    if text.startswith("-") or not text:
        return False
    command = ("rev-list", "--max-count=0", "--end-of-options", text, "--")
    return repository.git.run_unchecked(*command).returncode == 0


def commit_log(
    repository: Repository, revisions: Sequence[str], paths: Sequence[str], limit: int = -1
) -> Generator[LoggedCommit]:
    """Yield the commits of revisions that changed one of the paths, or all of them.

    Close the iterator to stop git early.
    """
    arguments = ["--literal-pathspecs", "log", *_FORM, f"--max-count={limit}"]
    with closing(
        repository.git.fields(*arguments, "--end-of-options", *revisions, "--", *paths)
    ) as fields:
        yield from _parse(fields)


def logged(repository: Repository, commits: Sequence[str]) -> list[LoggedCommit]:
    """Return commits by their whole ids, in that order; those that are not here are left out."""
    if not commits:
        return []
    options = ("--no-walk=unsorted", "--ignore-missing", "--stdin")
    stdin = "\n".join(commits).encode() + b"\n"
    out = repository.git.run("log", *_FORM, *options, stdin=stdin)
    return list(_parse(iter(out.split(b"\0"))))


def headlines(repository: Repository, head: str) -> list[Headline]:
    """Return all commits that a commit reaches, newest first, without their files."""
    arguments = ["log", "-z", "--no-show-signature", "--no-notes", "--no-color", "--no-patch"]
    arguments += ["--encoding=UTF-8", "--format=%H %P%n%at%n%aN%n%s", "--end-of-options", head]
    found = []
    for record in repository.git.run(*arguments, "--").split(b"\0"):
        if record:
            ids, time, author, summary = record.split(b"\n", 3)
            oid, *parents = ids.decode().split()
            found.append(
                Headline(oid, tuple(parents), _text(author), int(time), _text(summary.strip()))
            )
    return found


def _parse(fields: Iterator[bytes]) -> Iterator[LoggedCommit]:
    commit: LoggedCommit | None = None
    blobs: dict[bytes, str] = {}
    files: list[LoggedFile] = []
    for raw in fields:
        field = raw.lstrip(b"\n")
        if field.startswith(b"commit "):
            if commit:
                yield _with(commit, files)
            head, author, summary = field.split(b"\n", 2)
            _, oid, time = head.split(b" ")
            commit = LoggedCommit(oid.decode(), _text(author), int(time), _text(summary))
            blobs, files = {}, []
        elif field.startswith(b":"):
            # ":mode mode oid oid X", then the path, or the old and the new one
            words = field.split(b" ")
            path = next(fields, b"")
            if words[4][:1] in (b"R", b"C"):
                path = next(fields, b"")
            blobs[path] = words[3].decode() if words[3].strip(b"0") else ""
        elif field.count(b"\t") >= 2:
            # "added<TAB>removed<TAB>path", or without a path, and the old and the new one follow
            added, removed, path = field.split(b"\t", 2)
            if not path:
                next(fields, b"")
                path = next(fields, b"")
            counts = [int(count) if count.isdigit() else 0 for count in (added, removed)]
            files.append(LoggedFile(os.fsdecode(path), blobs.get(path, ""), *counts))
    if commit:
        yield _with(commit, files)


def _with(commit: LoggedCommit, files: Sequence[LoggedFile]) -> LoggedCommit:
    return LoggedCommit(commit.oid, commit.author, commit.time, commit.summary, tuple(files))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
