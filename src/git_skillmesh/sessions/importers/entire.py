"""Entire: transcripts of agents in the tree of `entire/checkpoints/…`, once more for each commit.

In: a ref. Out: the sessions of every transcript in it, each as full as its fullest copy.
"""

import re
from collections.abc import Iterator

from ...git.objects import BlobReader
from ...git.repository import Repository
from ...git.trees import list_tree
from ..model import Problem, Session
from .detect import read_transcript
from .merging import merge
from .places import Roots
from .records import Imported

AGENT = "entire"

_TRANSCRIPT = re.compile(r"(?:^|/)(?:full|agent-[\w-]+)\.jsonl?$")


def read_repository(repository: Repository, ref: str, roots: Roots) -> Imported:
    """Read the transcripts of a ref; the same bytes under several checkpoints are read once."""
    paths: dict[str, str] = {}
    for path, oid in list_tree(repository, ref).items():
        if _TRANSCRIPT.search(path):
            paths.setdefault(oid, path)
    problems: dict[Problem, None] = {}
    with BlobReader(repository) as blobs:
        sessions = merge(_sessions(blobs, paths, ref, roots, problems))
    return Imported(sessions, tuple(problems))


def _sessions(
    blobs: BlobReader, paths: dict[str, str], ref: str, roots: Roots,
    problems: dict[Problem, None],
) -> Iterator[Session]:  # fmt: skip
    for path, data in zip(paths.values(), blobs.read_many(paths), strict=True):
        source = f"{ref}:{path}"
        if data is None:
            problems[Problem(source, 0, "the transcript is missing from this repository")] = None
            continue
        done = read_transcript(data, source, roots)
        problems.update(dict.fromkeys(done.problems))
        yield from done.sessions
