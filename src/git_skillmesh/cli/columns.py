"""How wide the screen is, and times as they stand in its columns.

In: standard output, lines of files, stored times. Out: text; what needs no screen is `display`'s.
"""

import sys

from ..display import bytes_word as bytes_word
from ..display import clip as clip
from ..display import fit as fit
from ..display import lines_word as lines_word
from ..display import plural as plural
from ..display import width_of as width_of
from ..display import wrapped as wrapped
from ..git.dates import local_day as local_day
from ..git.dates import local_time as local_time
from ..git.dates import utc as utc

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
