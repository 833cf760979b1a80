"""Whether the background work has come to what is there now.

In: a repository. Out: since when something waits for the worker, None if nothing does. Nothing is
locked: a worker that found its lock held, even for a moment, would leave its work to the holder.
"""

import time

from ..git.repository import Repository
from ..sessions.seen import Seen
from .settings import record_path

STUCK_SECONDS = 60.0  # what waits for longer may have been left by a worker that was killed


def waiting_since(repository: Repository) -> float | None:
    """Return when the oldest request was made; now, where git's hook is yet to make one.

    Requests stay until they are served. Between a commit and its request lies the start of a
    program; until then the tips of the last run are not those of now.
    """
    oldest: float | None = None
    try:
        for path in (repository.state_dir / "requests").iterdir():
            if not path.name.startswith("."):
                made = path.stat().st_mtime
                oldest = made if oldest is None else min(oldest, made)
    except OSError:  # none was ever made, or it was served meanwhile
        pass
    return time.time() if oldest is None and _is_unseen(repository) else oldest


def _is_unseen(repository: Repository) -> bool:
    """Whether HEAD has moved and the last run has not seen where to."""
    try:
        installed = record_path(repository).stat().st_mtime
        moved = (repository.git_dir / "logs" / "HEAD").stat().st_mtime
    except OSError:
        return False
    seen = Seen.load(repository.state_dir).tips.get(f"HEAD of {repository.top}")
    if seen is None:  # no run yet
        return moved > installed
    return seen != repository.head_commit()
