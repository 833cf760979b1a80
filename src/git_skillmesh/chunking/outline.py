"""YAML by its indentation: lines in, a piece per key out, large keys divided at the keys below.

Indentation is all that is needed here, and it cannot fail: the scanner of the YAML grammar
overruns its buffer on deep nesting.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from git_skillmesh.chunking.comments import words_of_comment
from git_skillmesh.chunking.lines import Lines
from git_skillmesh.chunking.names import path_of, tidy_name
from git_skillmesh.chunking.pieces import Named, Piece, Place, Sizes
from git_skillmesh.chunking.text import paragraphs

_KEY = re.compile(
    rb"\s*(\"[^\"\n]{1,150}\"|'[^'\n]{1,150}'|[^\s#\"'\-&*!|>%@`{}\[\],?:][^#\n:]{0,150}?):(?:\s|$)"
)
_SCALAR = re.compile(rb"[|>][-+\d]*\s*$")
_COMMENT = re.compile(rb"\s*#")
_NAMED_LEVELS = 2


def yaml(lines: Lines, sizes: Sizes) -> Iterator[Piece]:
    """The pieces of a YAML file, in order."""
    todo: list[tuple[int, int, Place, int] | Piece] = [(0, len(lines) - 1, Place(), 0)]
    while todo:
        task = todo.pop()
        if isinstance(task, Piece):
            yield task
        else:
            todo.extend(reversed(list(_level(lines, *task, sizes))))


def _level(
    lines: Lines, first: int, last: int, place: Place, depth: int, sizes: Sizes
) -> Iterator[tuple[int, int, Place, int] | Piece]:
    """The entries with the least indentation, each a piece, or a level of its own when large."""
    for start, after in pairwise([*_starts(lines, first, last), last + 1]):
        begin, end = lines.trim(start, after - 1)
        if begin > end:
            continue
        at = _content(lines, begin, end)
        whole = Piece(begin, end, place)
        if depth < _NAMED_LEVELS and not place.is_data:
            _name(whole, lines, at)
        if begin == end or lines.size(begin, end) <= sizes.limit:
            yield whole
            continue
        if whole.named:
            inner = Place(whole.symbol, "key", whole.scope, is_container=True)
        else:
            inner = replace(place, is_container=True, is_data=True)
        if at == end or _SCALAR.search(lines.rows[at]) or lines.size(begin, at) > sizes.limit:
            yield from _marked(paragraphs(lines, begin, end, inner, sizes), whole)
        else:
            yield from _marked(iter([Piece(begin, at, inner)]), whole)
            yield (at + 1, end, inner, depth + 1)


def _name(piece: Piece, lines: Lines, row: int) -> None:
    """Names a piece after the key on a row; the comment lines above the key are its comment."""
    key = _KEY.match(lines.rows[row])
    if key is None:
        return
    name = tidy_name(key[1])
    comment = b"\n".join(lines.rows[piece.first : row]).decode("utf-8", "replace")
    piece.kind, piece.named = "key", True
    piece.symbol, piece.scope = path_of(piece.place.symbol, name), piece.place.symbol
    piece.outline = (Named(name, piece.symbol, "key", row, piece.first, piece.last),)
    piece.comment = words_of_comment(comment)


def _marked(pieces: Iterator[Piece], whole: Piece) -> Iterator[Piece]:
    """Gives the name of what is divided to its first piece."""
    for index, piece in enumerate(pieces):
        if index == 0 and whole.named:
            piece.head, piece.kind, piece.symbol = True, whole.kind, whole.symbol
            piece.scope, piece.outline, piece.comment = whole.scope, whole.outline, whole.comment
        yield piece


def _starts(lines: Lines, first: int, last: int) -> list[int]:
    """Rows where entries begin, comments above them included; the first is always `first`."""
    rows = lines.rows
    content = [
        row
        for row in range(first, last + 1)
        if not lines.is_blank(row) and not _COMMENT.match(rows[row])
    ]
    if not content:
        return [first]
    indents = {row: _indent(rows[row]) for row in content}
    least = min(indents.values())
    starts = []
    for row in content:
        if indents[row] > least or rows[row].lstrip()[:1] in (b"]", b"}"):
            continue
        above = row
        while (
            above > first and _COMMENT.match(rows[above - 1]) and _indent(rows[above - 1]) <= least
        ):
            above -= 1
        starts.append(above)
    return [first, *starts[1:]]


def _content(lines: Lines, first: int, last: int) -> int:
    return next((r for r in range(first, last + 1) if not _COMMENT.match(lines.rows[r])), first)


def _indent(row: bytes) -> int:
    return len(row) - len(row.lstrip(b" "))
