"""Which candidates a user has put aside, on this machine and for now.

In: a repository. Out: `Skips`, read from `.git/skillmesh/review.json` and written back at once. A
skip is no decision, so nobody else comes to know of it; it ends when more evidence comes to light.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..files import replace_file
from ..git.repository import Repository
from .candidates import Candidate


@dataclass
class Skips:
    """Candidate → how much evidence there was when it was put aside."""

    _path: Path
    _known: dict[str, int] = field(default_factory=dict)

    def has(self, candidate: Candidate) -> bool:
        """Return whether a candidate was put aside as it is."""
        return any(self._known.get(name) == len(candidate.evidence) for name in candidate.aliases)

    def add(self, candidate: Candidate) -> None:
        """Put a candidate aside. Where the disk cannot be written, for this run only."""
        self._known[candidate.id] = len(candidate.evidence)
        text = json.dumps({"version": 1, "skipped": self._known})
        with suppress(OSError):
            replace_file(self._path, text.encode(), durable=False)


def skips_of(repository: Repository) -> Skips:
    """Return what was put aside, nothing if that cannot be read."""
    path = repository.state_dir / "review.json"
    try:
        document = json.loads(path.read_bytes())
        known = document["skipped"] if document["version"] == 1 else {}
        counts = {str(name): count for name, count in known.items() if isinstance(count, int)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        counts = {}
    return Skips(path, counts)
