"""A line of code cut to a width around a place in it, and the carets that go below it.

In: a line of a stranger, columns from 1. Out: text that a terminal shows and does not obey.
"""

from ...display import safe_line, width_of

_TAB = 4


def excerpt(line: str, column: int, end_column: int, width: int) -> tuple[str, str]:
    """Return the line, at most so wide, and carets below its columns up to `end_column`.

    What is cut off on a side is `…`. There is always one caret; none where `column` is 0.
    """
    line = line.rstrip("\r\n")
    first = _first_shown(line, column, width)
    shown, used = ("…", 1) if first else ("", 0)
    carets = [used, used]
    for place in range(first, len(line) + 1):
        if place == column - 1:
            carets = [used, used]
        if place == len(line):
            break
        piece = " " * (_TAB - used % _TAB) if line[place] == "\t" else safe_line(line[place])
        if used + width_of(piece) > width - 1 and not _ends_within(line[place:], width - used):
            return shown + "…", _carets(column, carets, width)
        shown, used = shown + piece, used + width_of(piece)
        if column - 1 <= place < end_column - 1:
            carets[1] = used
    return shown.rstrip(), _carets(column, carets, width)


def _carets(column: int, carets: "list[int]", width: int) -> str:
    if column <= 0:
        return ""
    first = min(carets[0], width - 1)
    return " " * first + "^" * max(carets[1] - first, 1)


def _first_shown(line: str, column: int, width: int) -> int:
    """Return the first character to show: the place itself has to be seen."""
    before = line[: max(column - 1, 0)]
    if len(before) <= 2 * width and width_of(safe_line(before.expandtabs(_TAB))) <= width * 2 // 3:
        return 0
    return max(len(before) - width // 3, 0)


def _ends_within(rest: str, width: int) -> bool:
    return len(rest) <= 4 * width and width_of(safe_line(rest.expandtabs(_TAB))) <= width
