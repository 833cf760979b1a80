"""The live buffer: what the hooks of agents have noted since it was last emptied.

In: the state folder of a repository; hooks/agent.py writes there. Out: notes, oldest first. The
buffer holds text as the agents sent it, unredacted: what is stored is deleted at once. Notes that
a killed process had taken out and not stored are there again.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FOLDER = "live"
_OFF = "off"
_TAKEN = ".taken"
_LATEST_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Note:
    """One event of a session. `said` is what the payload tells and no transcript does.

    `moved` holds the variables that move the folder of an agent, as they were for the agent.
    """

    agent: str
    session: str
    event: str
    time: str
    folder: str = ""
    transcripts: tuple[str, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)


class LiveBuffer:
    """The buffer of one repository. One process at a time may empty it (`known.alone`)."""

    def __init__(self, state: Path) -> None:
        self.folder = state / _FOLDER
        self._taken: list[Path] = []

    def take(self) -> list[Note]:
        """Take everything out. It is gone when `done` is called."""
        notes: list[Note] = []
        for path in self._files():
            taken = path if path.name.endswith(_TAKEN) else self._put_aside(path)
            if taken is not None:
                self._taken.append(taken)
                notes += _notes_in(taken)
        return sorted(notes, key=lambda note: note.time)

    def done(self) -> None:
        """Delete what was taken out: it is stored, or not wanted."""
        for path in self._taken:
            path.unlink(missing_ok=True)
        self._taken = []

    def turn(self, on: bool) -> None:
        """Tell the hooks, which read no settings, whether anything is to be noted."""
        off = self.folder / _OFF
        with contextlib.suppress(OSError):
            if on:
                off.unlink(missing_ok=True)
            elif not off.exists():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                off.touch()

    def _files(self) -> list[Path]:
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208
        except OSError:
            return []
        wanted = (name for name in names if name.endswith((".jsonl", _TAKEN)))
        return [path for path in map(self.folder.joinpath, wanted) if not path.is_symlink()]

    def _put_aside(self, path: Path) -> Path | None:
        number = 0
        while (taken := path.with_name(f"{path.name}.{number}{_TAKEN}")).exists():
            number += 1
        try:
            path.rename(taken)
            with taken.open("rb") as stream:  # until every hook that had it open has written
                fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError:
            return None
        return taken


def edited_lately(state: Path, session: str) -> list[str]:
    """Return files that notes of a session tell of, the latest first, from the root of the tree.

    Nothing is taken out, and only the end of each file is looked at.
    """
    found: list[str] = []
    for path in LiveBuffer(state)._files() if session else ():
        for note in reversed(list(_notes_in(path, _LATEST_BYTES))):
            given = note.said.get("tool_input")
            named = note.said.get("file_path") or (
                given.get("file_path") if isinstance(given, dict) else None
            )
            inside = f"{note.folder}/"
            if note.session == session and isinstance(named, str) and named.startswith(inside):
                found.append(named.removeprefix(inside))
    return list(dict.fromkeys(found))


def _notes_in(path: Path, most: int = 0) -> Iterable[Note]:
    try:
        with path.open("rb") as stream:
            if most:
                stream.seek(max(path.stat().st_size - most, 0))
            data = stream.read()
    except OSError:
        return
    for line in data.split(b"\n"):
        note = _note(line) if line else None
        if note is not None:
            yield note


def _note(line: bytes) -> Note | None:
    """Return the note of a line, None for one that a full disk has cut off."""
    try:
        entry = json.loads(line)
        texts = [entry.get(key, "") for key in ("agent", "session", "event", "time", "folder")]
        transcripts, said, moved = (
            entry.get("transcripts", []), entry.get("said", {}), entry.get("moved", {})
        )  # fmt: skip
        if not all(isinstance(text, str) for text in [*texts, *transcripts, *moved.values()]):
            return None
        if not isinstance(said, dict):
            return None
    except (ValueError, RecursionError, AttributeError, TypeError):
        return None
    agent, session, event, time, folder = texts
    return Note(agent, session, event, time, folder, tuple(transcripts), said, moved)
