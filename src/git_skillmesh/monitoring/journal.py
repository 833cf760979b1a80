"""What record.py has written down: recent events line by line, older ones as sums a day.

In: the state folder of a repository. Out: `Journal`: what was done on each day (UTC), and how
often in all. Lines are taken out once there are many: added to the sums of `days.json` in one step,
which names the file that they came from, so that a process killed in between counts nothing twice.
All files together stay below `MOST_BYTES`.
"""

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SkillmeshError
from ..files import replace_file
from ..index.locks import exclusive
from .record import EVENTS, FOLDER, FULL_BYTES, VERSION
from .tally import Tally

SCHEMA = 1
# From here on lines are taken out.
FOLD_BYTES = 128 * 1024
KEPT_DAYS = 400
# Different things that are told apart on one day, and in all; the rest is one, "other".
_MOST_OF_A_DAY, _MOST_IN_ALL = 200, 1_000
DAYS_BYTES = 3_000_000
MOST_BYTES = 2 * FULL_BYTES + DAYS_BYTES
_DAYS = "days.json"
_TAKEN = ".taken"
_PATIENCE_SECONDS = 2.0
_DAY = 86_400
_WORD = rb"[a-z0-9][a-z0-9._:-]{0,80}"
_LINE = re.compile(
    rb"%b (\d{1,15}) (%b) (%b) (%b) (\d{1,15}|-) \." % (VERSION.encode(), _WORD, _WORD, _WORD)
)


class Key(NamedTuple):
    """What was done (`kind`), by whom or about which learning (`label`), and how it ended."""

    kind: str
    label: str
    outcome: str


class Event(NamedTuple):
    """One line: `time` in milliseconds of the epoch, `taken` in microseconds."""

    time: int
    key: Key
    taken: int | None

    @property
    def day(self) -> str:
        """The day in UTC."""
        return day_of(self.time / 1000)


