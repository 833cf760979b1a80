"""Plots of a report as inline SVG: shares with intervals, and parts of wholes.

In: plain data. Out: an `<svg>` element, coloured by the page's variables, with a text for those who
do not see it. No script, no font and no address of anywhere.
"""

from collections.abc import Iterator, Sequence

from ...display import clip, safe_line
from .blocks import Bars, Mark, Ranges
from .escaping import text

_WIDTH, _LEFT, _RIGHT = 720, 170, 120
_ROW, _TOP, _BOTTOM = 26, 34, 26
_LABEL = 24


def ranges(plot: Ranges) -> str:
    """Draw shares as dots on their intervals, 0 to 100 %."""
    height = _TOP + _ROW * len(plot.marks) + _BOTTOM
    return "".join(
        [
            *_open(height, plot.title, [f"{one.label}: {_said(one)}" for one in plot.marks]),
            *_legend(plot.groups),
            *_scale(height),
            *(part for row, one in enumerate(plot.marks) for part in _mark(one, row)),
            "</svg>",
        ]
    )


def bars(plot: Bars) -> str:
    """Draw the whole as a pale bar, on one scale for all, and the part of it in colour."""
    height = _TOP + _ROW * len(plot.rows) + 8
    most = max((whole for _, _, whole in plot.rows), default=1) or 1
    room = _WIDTH - _LEFT - _RIGHT
    lines = []
    for row, (label, part, whole) in enumerate(plot.rows):
        y = _TOP + _ROW * row
        wide, dark = room * whole / most, room * part / most
        share = f"{part:,} of {whole:,}"
        lines += [
            _label(label, y),
            f'<rect class="rest" x="{_LEFT}" y="{y + 5}" width="{wide:.1f}" height="15" rx="2"/>',
            f'<rect class="g0" x="{_LEFT}" y="{y + 5}" width="{dark:.1f}" height="15" rx="2"/>',
            f'<text x="{_LEFT + wide + 8:.1f}" y="{y + 17}">{text(share)}</text>',
        ]
    said = [f"{label}: {part} of {whole}" for label, part, whole in plot.rows]
    return "".join([*_open(height, plot.title, said), *_legend(plot.groups, rest=True), *lines,
                    "</svg>"])  # fmt: skip


def _open(height: int, title: str, said: "list[str]") -> Iterator[str]:
    yield f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{text(title)}">'
    yield f"<title>{text(title)}</title><desc>{text('; '.join(said))}</desc>"


def _legend(groups: Sequence[str], *, rest: bool = False) -> Iterator[str]:
    x = float(_LEFT)
    for number, name in enumerate(groups):
        kind = "rest" if rest and number else f"g{number}"
        yield f'<rect class="{kind}" x="{x:.0f}" y="8" width="12" height="12" rx="2"/>'
        yield f'<text x="{x + 18:.0f}" y="18">{text(name)}</text>'
        x += 18 + 7.2 * len(name) + 24


def _scale(height: int) -> Iterator[str]:
    for share in (0, 25, 50, 75, 100):
        x = _at(share / 100)
        yield f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{height - _BOTTOM}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{height - 8}">{share} %</text>'


def _mark(one: Mark, row: int) -> Iterator[str]:
    y = _TOP + _ROW * row
    yield _label(one.label, y)
    middle = y + _ROW / 2
    if one.estimate is None:
        yield f'<text class="note" x="{_LEFT + 6}" y="{y + 17}">{text(one.note)}</text>'
        return
    low, at, high = (_at(x) for x in (one.estimate.low, one.estimate.value, one.estimate.high))
    yield (
        f'<line class="s{one.group}" x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}"/>'
        f'<circle class="g{one.group}" cx="{at:.1f}" cy="{middle}" r="5"/>'
        f'<text x="{_WIDTH - _RIGHT + 14}" y="{y + 17}">{text(_said(one))}</text>'
    )


def _said(one: Mark) -> str:
    if one.estimate is None:
        return one.note
    return f"{one.note} ({one.estimate.low * 100:.0f} to {one.estimate.high * 100:.0f})"


def _label(label: str, y: float) -> str:
    shown = clip(safe_line(label), _LABEL)
    return f'<text class="label" x="{_LEFT - 12}" y="{y + 17}">{text(shown)}</text>'


def _at(share: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share
