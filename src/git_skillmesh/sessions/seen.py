"""Where branches were when links were carried the last time.

In: a state folder. Out: `Seen`. It is a cache: without it, the next run looks at more commits.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..files import replace_file
from ..git.repository import Repository
from ..git.rewrites import new_commits

_FILE = "carried.json"
_MOST_GONE = 200


@dataclass(slots=True)
class Seen:
    """`tips` by name, the commit of the notes, and `gone`: commits that a branch has left."""

    tips: dict[str, str] = field(default_factory=dict)
    notes: str | None = None
    gone: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, state: Path) -> "Seen":
        """Return what was saved, or nothing."""
        try:
            found = json.loads((state / _FILE).read_bytes())
            tips = {str(name): _checked(oid) for name, oid in found["tips"].items()}
            notes = found["notes"] and _checked(found["notes"])
            return cls(tips, notes, [_checked(oid) for oid in found["gone"]])
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def after(self, repository: Repository, now: dict[str, str], notes: str | None) -> "Seen":
        """Return what to remember once the commits of `now` have been looked at."""
        left = set(self.tips.values()) - set(now.values())
        lost = set(new_commits(repository, left, now.values())) & left if left else set()
        gone = [*(oid for oid in self.gone if oid not in lost), *sorted(lost)]
        return Seen(dict(now), notes, gone[-_MOST_GONE:])

    def save(self, state: Path) -> None:
        """Keep it; a folder that cannot be written keeps nothing."""
        document = {"tips": self.tips, "notes": self.notes, "gone": self.gone}
        with suppress(OSError):
            replace_file(state / _FILE, json.dumps(document).encode(), durable=False)


def _checked(oid: object) -> str:
    if not isinstance(oid, str) or not re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", oid):
        raise ValueError(f"no object id: {oid!r}")
    return oid