def day_of(seconds: float) -> str:
    """Return the day in UTC of a time in seconds of the epoch."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


Tallies = dict[Key, Tally]


@dataclass(slots=True)
class Journal:
    """`days`: day → what was done on it; `ever`: the same since recording began.

    That was at `began`, in milliseconds of the epoch; 0 where nothing is recorded.
    """

    days: dict[str, Tallies] = field(default_factory=dict)
    ever: Tallies = field(default_factory=dict)
    began: int = 0

    def add(self, events: Iterable[Event]) -> None:
        """Count events in."""
        for event in events:
            _counted(self.days.setdefault(event.day, {}), event.key, _MOST_OF_A_DAY).add(
                event.taken
            )
            _counted(self.ever, event.key, _MOST_IN_ALL).add(event.taken)
            self.began = min(self.began or event.time, event.time)

    def document(self, folded: list[str]) -> dict[str, Any]:
        """Return it as JSON."""
        kept = sorted(self.days)[-KEPT_DAYS:]
        days = {day: _plain(self.days[day]) for day in kept}
        ever = {"began": self.began, "ever": _plain(self.ever)}
        return {"schema": SCHEMA, "folded": folded, **ever, "days": days}


def durations(tallies: Tallies) -> dict[tuple[str, str], Tally]:
    """Return kind and label → how long it took, however it ended; where nobody knows, nothing."""
    found: dict[tuple[str, str], Tally] = {}
    for key, tally in sorted(tallies.items()):
        if tally.timed:
            found.setdefault((key.kind, key.label), Tally()).join(tally)
    return found


def read_journal(state: Path) -> Journal:
    """Return all that is recorded; what cannot be read counts as not recorded."""
    folder = state / FOLDER
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(SkillmeshError):  # read-only, or somebody is slow: a look will do
            if folder.is_dir():
                stack.enter_context(_alone(folder))
        journal, folded = Journal(), list[str]()
        with contextlib.suppress(OSError, _Newer):
            journal, folded = _load(folder)
        for path in _taken(folder):
            if path.name not in folded:
                journal.add(_events_in(path))
        journal.add(_events_in(folder / EVENTS))
    return journal


def fold(state: Path, at_least: int = FOLD_BYTES) -> bool:
    """Add lines to the sums of days, if there are so many bytes of them; return whether.

    Raises nothing: what is not folded now is folded later.
    """
    folder = state / FOLDER
    try:
        if not _taken(folder) and not _size(folder / EVENTS) > at_least:
            return False
        with _alone(folder):
            journal, folded = _load(folder)
            _put_aside(folder)
            taken = _taken(folder)
            for path in taken:
                if path.name not in folded:
                    journal.add(_events_in(path))
            _write(folder / _DAYS, journal.document([path.name for path in taken]))
            for path in taken:
                path.unlink(missing_ok=True)
    except (OSError, SkillmeshError, _Newer):
        return False
    return True


def events_in(data: bytes) -> Iterator[Event]:
    """Yield the events of lines; one that was cut off, or is none of ours, is left out."""
    latest = (time.time() + _DAY) * 1000
    for line in data.split(b"\n"):
        found = _LINE.fullmatch(line)
        if found and int(found[1]) <= latest:
            kind, label, outcome = (found[n].decode() for n in (2, 3, 4))
            taken = None if found[5] == b"-" else int(found[5])
            yield Event(int(found[1]), Key(kind, label, outcome), taken)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _alone(folder: Path) -> "contextlib.AbstractContextManager[None]":
    return exclusive(folder / "lock", _PATIENCE_SECONDS, "the record of what was done")


def _counted(tallies: Tallies, key: Key, most: int) -> Tally:
    if key not in tallies and len(tallies) >= most:
        key = Key(key.kind, "other", key.outcome)
    return tallies.setdefault(key, Tally())


def _events_in(path: Path) -> Iterator[Event]:
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(number, "rb") as stream:
            data = stream.read(2 * FULL_BYTES) or b""
    except OSError:
        return iter(())
    return events_in(data)


def _taken(folder: Path) -> list[Path]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []
    return [folder / name for name in names if name.endswith(_TAKEN)]


def _put_aside(folder: Path) -> None:
    taken = folder / f"{EVENTS}.{time.time_ns()}{_TAKEN}"
    with contextlib.suppress(FileNotFoundError):
        (folder / EVENTS).rename(taken)
        with taken.open("rb") as stream:  # until everybody who had it open has written
            fcntl.flock(stream, fcntl.LOCK_EX)


class _Newer(Exception):
    """A later version has written the sums: they are not ours to write anew."""


def _load(folder: Path) -> tuple[Journal, list[str]]:
    """Return the sums and what is in them; damaged ones are none.

    Raises OSError where they cannot be read now, `_Newer`.
    """
    try:
        document = json.loads((folder / _DAYS).read_bytes())
        if document["schema"] > SCHEMA:
            raise _Newer
        days = {str(day): _read(tallies) for day, tallies in document["days"].items()}
        journal = Journal(days, _read(document["ever"]), int(document["began"]))
        return journal, [str(name) for name in document["folded"]]
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Journal(), []


def _read(document: Mapping[str, Any]) -> Tallies:
    found = {}
    for name, values in document.items():
        kind, label, outcome = name.split(" ")
        found[Key(kind, label, outcome)] = Tally.read(values)
    return found


def _plain(tallies: Tallies) -> dict[str, Any]:
    return {" ".join(key): tally.document() for key, tally in sorted(tallies.items())}


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file in one step. A document that is too large loses its oldest days."""
    data = json.dumps(document, separators=(",", ":")).encode()
    days = dict(document["days"])
    while len(data) > DAYS_BYTES and days:
        for day in sorted(days)[: max(len(days) // 10, 1)]:
            del days[day]
        data = json.dumps({**document, "days": days}, separators=(",", ":")).encode()
    replace_file(path, data)
