"""The commits of a branch by the first parent, with their times.

In: a repository and a commit. Out: what the branch was at a time.
"""

from bisect import bisect_left
from math import floor

from .repository import Repository


class Mainline:
    """The first-parent history of a commit, the oldest first."""

    def __init__(self, repository: Repository, commit: str | None) -> None:
        self._times: list[int] = []
        self._commits: list[str] = []
        if commit is None:
            return
        out = repository.git.run(
            "log", "--first-parent", "--reverse", "--format=%ct %H", "--no-show-signature",
            "--no-notes", "--no-color", "--end-of-options", commit, "--",
        )  # fmt: skip
        latest = 0
        for line in out.decode().splitlines():
            time, _, oid = line.partition(" ")
            # Clocks go back: what counts is when the branch had it at the latest.
            latest = max(latest, int(time))
            self._times.append(latest)
            self._commits.append(oid)

    def at(self, seconds: float) -> str:
        """Return the commit that the branch was at, "" before its first.

        git keeps whole seconds: a commit of the same second is taken to be the later of the two.
        """
        place = bisect_left(self._times, floor(seconds))
        return self._commits[place - 1] if place else ""
