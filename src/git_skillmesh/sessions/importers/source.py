"""Read conversations from wherever they are: a file, a folder, an agent's own place, or git.

In: a path, or the name of a format. Out: sessions, each once, and what could not be read.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ...errors import UsageError
from ...git.checkouts import name_at, origin_name, worktrees
from ...git.refs import list_refs
from ...git.repository import Repository
from ..model import Problem, Session
from . import entire, gitai
from .detect import READERS, agent_of, read_transcript
from .discover import files_of
from .merging import merge
from .places import Roots
from .records import Imported, lines_of

# What lies in git itself, by the refs that hold it: here, and as fetched from elsewhere.
_IN_GIT = {
    gitai.AGENT: (gitai.parts_of, ("refs/notes/ai",)),
    entire.AGENT: (
        entire.parts_of,
        ("refs/heads/entire/checkpoints/**", "refs/remotes/*/entire/checkpoints/**"),
    ),
}
KINDS = (*READERS, *_IN_GIT)
# A larger file is no transcript that anybody has written.
_LARGEST = 2**29
# Where the first time stands in a transcript.
_LOOK = 2**16
_TIME = re.compile(rb'"(?:timestamp|startTime)"\s*:\s*"([^"]{10,40})"')


@dataclass(frozen=True, slots=True)
class Part:
    """What is read at once: a file with its `stamp`, or a part of a ref."""

    name: str
    done: Imported
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A source that is being read: how many parts there are, at most, and the parts."""

    total: int
    parts: Iterator[Part]


def read_source(
    source: str | Path, repository: Repository, environ: Mapping[str, str] = os.environ
) -> Imported:
    """Read the sessions of one source, all at once.

    `source` is one of `KINDS`, or the path of a transcript or of a folder of transcripts whose
    format is told by their content. Raises `UsageError` for what is neither.
    """
    problems: list[Problem] = []
    reading = open_source(source, repository, roots_of(repository), environ)
    return Imported(merge(_gathered(reading.parts, problems)), tuple(problems))


def open_source(
    source: str | Path,
    repository: Repository,
    roots: Roots,
    environ: Mapping[str, str] = os.environ,
) -> Reading:
    """Begin to read a source part by part, the conversation that began first at the beginning.

    Raises `UsageError` for what is neither one of `KINDS` nor a path.
    """
    if source in _IN_GIT:
        reader, patterns = _IN_GIT[str(source)]
        inside = replace(roots, inside=True)
        refs = {oid: ref for ref, oid in reversed(list_refs(repository, *patterns).items())}
        readings = [reader(repository, ref, inside) for ref in refs.values()]
        parts = chain.from_iterable(parts for _, parts in readings)
        return Reading(sum(total for total, _ in readings), (Part("", part) for part in parts))
    if source in READERS:
        return read_files(files_of(str(source), roots, environ), roots, str(source))
    return read_files(_files_at(Path(source)), roots)


def read_files(
    files: Iterable[Path], roots: Roots, agent: str = "", *, checked: bool = False
) -> Reading:
    """Read files, the one with the earliest record first; without an agent, by their content.

    With `checked` the content has to say that the agent wrote it.
    """
    ordered = sorted((_began(file), os.fspath(file)) for file in files)
    parts = (_read_file(Path(file), roots, agent, checked) for _, file in ordered)
    return Reading(len(ordered), parts)


def roots_of(repository: Repository, origin: str | None = None) -> Roots:
    """Return where a repository lies: the main working tree, and the linked ones.

    Git is asked for the address of its `origin` where the caller does not know it.
    """
    tops = worktrees(repository)
    tops += [] if repository.top is None else [str(repository.top)]
    tops += [os.path.realpath(top) for top in tops]
    roots = Roots.of(*tops)
    name = origin_name(repository) if origin is None else name_at(origin)
    return replace(roots, names=roots.names | {name} - {""})


def read_regular(file: Path, most: int = _LARGEST) -> tuple[bytes, os.stat_result]:
    """Return the bytes of a regular file, and what it was when they were read. Raises OSError."""
    number = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(number, "rb") as stream:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        if found.st_size > most:
            raise OSError(errno.EFBIG, "too large for a transcript")
        return stream.read(found.st_size), found


def stamp_of(found: os.stat_result) -> str:
    """Return what changes when a file does: size, time and inode."""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _gathered(parts: Iterator[Part], problems: list[Problem]) -> Iterator[Session]:
    for part in parts:
        problems += part.done.problems
        yield from part.done.sessions


def _files_at(path: Path) -> list[Path]:
    if path.is_dir():
        files = (each for each in path.rglob("*") if each.suffix in (".json", ".jsonl", ".md"))
        return sorted(each for each in files if each.is_file())
    if path.is_file():
        return [path]
    known = ", ".join(KINDS)
    raise UsageError(f"no such file or format: {path}", f"a path, or one of: {known}")


def _began(file: Path) -> str:
    """Return the first time in a file, "" where its format has none."""
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            found = _TIME.search(stream.read(_LOOK))
    except OSError:
        return ""
    return found[1].decode("ascii", "replace") if found else ""


def _read_file(file: Path, roots: Roots, agent: str, checked: bool) -> Part:
    name = os.fspath(file)
    try:
        data, found = read_regular(file)
    except OSError as error:
        said = Problem(name, 0, error.strerror or "cannot be read")
        return Part(name, Imported(problems=(said,)))
    if not agent:
        done = read_transcript(data, name, roots)
    elif checked and data.strip() and agent_of(data) != agent:
        done = Imported(problems=(Problem(name, 0, f"no transcript of {agent}"),))
    else:
        done = READERS[agent](lines_of(data), name, roots)
    return Part(name, done, stamp_of(found))
