"""What learnings would have said of past commits, computed beside the answers.

In: a reading. Out: id of the learning → `Tried`, or None while the replay goes on. All learnings
are tried in one replay of the last commits.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import SkillmeshError
from ..git.repository import Repository
from ..learnings.model import Learning, State
from .learned import learnings_of
from .stores import Reading

if TYPE_CHECKING:
    from ..gate.backtest import Tried

COMMITS = 500


class _Trial:
    """A replay in a thread of its own."""

    def __init__(self, repository: Repository, head: str, learnings: list[Learning]) -> None:
        self.finished = threading.Event()
        self.found: Mapping[str, Tried] = {}
        self._work = (repository, head, learnings)
        threading.Thread(target=self._run, name="backtest", daemon=True).start()

    def _run(self) -> None:
        from ..gate.backtest import backtest  # beside the first view, not before it
        from ..gate.past import Window

        repository, head, learnings = self._work
        try:
            tried = backtest(repository, learnings, Window(head, count=COMMITS))
            self.found = {each.learning.learning_id: each for each in tried}
        except (SkillmeshError, OSError):
            self.found = {}  # a clone that lacks commits, or a matcher that cannot be used
        finally:
            self.finished.set()


def tried_learnings(reading: Reading, seconds: float = 0.0) -> "Mapping[str, Tried] | None":
    """Return what was tried, None while it goes on after waiting so long."""
    state = reading.state
    if state.head is None:
        return {}
    head = state.head
    usable = [
        read.learning
        for read in learnings_of(reading).values()
        if read.learning and read.learning.state is not State.RETIRED
    ]
    if not usable:
        return {}
    trial = reading.part(
        "backtests", (state.learnings, head), lambda: _Trial(reading.repository, head, usable)
    )
    return trial.found if trial.finished.wait(seconds) else None
