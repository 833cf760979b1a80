"""What people see: colours, safe text, progress.

In: text of any origin. Out: text that a terminal shows and does not obey.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

# C0 and C1 controls, and the characters that reorder text (CVE-2021-42574).
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def safe(text: str) -> str:
    """Return text with control characters made visible; tabs and line feeds stay."""
    return _CONTROLS.sub(_visible, text)


def _visible(match: "re.Match[str]") -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def safe_line(text: str) -> str:
    """Return `safe` text that stays on one line, for paths and names."""
    return safe(text).replace("\n", "\u240a").replace("\t", "\u2409")


class Style:
    """ANSI styles, or nothing where colour is off."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.enabled else text

    def tint(self, number: int, text: str) -> str:
        """One of six colours, to tell neighbours apart."""
        return self._wrap(str((36, 33, 35, 32, 34, 31)[number % 6]), text)

    def bold(self, text: str) -> str:
        """Names."""
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        """Asides."""
        return self._wrap("2", text)

    def path(self, text: str) -> str:
        """Places in files."""
        return self._wrap("36", text)

    def match(self, text: str) -> str:
        """Matched words."""
        return self._wrap("1;33", text)

    def good(self, text: str) -> str:
        """What is in order."""
        return self._wrap("32", text)

    def bad(self, text: str) -> str:
        """What is not."""
        return self._wrap("31", text)


def wants_colour(stream: TextIO, choice: str) -> bool:
    """Decide on colour: an explicit choice, else a terminal without NO_COLOR."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def progress_bar(title: str, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show progress on standard error while the block runs; nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update
