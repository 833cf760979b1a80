"""Documents with headings: Markdown and reStructuredText in, a piece per section out."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from git_skillmesh.chunking.lines import Lines
from git_skillmesh.chunking.pieces import Named, Piece, Place, Sizes
from git_skillmesh.chunking.text import paragraphs

_ATX = re.compile(rb" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t\r]*$")
_FENCE = re.compile(rb" {0,3}(`{3,}|~{3,})(.*)$")
_SETEXT = re.compile(rb" {0,3}(=+|-+)[ \t\r]*$")
_NO_TITLE = re.compile(rb"(?:\s{4}|\t|\s*(?:[-*+>#|]|\d+[.)]\s|```|~~~|:::|<))")
_RST_LINE = re.compile(rb"([!-/:-@\[-`{-~])\1{2,}[ \t\r]*$")
_MARKUP = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|!?\[(?P<link>[^\]]*)\](?:\([^)]*\)|\[[^\]]*\])|</?[A-Za-z!][^<>]*>|\{#[^}]*\}"
    # A bar within a word is part of a name, and a star between blanks is one.
    r"|(?P<stars>\*{1,3})(?=\S)(?P<strong>.+?)(?<=\S)(?P=stars)"
    r"|(?<!\w)(?P<bars>_{1,3})(?=\S)(?P<stressed>.+?)(?<=\S)(?P=bars)(?!\w)"
)
_TITLE_READ, _TITLE = 480, 120
_RST_ROLE = re.compile(r":[A-Za-z][\w.+:-]*:(?=`)")


class _Heading(NamedTuple):
    row: int
    level: int
    title: str


def markdown(lines: Lines, sizes: Sizes) -> Iterator[Piece]:
    """The pieces of a Markdown file, one or more for each heading."""
    return _sections(lines, list(_markdown_headings(lines)), sizes)


def rst(lines: Lines, sizes: Sizes) -> Iterator[Piece]:
    """The pieces of a reStructuredText file, one or more for each title."""
    return _sections(lines, list(_rst_headings(lines)), sizes)


def _markdown_headings(lines: Lines) -> Iterator[_Heading]:
    fence = b""
    start = 0
    rows = lines.rows
    if rows and rows[0].rstrip() == b"---":
        end = next((i for i in range(1, len(rows)) if rows[i].rstrip() in (b"---", b"...")), 0)
        start = end + 1
    for row in range(start, len(rows)):
        line = rows[row]
        mark = _FENCE.match(line) if b"```" in line or b"~~~" in line else None
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = b""
        elif mark and not (mark[1][:1] == b"`" and b"`" in mark[2]):
            fence = mark[1]
        elif (atx := _ATX.match(line)) and b"#" in line:
            yield _Heading(row, len(atx[1]), _title(atx[2] or b""))
        elif _SETEXT.match(line) and row > start and _may_be_title(lines, row - 1, start):
            yield _Heading(row - 1, 1 if b"=" in line else 2, _title(rows[row - 1]))


def _may_be_title(lines: Lines, row: int, start: int) -> bool:
    above_is_free = row == start or lines.is_blank(row - 1)
    return above_is_free and not lines.is_blank(row) and not _NO_TITLE.match(lines.rows[row])


def _rst_headings(lines: Lines) -> Iterator[_Heading]:
    rows = lines.rows
    levels: dict[bytes, int] = {}
    row = 0
    while row + 1 < len(rows):
        over = (
            row + 2 < len(rows)
            and _RST_LINE.match(rows[row])
            and not lines.is_blank(row + 1)
            and rows[row + 2].strip() == rows[row].strip()
        )
        title = row + 1 if over else row
        under = rows[title + 1]
        if (
            not lines.is_blank(title)
            and _RST_LINE.match(under)
            and not _RST_LINE.match(rows[title])
            and (over or not rows[title][:1].isspace())
            and len(under.strip()) >= len(rows[title].strip().decode("utf-8", "replace"))
            and (title == 0 or over or lines.is_blank(row - 1))
        ):
            style = under[:1] + (b"=" if over else b"")
            yield _Heading(row, levels.setdefault(style, len(levels) + 1), _title(rows[title]))
            row = title + 2
        else:
            row += 1


def _title(raw: bytes) -> str:
    # Beyond what is shown there is nothing to look for, and a line may be a megabyte long.
    text = _RST_ROLE.sub("", raw.decode("utf-8", "replace").strip()[:_TITLE_READ])
    return " ".join(_plain(text).split())[:_TITLE]


def _plain(text: str) -> str:
    """Return a title as it is read: without the marks of emphasis, code and links."""
    return _MARKUP.sub(_read, text)


def _read(match: re.Match[str]) -> str:
    for name in ("code", "escaped"):
        if match[name] is not None:
            return str(match[name])
    return _plain(next((match[n] for n in ("link", "strong", "stressed") if match[n]), ""))


def _sections(lines: Lines, headings: list[_Heading], sizes: Sizes) -> Iterator[Piece]:
    last = len(lines) - 1
    start = headings[0].row if headings else last + 1
    yield from paragraphs(lines, 0, start - 1, Place(), sizes)
    open_: list[_Heading] = []
    shared: dict[str, Place] = {}
    for heading, after in zip(headings, [*headings[1:], None], strict=False):
        while open_ and open_[-1].level >= heading.level:
            open_.pop()
        scope = " > ".join(h.title for h in open_ if h.title)
        open_.append(heading)
        symbol = " > ".join(h.title for h in open_ if h.title)
        end = after.row - 1 if after else last
        _, end = lines.trim(heading.row, end)
        whole = lines.size(heading.row, end)
        row = heading.row
        if _RST_LINE.match(lines.rows[row]) and row < end:
            row += 1  # an overline comes before the title
        outline = (Named(heading.title, symbol, "section", row, heading.row, end),)
        if whole <= sizes.limit:
            # Small sections of one chapter may be merged; a chapter goes with what it begins.
            chapter = symbol if len(open_) == 1 else scope.split(" > ")[0]
            place = shared.setdefault(chapter, Place(is_container=True))
            yield Piece(
                heading.row,
                end,
                place,
                kind="section",
                symbol=symbol,
                scope=scope,
                outline=outline if heading.title else (),
                named=True,
            )
            continue
        place = Place(symbol=symbol, kind="section", scope=scope)
        head = True
        for piece in _blocks(lines, heading.row, end, place, sizes):
            if head and heading.title:
                piece.symbol, piece.scope, piece.kind = symbol, scope, "section"
                piece.outline, piece.head = outline, True
                head = False
            yield piece


def _blocks(lines: Lines, first: int, last: int, place: Place, sizes: Sizes) -> Iterator[Piece]:
    """Paragraphs, where a fenced block that fits stays whole although it has blank lines."""
    row = first
    while row <= last:
        mark = _FENCE.match(lines.rows[row])
        end = _fence_end(lines, row, last, mark[1]) if mark else row
        if mark and end > row and lines.size(row, end) <= sizes.target:
            yield Piece(row, end, place)
            row = end + 1
            continue
        stop = row + 1
        while stop <= last and not _FENCE.match(lines.rows[stop]):
            stop += 1
        if mark and end > row:
            stop = end + 1
        yield from paragraphs(lines, row, stop - 1, place, sizes)
        row = stop


def _fence_end(lines: Lines, row: int, last: int, fence: bytes) -> int:
    for at in range(row + 1, last + 1):
        mark = _FENCE.match(lines.rows[at])
        if mark and mark[1].startswith(fence) and not mark[2].strip():
            return at
    return row
