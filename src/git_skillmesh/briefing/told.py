"""What a session was told already, so that it is not told the same again.

In: the state folder and a session's id. Out: keys. A small file for each of the latest sessions; a
file that cannot be read or written is done without.
"""

import hashlib
import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ..files import replace_file

FOLDER = "context"
_KEPT_SESSIONS = 100
_KEPT_KEYS = 500


class Told:
    """The memory of one session; without an id there is none."""

    def __init__(self, state: Path, session: str) -> None:
        name = hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()[:32]
        self._file = state / FOLDER / f"{name}.json" if session else None

    def keys(self) -> list[str]:
        """Return what was told, the oldest first."""
        if self._file is None:
            return []
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        listed = isinstance(found, list) and all(isinstance(key, str) for key in found)
        return found if listed else []

    def add(self, new: Collection[str]) -> None:
        """Remember more."""
        if self._file is None or not new:
            return
        keys = list(dict.fromkeys([*self.keys(), *new]))[-_KEPT_KEYS:]
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._file, json.dumps(keys).encode(), durable=False)
            self._forget_old()

    def forget(self) -> None:
        """Forget all: the agent has lost what it was told."""
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _forget_old(self) -> None:
        if self._file is None:
            return
        ages = {}
        for file in self._file.parent.iterdir():
            with suppress(OSError):  # another hook may be at it
                ages[file] = file.stat().st_mtime
        for file in sorted(ages, key=lambda file: -ages[file])[_KEPT_SESSIONS:]:
            file.unlink(missing_ok=True)
