"""A change cut into parts that fit a request.

In: changed files and their lines as they may leave. Out: `Part`s: added, removed and a few
unchanged lines, with the numbers that they have in the new file.
"""

from collections.abc import Iterable, Iterator, Sequence

from ...display import tokens
from ...git.changes import ChangedFile
from .model import Part, Piece

Row = tuple[str, int, str]
_AROUND = 3  # unchanged lines on either side
_MOST_FILES = 8  # in one part: sources have to be about all of them
_HEADER = 15  # tokens around a piece


def rows_of(file: ChangedFile, new: Sequence[str], old: Sequence[str]) -> Iterator[list[Row]]:
    """Yield the changed places of a file; `new` and `old` are its lines after and before."""
    among = file.added()
    if file.hunks is None:
        rows = [("+" if among is None or n in among else " ", n, t) for n, t in enumerate(new, 1)]
        yield rows
        return
    begins = [hunk.new + (not hunk.added) for hunk in file.hunks]
    rows, last = [], 0  # the last line of the new file that is in `rows`
    for hunk, begin, following in zip(file.hunks, begins, [*begins[1:], len(new) + 1], strict=True):
        first = max(begin - _AROUND, last + 1, 1)
        if rows and first > last + 1:
            yield rows
            rows = []
        rows += [(" ", n, new[n - 1]) for n in range(first, begin)]
        if hunk.removed:
            rows += [("-", 0, text) for text in old[hunk.old - 1 : hunk.old - 1 + hunk.removed]]
        end = min(begin + hunk.added, len(new) + 1)
        for n in range(begin, end):
            rows.append(("+" if among is None or n in among else " ", n, new[n - 1]))
        last = max(min(end + _AROUND, following, len(new) + 1) - 1, end - 1)
        rows += [(" ", n, new[n - 1]) for n in range(end, last + 1)]
    if rows:
        yield rows


def cost(row: Row) -> int:
    """Return the tokens of a line as it is shown."""
    return tokens(shown(row)) + 1


def shown(row: Row) -> str:
    """Return a line as a model sees it: number, sign, text."""
    sign, number, text = row
    return f"{number or '':>4} {sign} {text}".rstrip()


def pieces_of(path: str, places: Iterable[list[Row]], room: int) -> Iterator[Piece]:
    """Yield the places of a file in pieces of at most `room` tokens that have an added line."""
    for rows in places:
        kept: list[Row] = []
        used = 0
        for row in rows:
            price = cost(row)
            if kept and used + price > room:
                yield from _piece(path, kept)
                kept, used = [], 0
            kept.append(row)
            used += price
        yield from _piece(path, kept)


def _piece(path: str, rows: list[Row]) -> Iterator[Piece]:
    if any(sign == "+" and text.strip() for sign, _, text in rows):
        yield Piece(path, tuple(rows))


def packed(pieces: Iterable[Piece], room: int) -> Iterator[Part]:
    """Yield parts of at most `room` tokens, as far as single lines are no larger."""
    kept: list[Piece] = []
    used = 0
    for piece in pieces:
        price = sum(map(cost, piece.rows)) + _HEADER
        paths = {one.path for one in kept} | {piece.path}
        if kept and (used + price > room or len(paths) > _MOST_FILES):
            yield Part(tuple(kept))
            kept, used = [], 0
        kept.append(piece)
        used += price
    if kept:
        yield Part(tuple(kept))
