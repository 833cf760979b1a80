"""Read conversations from wherever they are: a file, a folder, an agent's own place, or git.

In: a path, or the name of a format. Out: sessions, each once, and what could not be read.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ...errors import UsageError
from ...git.checkouts import origin_name, worktrees
from ...git.refs import list_refs
from ...git.repository import Repository
from ..model import Problem, Session
from . import entire, gitai
from .detect import READERS, Reader, read_transcript
from .discover import files_of
from .merging import merge
from .places import Roots
from .records import Imported, lines_of

# What lies in git itself, by the refs that hold it: here, and as fetched from elsewhere.
_IN_GIT = {
    gitai.AGENT: (gitai.read_repository, ("refs/notes/ai",)),
    entire.AGENT: (
        entire.read_repository,
        ("refs/heads/entire/checkpoints/", "refs/remotes/*/entire/checkpoints/*"),
    ),
}
KINDS = (*READERS, *_IN_GIT)


def read_source(
    source: str | Path, repository: Repository, environ: Mapping[str, str] = os.environ
) -> Imported:
    """Read the sessions of one source.

    `source` is one of `KINDS`, or the path of a transcript or of a folder of transcripts whose
    format is told by their content. Raises `UsageError` for what is neither.
    """
    roots = roots_of(repository)
    problems: list[Problem] = []
    if source in _IN_GIT:
        reader, patterns = _IN_GIT[str(source)]
        parts = (
            reader(repository, ref, replace(roots, inside=True))
            for ref in list_refs(repository, *patterns)
        )
    elif source in READERS:
        files = files_of(str(source), roots, environ)
        parts = (_read_file(file, roots, READERS[str(source)]) for file in files)
    else:
        parts = (_read_file(file, roots) for file in _files_at(Path(source)))
    return Imported(merge(_gathered(parts, problems)), tuple(problems))


def roots_of(repository: Repository) -> Roots:
    """Return where a repository lies: the main working tree, and the linked ones."""
    tops = worktrees(repository)
    tops += [] if repository.top is None else [str(repository.top)]
    tops += [os.path.realpath(top) for top in tops]
    roots = Roots.of(*tops)
    return replace(roots, names=roots.names | {origin_name(repository)} - {""})


def _gathered(parts: Iterator[Imported], problems: list[Problem]) -> Iterator[Session]:
    for part in parts:
        problems += part.problems
        yield from part.sessions


def _files_at(path: Path) -> list[Path]:
    if path.is_dir():
        files = (each for each in path.rglob("*") if each.suffix in (".json", ".jsonl", ".md"))
        return sorted(each for each in files if each.is_file())
    if path.is_file():
        return [path]
    known = ", ".join(KINDS)
    raise UsageError(f"no such file or format: {path}", f"a path, or one of: {known}")


def _read_file(file: Path, roots: Roots, reader: Reader | None = None) -> Imported:
    try:
        data = file.read_bytes()
    except OSError as error:
        return Imported(problems=(Problem(str(file), 0, error.strerror or "cannot be read"),))
    if reader is None:
        return read_transcript(data, str(file), roots)
    return reader(lines_of(data), str(file), roots)
