"""The definitions of a chunk as the catalogue keeps them.

In: a chunk's outline. Out: a short text, and back. Lines count from the chunk's first; a symbol
is the length of what it shares with the one before and the rest (front coding), so that the whole
takes 3 % of the source.
"""

from collections.abc import Sequence
from itertools import takewhile

from ..chunking.model import KINDS, Chunk, Definition
from ..errors import Damaged
from .database import REBUILD

_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


def encode(chunk: Chunk) -> str | None:
    """Return the outline as text; None where the chunk is one definition that opens with its name.

    A chunk that defines nothing has an empty one.
    """
    whole = Definition(chunk.symbol, chunk.kind, chunk.start_line, chunk.start_line, chunk.end_line)
    if chunk.outline == (whole,):
        return None
    rows, before, base = [], chunk.symbol, chunk.start_line
    for one in chunk.outline:
        pairs = zip(before, one.symbol, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        before = one.symbol
        numbers = (one.line - base, one.start_line - base, one.end_line - base)
        rows.append(
            " ".join(map(str, (*numbers, _NUMBERS[one.kind], shared))) + " " + before[shared:]
        )
    return "\n".join(rows)


def decode(text: str | None, symbol: str, kind: str, start: int, end: int) -> Sequence[Definition]:
    """Return the outline of a chunk with this symbol, kind and lines. Raises `Damaged`."""
    if text is None:
        return (Definition(symbol, kind, start, start, end),)
    found: list[Definition] = []
    if not text:
        return found
    before = symbol
    try:
        for row in text.split("\n"):
            line, first, last, number, shared, rest = row.split(" ", 5)
            before = before[: int(shared)] + rest
            found.append(
                Definition(
                    before, KINDS[int(number)], start + int(line), start + int(first),
                    start + int(last),
                )
            )  # fmt: skip
    except (ValueError, IndexError):
        raise Damaged("the index lost the outline of a chunk", REBUILD) from None
    return found
