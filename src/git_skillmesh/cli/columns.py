"""How wide the screen is, and times as they stand in its columns.

In: standard output, lines of files, stored times. Out: text; what needs no screen is `display`'s.
"""

import sys
from datetime import UTC, datetime

from ..display import clip as clip
from ..display import fit as fit
from ..display import lines_word as lines_word
from ..display import plural as plural
from ..display import width_of as width_of
from ..display import wrapped as wrapped

# Of a pipe, which has no width of its own.
_WIDTH_OF_A_PIPE = 160
_NARROWEST = 40
# A line is looked at up to here: nothing that is longer is text.
_LOOKED_AT = 4_000


def screen_width() -> int:
    """Return the columns of standard output."""
    if not sys.stdout.isatty():
        return _WIDTH_OF_A_PIPE
    import shutil  # slow to load, and no use in a pipe

    return max(shutil.get_terminal_size().columns, _NARROWEST)


def code_line(text: bytes, width: int) -> str:
    """Return a line of a file, tabs as spaces, at most so wide."""
    shown = text[:_LOOKED_AT].decode("utf-8", "replace").rstrip("\r").expandtabs(4)
    return clip(shown + " " * (len(text) > _LOOKED_AT), width).rstrip()


def local_time(iso: str) -> str:
    """Return a stored time as the user's clock had it, to the minute; "" without one."""
    try:
        when = datetime.fromisoformat(iso)
        return (
            (when if when.tzinfo else when.replace(tzinfo=UTC))
            .astimezone()
            .isoformat(" ", "minutes")[:16]
        )
    except (ValueError, OverflowError, OSError):
        return ""


def local_day(seconds: int) -> str:
    """Return the day of a commit as the user's calendar had it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "?"


def utc(seconds: int) -> str:
    """Return the time of a commit as stored times are written."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""
