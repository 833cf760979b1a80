"""A report as one HTML file: no script, no request to anywhere, dark or light, fit for print.

In: a `Document`. Out: the page. Text of strangers is escaped, and a policy in the page forbids
whatever would get past that.
"""

from collections.abc import Iterator

from . import svg
from .blocks import Bars, Block, Cell, Code, Document, Items, Ranges, Section, Table, Text
from .escaping import text

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2125; --soft: #5b6570; --line: #d8dde3;
  --page: #ffffff; --card: #f5f7f9; --first: #0b62c4; --second: #b4530a; --rest: #cfd6dd; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a3adb8; --line: #39414a;
  --page: #15191d; --card: #1e242a; --first: #6cb0ff; --second: #f0a35e; --rest: #46505a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid var(--line); }
p { margin: .75rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.aside, .about { color: var(--soft); }
.aside { font-size: .875rem; }
code { font: .875em ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  background: var(--card); padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem;
  margin: 1.5rem 0 0; }
dl div { background: var(--card); border-radius: 8px; padding: .85rem 1rem;
  display: flex; flex-direction: column; }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0; }
dd.value { font-size: 1.75rem; font-weight: 600; font-variant-numeric: tabular-nums; }
dd.more { color: var(--soft); font-size: .875rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td { overflow-wrap: break-word; } td code { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
li { margin: .4rem 0; max-width: 46rem; }
svg { display: block; width: 100%; min-width: 34rem; height: auto; max-width: 46rem; }
svg text { fill: var(--ink); font-size: 12px; }
svg .label { text-anchor: end; }
svg .tick { text-anchor: middle; fill: var(--soft); }
svg .note { fill: var(--soft); font-style: italic; }
svg .grid { stroke: var(--line); }
svg .g0 { fill: var(--first); } svg .g1 { fill: var(--second); } svg .rest { fill: var(--rest); }
svg .s0, svg .s1 { stroke: var(--first); stroke-width: 3; } svg .s1 { stroke: var(--second); }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb;
  --page: #fff; --card: #f2f2f2; --first: #0b62c4; --second: #b4530a; --rest: #ccc; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; } body { font-size: 11pt; }
  .wide { overflow: visible; } h2 { break-after: avoid; } tr, svg, dl div { break-inside: avoid; } }
""".strip()


def render(document: Document) -> str:
    """Return the page."""
    title = text(document.title)
    figures = "".join(
        f'<div><dt>{text(name)}</dt><dd class="value">{text(value)}</dd>'
        f'<dd class="more">{text(about)}</dd></div>'
        for name, value, about in document.figures
    )
    sections = "".join(map(_section, document.sections))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{title}</h1>\n<p class="about">{_cell(document.about)}</p>\n<dl>{figures}</dl>\n'
        f"{sections}</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    blocks = "".join(f"{_block(block)}\n" for block in section.blocks)
    return f"<section>\n<h2>{text(section.title)}</h2>\n{blocks}</section>\n"


def _block(block: Block) -> str:
    if isinstance(block, Text):
        kind = ' class="aside"' if block.aside else ""
        return f"<p{kind}>{_cell(block.text)}</p>"
    if isinstance(block, Items):
        return "<ul>" + "".join(f"<li>{_cell(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Table):
        return _wide("table", "".join(_table(block)))
    if isinstance(block, Ranges):
        return _wide("plot", svg.ranges(block))
    return _wide("plot", svg.bars(block)) if isinstance(block, Bars) else ""


def _wide(name: str, inner: str) -> str:
    """Return a region that scrolls where it does not fit, by keyboard as well."""
    return f'<div class="wide" tabindex="0" role="region" aria-label="{name}">{inner}</div>'


def _table(table: Table) -> Iterator[str]:
    yield "<table><thead><tr>"
    for place, name in enumerate(table.head):
        yield f'<th scope="col"{_number(place, table)}>{text(name)}</th>'
    yield "</tr></thead><tbody>"
    for row in table.rows:
        yield "<tr>"
        yield from (f"<td{_number(n, table)}>{_cell(cell)}</td>" for n, cell in enumerate(row))
        yield "</tr>"
    yield "</tbody></table>"


def _number(place: int, table: Table) -> str:
    return ' class="number"' if place in table.right else ""


def _cell(cell: Cell) -> str:
    if isinstance(cell, tuple):
        return "".join(map(_part, cell))
    return _part(cell)


def _part(part: str | Code) -> str:
    return f"<code>{text(part.text)}</code>" if isinstance(part, Code) else text(part)
