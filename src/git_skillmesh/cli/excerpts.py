"""Lines of what was found: matched words marked, and no wider than the screen.

In: a line with the places of its matches. Out: text to print. In a pipe, where nothing is broken,
lines keep more of what they hold.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from .columns import clip, width_of
from .terminal import safe, safe_line

if TYPE_CHECKING:
    from ..retrieval.results import Line
    from .context import Context

WIDEST = 160  # characters of a line in a pipe, and of anything on a screen that is wider
_LOOKED_AT = 4_000  # a match further on is not worth a look
_TAB = 4


def excerpt(context: "Context", line: "Line", used: int) -> str:
    """Return a line with its matched words marked; `used` columns stand before it.

    On a screen it is cut to what is left of the width, so that the first match is to be seen.
    """
    if not context.on_screen:
        return _in_a_pipe(context, line)
    room = max(min(context.width, WIDEST + used) - used, 1)
    cells = list(_cells(line))
    if sum(width_of(shown) for shown, _ in cells) <= room:
        return _styled(context, cells)
    first = next((place for place, (_, marked) in enumerate(cells) if marked), 0)
    cut = _cut(cells, room)
    if first and first >= len(cut) - 1:  # the match is beyond the edge: begin a little before it
        start = max(first - room // 3, 0)
        cut = [("…", False), *_cut(cells[start:], room - 1)]
    return _styled(context, cut)


def aside(context: "Context", text: str, used: int, whole: bool = False) -> str:
    """Return what stands below a hit, dimmed: one line of a screen, unless it is to be whole."""
    if context.on_screen and not whole:
        text = clip(text, max(context.width - used, 1))
    return context.style.dim(text)


def _cells(line: "Line") -> Iterator[tuple[str, bool]]:
    """Yield what each character looks like, and whether it is part of a match."""
    marked = {place for start, end in line.marks for place in range(start, min(end, _LOOKED_AT))}
    column = 0
    for place, character in enumerate(line.text[:_LOOKED_AT].rstrip()):
        tab = character == "\t"
        shown = " " * (_TAB - column % _TAB) if tab else safe_line(character)
        column += width_of(shown)
        yield shown, place in marked


def _cut(cells: list[tuple[str, bool]], room: int) -> list[tuple[str, bool]]:
    """Return the cells that have room, the last one `…` where others are left out."""
    used = 0
    for place, (shown, _) in enumerate(cells):
        used += width_of(shown)
        if used > room - (place < len(cells) - 1):
            return [*cells[:place], ("…", False)]
    return cells


def _styled(context: "Context", cells: list[tuple[str, bool]]) -> str:
    parts = []
    for marked, group in groupby(cells, lambda cell: cell[1]):
        text = "".join(shown for shown, _ in group)
        parts.append(context.style.match(text) if marked else text)
    return "".join(parts)


def _in_a_pipe(context: "Context", line: "Line") -> str:
    shown, position = "", 0
    for start, end in line.marks:
        shown += safe(line.text[position:start]) + context.style.match(safe(line.text[start:end]))
        position = end
        if position > WIDEST:
            return shown + " …"
    rest = line.text[position : max(position, WIDEST)]
    return shown + safe(rest) + (" …" if len(line.text) > max(position, WIDEST) else "")
