"""A recording of a terminal as a moving picture, without a script and without a font of its own.

In: what a program wrote, with times. Out: SVG. What the program of this project writes is
understood; anything else is refused rather than drawn wrongly.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SIZE, WIDE, HIGH, EDGE = 14, 8.43, 18, 12  # of a letter, its cell and the margin, in pixels
HOLD = 4.0  # seconds that the last picture stays
BACKGROUND, TEXT = "#1f2328", "#d1d7e0"
FONT = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_COLOURS = {
    "30": "#6e7681", "31": "#ff8178", "32": "#6bc46d", "33": "#daaa3f", "34": "#6cb6ff",
    "35": "#dcbdfb", "36": "#56d4dd", "37": TEXT, "90": "#9198a1",
}  # fmt: skip
# What is understood: colours, modes that nobody sees, cursor up, erase the line, line ends, text.
_PARTS = re.compile(
    r"\x1b\[(?P<colours>[0-9;]*)m|(?P<mode>\x1b\[\?(?:25|2004)[hl])|\x1b\[(?P<up>\d*)A|(?P<erase>\x1b\[2K)"
    r"|(?P<newline>\r?\n)|(?P<start>\r)|(?P<letters>[^\x00-\x1f\x7f]+)"
)

Style = tuple[str, bool, bool]  # colour, bold, faint
PLAIN: Style = (TEXT, False, False)


@dataclass(slots=True)
class Cell:
    """A letter at its place, from a time until another or for good."""

    row: int
    column: int
    letter: str
    style: Style
    since: float
    until: float | None = None


class Unknown(Exception):
    """Something that no terminal picture of ours shows."""


class Screen:
    """A terminal without a lower edge: every cell that was ever written, and how long it stood."""

    def __init__(self, columns: int) -> None:
        self.cells: list[Cell] = []
        self.rows = 1
        self._columns = columns
        self._there: dict[tuple[int, int], Cell] = {}
        self._row, self._column, self._style = 0, 0, PLAIN

    def write(self, time: float, text: str) -> None:
        """Take in what was written at a time, not before what is there. Raises Unknown."""
        for part in _parts(text):
            if (codes := part["colours"]) is not None:
                self._style = _styled(self._style, codes)
            elif part["newline"]:
                self._to(self._row + 1, 0)
            elif part["start"]:
                self._column = 0
            elif (up := part["up"]) is not None:
                self._row -= int(up or 1)
            elif part["erase"]:
                for place in [place for place in self._there if place[0] == self._row]:
                    self._there.pop(place).until = time
            for letter in part["letters"] or "":
                self._put(time, letter)

    def _put(self, time: float, letter: str) -> None:
        if self._column == self._columns:
            self._to(self._row + 1, 0)
        place = self._row, self._column
        before = self._there.get(place)
        if before is None or (before.letter, before.style) != (letter, self._style):
            if before is not None:
                before.until = time
            self._there[place] = Cell(*place, letter, self._style, time)
            self.cells.append(self._there[place])
        self._column += 1

    def _to(self, row: int, column: int) -> None:
        self._row, self._column = row, column
        self.rows = max(self.rows, row + 1)

    def text(self) -> str:
        """Return what is there at the end."""
        lines = [[" "] * self._width(row) for row in range(self.rows)]
        for (row, column), cell in self._there.items():
            lines[row][column] = cell.letter
        return "\n".join("".join(line).rstrip() for line in lines).rstrip() + "\n"

    def _width(self, row: int) -> int:
        return max((place[1] + 1 for place in self._there if place[0] == row), default=0)


def _parts(text: str) -> Iterable[re.Match[str]]:
    end = 0
    for part in _PARTS.finditer(text):
        if part.start() != end:
            break
        yield part
        end = part.end()
    if end != len(text):
        raise Unknown(f"not understood: {text[end : end + 20]!r}")


def _styled(style: Style, codes: str) -> Style:
    colour, bold, faint = style
    if many := re.fullmatch(r"38;5;(\d+)", codes):
        return _of_256(int(many[1])), bold, faint
    for code in (codes or "0").split(";"):
        if code == "0":
            colour, bold, faint = PLAIN
        elif code in ("1", "2", "22"):
            bold, faint = code == "1", code == "2"
        elif code == "39":
            colour = TEXT
        elif code in _COLOURS:
            colour = _COLOURS[code]
        else:
            raise Unknown(f"no such colour: {code}")
    return colour, bold, faint


def _of_256(number: int) -> str:
    """Return one of xterm's colours from 16 on: a cube of six steps, then 24 greys."""
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return "#" + "".join(f"{steps[number // part % 6]:02x}" for part in (36, 6, 1))


