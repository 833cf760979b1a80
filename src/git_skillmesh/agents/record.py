"""What install did to which file, so that remove can undo it to the byte.

In: a path: `skillmesh-agents.json` in the common git directory, or `agents.json` in the user's
configuration. Out: `Record`. It holds what was put in and where, and nothing of what others wrote.
Without it, remove goes by our names and marks.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ReadOnly
from ..files import replace_file
from .edits import Cut


@dataclass
class Done:
    """What was done to one file.

    `cuts` lead from what was there to what has the sum `sum`; None if they no longer do. `made`
    says that there was no file, `folders` which folders came with it, `paths` which containers;
    None of them are known where another clone has installed.
    """

    agents: list[str] = field(default_factory=list)
    made: bool = False
    folders: list[str] = field(default_factory=list)
    cuts: list[Cut] | None = field(default_factory=list)
    sum: str = ""
    paths: list[tuple[str, ...]] | None = field(default_factory=list)


class Record:
    """All files of one scope that agents were installed into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, Done] = {}
        try:
            document = json.loads(path.read_bytes())
            self.files = {str(name): _done(told) for name, told in document["files"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self.files = {}

    def save(self) -> None:
        """Write the record, or delete it if it is empty. Raises `ReadOnly`."""
        document = {"version": 1, "files": {k: _told(done) for k, done in self.files.items()}}
        try:
            if not self.files:
                self.path.unlink(missing_ok=True)
                return
            replace_file(self.path, (json.dumps(document, indent=1) + "\n").encode())
        except OSError as error:
            raise ReadOnly(f"cannot write {self.path}", error.strerror or "") from None


def sum_of(data: bytes) -> str:
    """Return by which a content is known again."""
    return hashlib.sha256(data).hexdigest()


def _told(done: Done) -> dict[str, Any]:
    cuts = None if done.cuts is None else [[cut.at, cut.old, cut.new] for cut in done.cuts]
    return {
        "agents": done.agents, "made": done.made, "folders": done.folders, "cuts": cuts,
        "sum": done.sum, "paths": done.paths,
    }  # fmt: skip


def _done(told: dict[str, Any]) -> Done:
    cuts, paths = told["cuts"], told["paths"]
    return Done(
        [str(name) for name in told["agents"]],
        bool(told["made"]),
        [str(folder) for folder in told["folders"]],
        None if cuts is None else [Cut(int(at), str(old), str(new)) for at, old, new in cuts],
        str(told["sum"]),
        None if paths is None else [tuple(map(str, path)) for path in paths],
    )
