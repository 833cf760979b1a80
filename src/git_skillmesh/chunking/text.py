"""Text without a grammar: lines in, paragraphs out; and the way to divide what has no structure."""

from collections.abc import Iterator

from git_skillmesh.chunking.lines import Lines
from git_skillmesh.chunking.pieces import Piece, Place, Sizes


def paragraphs(lines: Lines, first: int, last: int, place: Place, sizes: Sizes) -> Iterator[Piece]:
    """Runs of rows between blank rows; a run larger than the limit is cut near the target."""
    row = first
    while row <= last:
        while row <= last and lines.is_blank(row):
            row += 1
        start = row
        while row <= last and not lines.is_blank(row):
            row += 1
        if start < row:
            yield from _cut(lines, start, row - 1, place, sizes)


def _cut(lines: Lines, first: int, last: int, place: Place, sizes: Sizes) -> Iterator[Piece]:
    if lines.size(first, last) <= sizes.limit:
        yield Piece(first, last, place)
        return
    start = first
    for row in range(first + 1, last + 1):
        if lines.size(start, row) > sizes.target:
            yield Piece(start, row - 1, place)
            start = row
    yield Piece(start, last, place)
