"""When the last real exchange of an agent arrived, and whether its transcripts are ahead of that.

In: a repository, and an agent by the name its hooks give. Out: `Freshness`.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..git.repository import Repository
from ..sessions.importers.discover import files_of
from ..sessions.importers.source import roots_of, stamp_of
from ..sessions.known import Known
from ..sessions.reading import MemoryReader

# A conversation that was written to so lately may still go on.
_RUNNING_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Freshness:
    """`last` is when the last stored conversation ended, "" if there is none.

    `waiting` are transcripts that have grown since they were read, without those that may still
    grow (`running`).
    """

    last: str
    waiting: tuple[Path, ...]
    running: int


def last_stored(repository: Repository) -> dict[str, str]:
    """Return agent → when its last conversation ended, of what the memory holds."""
    found: dict[str, str] = {}
    for summary in MemoryReader(repository).sessions():
        found[summary.head.agent] = max(found.get(summary.head.agent, ""), summary.head.ended)
    return found


def freshness(
    repository: Repository, agent: str, last: str, environ: Mapping[str, str] = os.environ
) -> Freshness:
    """Compare what is stored with the transcripts of this repository."""
    waiting, running = [], 0
    cache = repository.state_dir / "capture.db"
    known = Known(repository) if cache.is_file() else None
    try:
        for file in files_of(agent, roots_of(repository), environ):
            try:
                found = file.stat()
            except OSError:
                continue
            if known is not None and known.is_unchanged(os.fsencode(file), stamp_of(found)):
                continue
            if time.time() - found.st_mtime < _RUNNING_SECONDS:
                running += 1
            else:
                waiting.append(file)
    finally:
        if known is not None:
            known.close()
    return Freshness(last, tuple(waiting), running)
