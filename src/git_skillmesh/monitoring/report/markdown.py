"""A report as Markdown, for a pull request, an issue or a page.

In: a `Document`. Out: text that ends with a line feed. Text of strangers becomes no markup, no
mention and no link.
"""

import html
import re
from collections.abc import Iterator

from ...display import safe_line, writable
from ...gate.reports.markdown import coded, escaped
from ..plots import bar
from .blocks import Bars, Block, Cell, Code, Document, Items, Ranges, Table, Text

_WIDTH = 20
# Nothing of this is markup within a line, however it is put together.
_HARMLESS = re.compile(r"(?! *\d+[.)])(?! *-)[A-Za-z0-9 ,.;:'\"()%?/→-]*")


def render(document: Document) -> str:
    """Return the report."""
    parts = [f"# {_text(document.title)}", _cell(document.about)]
    rows = [f"- {_text(name)}: **{_text(value)}**, {_text(about)}"
            for name, value, about in document.figures]  # fmt: skip
    parts.append("\n".join(rows))
    for section in document.sections:
        parts.append(f"## {_text(section.title)}")
        parts += [text for block in section.blocks if (text := _block(block))]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return f"<sub>{_cell(block.text)}</sub>" if block.aside else _cell(block.text)
    if isinstance(block, Items):
        return "\n".join(f"- {_cell(item)}" for item in block.items)
    if isinstance(block, Table):
        return "\n".join(_table(block))
    if isinstance(block, Bars):
        return "\n".join(_bars(block))
    return "\n".join(_ranges(block))


def _table(table: Table) -> Iterator[str]:
    yield _row([_text(name) for name in table.head])
    yield _row(["---:" if n in table.right else "---" for n in range(len(table.head))])
    for row in table.rows:
        yield _row([_cell(cell) for cell in row])


def _bars(bars: Bars) -> Iterator[str]:
    yield _row([_text(bars.title), _text(bars.groups[0]), "of", ""])
    yield _row(["---", "---:", "---:", "---"])
    for label, part, whole in bars.rows:
        line = bar(part / whole if whole else 0, _WIDTH)
        filled = line + "░" * (_WIDTH - len(line))
        yield _row([coded(label), f"{part:,}", f"{whole:,}", filled])


def _ranges(ranges: Ranges) -> Iterator[str]:
    """Yield a line of text a row: dashes are the interval, the dot is the share."""
    yield "```text"
    width = max(len(_fenced(mark.label)) for mark in ranges.marks)
    for mark in ranges.marks:
        one = mark.estimate
        line = note = _fenced(mark.note)
        if one is not None:
            low, at, high = (round(value * 2 * _WIDTH) for value in (one.low, one.value, one.high))
            drawn = [" "] * (2 * _WIDTH + 1)
            drawn[low : high + 1] = "─" * (high + 1 - low)
            drawn[at] = "●"
            line = f"|{''.join(drawn)}| {note}"
        yield f"{_fenced(mark.label):<{width}}  {line}"
    yield f"{'':<{width}}  |0 %{'':{2 * _WIDTH - 7}}100 %|"
    yield "```"


def _fenced(text: str) -> str:
    """Return text that cannot end the block of code that it stands in."""
    return writable(safe_line(text)).replace("`", "'")


def _row(cells: "list[str]") -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    if isinstance(cell, tuple):
        return "".join(_spaced(part) for part in cell).strip()
    return _spaced(cell).strip()


def _spaced(part: str | Code) -> str:
    if isinstance(part, Code):
        return coded(part.text).replace("|", "\\|")
    before, after = (" " if part[:1] == " " else ""), (" " if part[-1:] == " " else "")
    return f"{before}{_text(part)}{after}"


def _text(text: str) -> str:
    """Return text as text; as it stands where nothing in it could be anything else."""
    shown = escaped(text)
    # What `escaped` does beside replacing punctuation is to break links, mentions, references.
    harmless = _HARMLESS.fullmatch(text) and html.unescape(shown) == text.strip()
    return text.strip() if harmless else shown