def shown(events: Iterable[tuple[float, str]], columns: int) -> str:
    """Return what is on the screen at the end, with all that went off its upper edge."""
    screen = Screen(columns)
    for time, text in events:
        screen.write(time, text)
    return screen.text()


def draw(
    events: Sequence[tuple[float, str]], columns: int, rows: int, title: str = "git skillmesh"
) -> str:
    """Return the picture: it plays in a loop, or shows its end where motion is not wanted."""
    screen = Screen(columns)
    for time, text in events:
        screen.write(time, text)
    whole = events[-1][0] + HOLD
    width, height = columns * WIDE + 2 * EDGE, rows * HIGH + 2 * EDGE
    cells = [cell for cell in screen.cells if cell.since != cell.until]
    past = max(screen.rows - rows, 0) * HIGH
    rules = [
        f"text{{white-space:pre;font:{SIZE}px {FONT}}}.gone{{opacity:0}}",
        f"#rows{{transform:translateY({-past}px)}}",
        *(_life(*life, whole) for life in sorted({_life_of(cell) for cell in cells})),
        _scrolling(cells, rows, whole),
        "@media (prefers-reduced-motion:reduce){*{animation:none!important}}",
    ]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">'
        f"<title>{html.escape(title)}</title><style>{''.join(rules)}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>'
        f'<svg x="{EDGE}" y="{EDGE}" width="{columns * WIDE:.0f}" height="{rows * HIGH}">'
        f'<g id="rows">{"".join(_texts(cells))}</g></svg></svg>\n'
    )


def _life_of(cell: Cell) -> tuple[float, float]:
    return cell.since, -1.0 if cell.until is None else cell.until


def _name(since: float, until: float) -> str:
    return f"t{round(since * 1000)}" + (f"u{round(until * 1000)}" if until >= 0 else "")


def _life(since: float, until: float, whole: float) -> str:
    name, begin, end = _name(since, until), 100 * since / whole, 100 * until / whole
    steps = f"0%,{begin:.3f}%{{opacity:0}}{begin + 0.001:.3f}%" if since else "0%"
    if until < 0:
        steps += ",to{opacity:1}"
    else:
        steps += f",{end:.3f}%{{opacity:1}}{end + 0.001:.3f}%,to{{opacity:0}}"
    return f"@keyframes {name}{{{steps}}}.{name}{{animation:{name} {whole:.2f}s infinite}}"


def _texts(cells: Iterable[Cell]) -> Iterable[str]:
    """Write neighbours of one life and one style as one text."""
    groups: dict[tuple[int, float, float], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.row, *_life_of(cell)), []).append(cell)
    for (row, since, until), group in groups.items():
        runs: list[list[Cell]] = []
        for cell in sorted(group, key=lambda cell: cell.column):
            last = runs[-1][-1] if runs else None
            if last and last.style == cell.style and last.column + 1 == cell.column:
                runs[-1].append(cell)
            else:
                runs.append([cell])
        if written := "".join(_run(run) for run in runs):
            name = _name(since, until) + (" gone" if until >= 0 else "")
            yield f'<text class="{name}" y="{row * HIGH + SIZE}">{written}</text>'


def _run(run: Sequence[Cell]) -> str:
    text = "".join(cell.letter for cell in run).rstrip()
    if not text:
        return ""
    colour, bold, faint = run[0].style
    look = f' fill="{colour}"' + ' font-weight="bold"' * bold + ' opacity=".65"' * faint
    length = f' textLength="{len(text) * WIDE:.1f}"' if len(text) > 1 else ""
    return f'<tspan x="{run[0].column * WIDE:.1f}"{look}{length}>{html.escape(text)}</tspan>'


def _scrolling(cells: Iterable[Cell], rows: int, whole: float) -> str:
    """Move the lines up when something is written below the last row."""
    steps, was = ["0%{transform:translateY(0)}"], 0
    for cell in sorted(cells, key=lambda cell: cell.since):
        if (up := cell.row - rows + 1) > was:
            share = 100 * cell.since / whole
            steps.append(
                f"{share:.3f}%{{transform:translateY({-was * HIGH}px)}}"
                f"{share + 0.001:.3f}%{{transform:translateY({-up * HIGH}px)}}"
            )
            was = up
    steps.append(f"to{{transform:translateY({-was * HIGH}px)}}")
    return f"@keyframes up{{{''.join(steps)}}}#rows{{animation:up {whole:.2f}s infinite}}"
