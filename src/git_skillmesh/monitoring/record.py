"""Write down that something was done: what, by whom, how it ended, how long it took.

In: the state folder of a repository, and words that this program chose. Out: a line of
`.git/skillmesh/monitoring/events`. No text of prompts, paths or queries ever comes here.

Hooks are timed with it while an agent or git waits: so nothing is imported that they have not
loaded, one line is one write, and whatever goes wrong is nobody's trouble. journal.py reads.
"""

from __future__ import annotations

import os
import time
from fcntl import LOCK_NB, LOCK_SH, flock

FOLDER = "monitoring"
EVENTS = "events"
OPEN = "open.json"
OFF = "off"  # a file in that folder: the settings say that nothing is to be recorded
VARIABLE = "SKILLMESH_MONITORING"
# The background work takes lines out long before there are so many; without it, this is the end.
FULL_BYTES = 2_000_000
VERSION = "1"
# Whoever takes lines out is met at most once; only a test takes them out without a pause.
_ATTEMPTS = 100


def record(
    state: str | os.PathLike[str], kind: str, label: str, outcome: str, seconds: float | None = None
) -> None:
    """Add one event; `seconds` is how long it took, None where that is not known.

    Does nothing where recording is switched off, where there is no state folder, or where it
    cannot be written. Raises nothing.
    """
    if is_off(state):
        return
    taken = "-" if seconds is None else str(max(int(seconds * 1e6), 0))
    # The line feed before it ends what a full disk may have cut off, the point proves it is whole.
    now = int(time.time() * 1000)
    line = f"\n{VERSION} {now} {kind} {label} {outcome} {taken} .\n".encode()
    folder = os.path.join(state, FOLDER)  # noqa: PTH118
    try:
        _append(folder, line)
    except (OSError, ValueError):
        return


def is_off(state: str | os.PathLike[str]) -> bool:
    """Whether the environment, or the settings as far as hooks have heard, forbid recording."""
    if os.environ.get(VARIABLE, "").strip().lower() == "off":
        return True
    return os.path.exists(os.path.join(state, FOLDER, OFF))  # noqa: PTH110, PTH118


def has_open(state: str | os.PathLike[str]) -> bool:
    """Whether there are findings of which something may become yet; findings.py keeps them."""
    return os.path.exists(os.path.join(state, FOLDER, OPEN))  # noqa: PTH110, PTH118


def _append(folder: str, line: bytes) -> None:
    path = os.path.join(folder, EVENTS)  # noqa: PTH118
    # Without waiting, should it be a pipe.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    for attempt in range(_ATTEMPTS):
        try:
            number = os.open(path, flags, 0o600)
        except FileNotFoundError:
            if attempt:
                return
            os.mkdir(folder, 0o700)  # noqa: PTH102  # not its parent: no state folder, no record
            continue
        try:
            # The lock is shared, so writers do not wait for each other. Who takes lines out renames
            # the file and waits until nobody holds one: a line is in the old file or in a new one.
            flock(number, LOCK_SH | LOCK_NB)
            here = os.fstat(number)
            if os.stat(path, follow_symlinks=False).st_ino != here.st_ino:  # noqa: PTH116
                continue
            if here.st_size < FULL_BYTES:
                os.write(number, line)
            return
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            os.close(number)
