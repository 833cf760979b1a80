"""Entire: transcripts of agents in the tree of `entire/checkpoints/…`, once more for each commit.

In: a ref. Out: the sessions of every transcript in it, each as full as its fullest copy. The
`metadata.json` beside a transcript says whose it is and when it was taken: the copies of one
session are read together, the fullest first, and what is only its beginning is not read again.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...git.objects import BlobReader, sizes
from ...git.repository import Repository
from ...git.trees import list_tree
from ..model import Problem, Session
from .detect import read_transcript
from .merging import merge
from .places import Roots
from .records import Imported

AGENT = "entire"

_TRANSCRIPT = re.compile(r"(?:^|/)(?:full|agent-[\w-]+)\.jsonl?$")
_METADATA = "metadata.json"


@dataclass(slots=True)
class _Group:
    """The copies of one session: blob → path, and the time of the earliest."""

    began: str
    paths: dict[str, str]


def read_repository(repository: Repository, ref: str, roots: Roots) -> Imported:
    """Read the transcripts of a ref; the same bytes under several checkpoints are read once."""
    problems: list[Problem] = []
    _, parts = parts_of(repository, ref, roots)

    def sessions() -> Iterator[Session]:
        for part in parts:
            problems.extend(part.problems)
            yield from part.sessions

    return Imported(merge(sessions()), tuple(problems))


def parts_of(repository: Repository, ref: str, roots: Roots) -> tuple[int, Iterator[Imported]]:
    """Return (how many, the sessions of a ref one by one), the earliest first."""
    groups = _groups(repository, ref)
    return len(groups), _parts(repository, ref, roots, groups)


def _parts(
    repository: Repository, ref: str, roots: Roots, groups: list[_Group]
) -> Iterator[Imported]:
    size = sizes(repository, (oid for group in groups for oid in group.paths))
    with BlobReader(repository) as blobs:
        for group in groups:
            oids = sorted(group.paths, key=lambda oid: (-size.get(oid, 0), group.paths[oid]))
            problems: dict[Problem, None] = {}
            copies = zip(oids, blobs.read_many(oids), strict=True)
            found = _sessions(copies, group.paths, ref, roots, problems)
            yield Imported(merge(found), tuple(problems))


def _sessions(
    copies: Iterable[tuple[str, bytes | None]], paths: dict[str, str], ref: str, roots: Roots,
    problems: dict[Problem, None],
) -> Iterator[Session]:  # fmt: skip
    read: list[bytes] = []
    for oid, data in copies:
        source = f"{ref}:{paths[oid]}"
        if data is None:
            problems[Problem(source, 0, "the transcript is missing from this repository")] = None
            continue
        if data.endswith(b"\n") and any(fuller.startswith(data) for fuller in read):
            continue
        if not read or len(read[-1]) != len(data):
            read = [*read, data][-4:]
        done = read_transcript(data, source, roots)
        problems.update(dict.fromkeys(done.problems))
        yield from done.sessions


def _groups(repository: Repository, ref: str) -> list[_Group]:
    """Return the transcripts of a ref by session, as the metadata beside them tells."""
    files = list_tree(repository, ref)
    transcripts = [path for path in files if _TRANSCRIPT.search(path)]
    beside = [files.get(f"{path.rpartition('/')[0]}/{_METADATA}", "") for path in transcripts]
    with BlobReader(repository) as blobs:
        known = dict.fromkeys(oid for oid in beside if oid)
        about = {oid: _about(data) for oid, data in zip(known, blobs.read_many(known), strict=True)}
    groups: dict[str, _Group] = {}
    owner: dict[str, str] = defaultdict(str)
    for path, metadata in zip(transcripts, beside, strict=True):
        session, time = about.get(metadata, ("", ""))
        oid = files[path]
        # The same bytes under another name are the same transcript.
        key = owner[oid] = owner[oid] or session or path.rpartition("/")[0]
        group = groups.setdefault(key, _Group(time, {}))
        group.began = min(filter(None, (group.began, time)), default="")
        group.paths.setdefault(oid, path)
    return sorted(groups.values(), key=lambda group: (group.began, min(group.paths.values())))


def _about(data: bytes | None) -> tuple[str, str]:
    """Return (session, time) of a checkpoint, as far as it tells them."""
    try:
        told = json.loads(data or b"")
        found = told.get("session_id"), told.get("created_at")
    except (ValueError, RecursionError, AttributeError):
        return "", ""
    session, time = (value if isinstance(value, str) else "" for value in found)
    return session, time
