"""Whether anything is recorded: the setting `monitoring`, kept as a file for those who read none.

In: settings, where they were read. Out: yes or no, and the file `off` beside the events.
"""

from contextlib import suppress
from pathlib import Path

from ..config import Config
from .record import FOLDER, OFF

ON = "on"


def turn(state: Path, on: bool) -> None:
    """Tell the hooks, which read no settings, whether anything is to be recorded."""
    off = state / FOLDER / OFF
    with suppress(OSError):
        if on:
            off.unlink(missing_ok=True)
        elif state.is_dir() and not off.exists():
            off.parent.mkdir(mode=0o700, exist_ok=True)
            off.touch()


def follow(state: Path, config: Config) -> bool:
    """Return whether the settings let anything be recorded, and tell the hooks."""
    is_on = config["monitoring"] == ON
    # What one command is told on its command line or in its environment is not for all.
    if config.origins["monitoring"] not in ("command line", "environment"):
        turn(state, is_on)
    return is_on
