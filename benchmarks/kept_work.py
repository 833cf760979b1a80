"""Does confidence separate work that was kept from work that was not? Asked of real exchanges.

    python -m benchmarks.kept_work CLONE…

In: clones with conversations kept by Entire. An exchange counts if it added at least three telling
lines to files of the repository; it was kept if at least half of these lines are in HEAD's version
of their files. The score sees nothing of that: it rests on the session alone, in a second column
also on whether a commit has the lines. Out: the area under the ROC curve, with the interval that
resampling gives.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.modification_types import name_of
from benchmarks.results import Recorder, table
from git_skillmesh.git.process import GitFailed
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.sessions.confidence import Fate, confidence_of
from git_skillmesh.sessions.edits_as_diff import changes_of
from git_skillmesh.sessions.importers.source import read_source
from git_skillmesh.sessions.model import Exchange, Session

_TELLING, _LEAST, _VERSIONS = 8, 3, 6
_ROUNDS = 1_000
# Entire takes some names of files for secrets; such a file is in no repository.
_HIDDEN = "REDACTED"


@dataclass(frozen=True, slots=True)
class Asked:
    """An exchange: was it kept, and what the score says without and with commits."""

    kept: bool
    alone: float
    with_commits: float


class History:
    """The versions of files in a clone, as sets of lines without spaces."""

    def __init__(self, repository: Repository) -> None:
        self._git = repository.git
        self.lines_at = cache(self._lines_at)

    def _lines_at(self, revision: str, path: str) -> frozenset[str]:
        try:
            data = self._git.run("cat-file", "blob", f"{revision}:{path}")
        except GitFailed:
            return frozenset()
        return frozenset(map(bare, data.decode("utf-8", "replace").split("\n")))

    def versions(self, path: str, since: str) -> list[str]:
        """Return the earliest commits that changed a file after a time, on any branch."""
        time = [f"--since={since}"] if since else []
        found = self._git.run("log", "--all", "--format=%H", *time, "--", path)
        return found.decode().split()[-_VERSIONS:]


def bare(line: str) -> str:
    """Return a line without its spaces."""
    return "".join(line.split())


def ask(session: Session, exchange: Exchange, history: History) -> Asked | None:
    """Return what there is to compare, None for an exchange that added too little."""
    added: defaultdict[str, list[str]] = defaultdict(list)
    for change in changes_of(exchange):
        if not change.path.startswith("/") and _HIDDEN not in change.path:
            texts = (bare(line) for place in change.places for line in place.added)
            added[change.path] += [text for text in texts if len(text) >= _TELLING]
    total = sum(map(len, added.values()))
    if total < _LEAST:
        return None
    alive = committed = 0
    for path, lines in added.items():
        now = history.lines_at("HEAD", path)
        alive += sum(line in now for line in lines)
        then = [history.lines_at(one, path) for one in history.versions(path, exchange.started)]
        committed += max((sum(line in one for line in lines) for one in then), default=0)
    fate = Fate(committed=2 * committed >= total)
    return Asked(
        2 * alive >= total,
        confidence_of(session, exchange, Fate()).score,
        confidence_of(session, exchange, fate).score,
    )


def area(kept: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return how often something kept scores above something that was not; ties count half."""
    yes, no = scores[kept][:, None], scores[~kept][None]
    return float((yes > no).mean() + (yes == no).mean() / 2)


def with_interval(kept: NDArray[np.bool_], scores: NDArray[np.float64]) -> list[float]:
    """Return the area and the interval that holds it in 95 % of resamples."""
    dice = np.random.default_rng(0)
    found = []
    for _ in range(_ROUNDS):
        chosen = dice.integers(0, len(kept), len(kept))
        if 0 < kept[chosen].sum() < len(kept):
            found.append(area(kept[chosen], scores[chosen]))
    low, high = np.percentile(found, [2.5, 97.5])
    return [round(area(kept, scores), 3), round(float(low), 3), round(float(high), 3)]


def measure(clone: Path) -> dict[str, object]:
    """Return the figures of a clone."""
    repository = discover(clone)
    history = History(repository)
    sessions = read_source("entire", repository).sessions
    pairs = ((session, exchange) for session in sessions for exchange in session.exchanges)
    asked = [one for pair in pairs if (one := ask(*pair, history))]
    kept = np.array([one.kept for one in asked])
    return {
        "clone": name_of(clone),
        "exchanges": len(asked),
        "kept": int(kept.sum()),
        "alone": with_interval(kept, np.array([one.alone for one in asked])),
        "with commits": with_interval(kept, np.array([one.with_commits for one in asked])),
    }


def main() -> int:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description="does confidence separate what was kept")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    args = parser.parse_args()
    recorder = Recorder("kept_work", None)
    found = [measure(clone) for clone in args.clones]
    print(table(list(found[0]), [[str(cell) for cell in one.values()] for one in found]))
    recorder.write(clones=found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
