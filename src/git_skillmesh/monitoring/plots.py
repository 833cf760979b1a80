"""Numbers as small pictures of text: a line of bars, a bar, a duration.

In: numbers. Out: text, of block characters or of plain ASCII. Pure.
"""

from collections.abc import Sequence

_BLOCKS, _PLAIN = " ▁▂▃▄▅▆▇█", " .:-=+*#@"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def sparkline(values: Sequence[float], width: int, *, plain: bool = False) -> str:
    """Return a character a value, as many as fit: neighbours are added up where they do not.

    Nothing is a space, and whatever is more than nothing can be seen.
    """
    signs = _PLAIN if plain else _BLOCKS
    values = fitted(values, width)
    most = max(values, default=0)
    if not most:
        return " " * len(values)
    steps = len(signs) - 1
    return "".join(
        signs[0] if value <= 0 else signs[max(1, round(value / most * steps))] for value in values
    )


def fitted(values: Sequence[float], width: int) -> list[float]:
    """Return at most so many values: the last ones whole, neighbours added up."""
    size = -(-len(values) // max(width, 1)) or 1
    start = len(values) % size
    groups = [values[:start]] if start else []
    groups += [values[at : at + size] for at in range(start, len(values), size)]
    return [float(sum(group)) for group in groups]


def bar(share: float, width: int, *, plain: bool = False) -> str:
    """Return a bar for a share of 0 to 1; what is more than nothing can be seen."""
    if plain:
        return "#" * (max(round(share * width), 1) if share > 0 else 0)
    eighths = max(round(share * width * 8), 1) if share > 0 else 0
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def duration(seconds: float | None) -> str:
    """Return a duration with two significant digits, "" for one that is not known."""
    if seconds is None:
        return ""
    for size, unit in ((1e-3, "µs"), (1.0, "ms"), (120.0, "s"), (7200.0, "min")):
        if seconds < size * 0.995:
            factor = {"µs": 1e6, "ms": 1e3, "s": 1.0, "min": 1 / 60}[unit]
            return f"{_short(seconds * factor)} {unit}"
    return f"{_short(seconds / 3600)} h"


def _short(value: float) -> str:
    return f"{value:.1f}" if 0 < value < 9.95 else f"{value:,.0f}"
