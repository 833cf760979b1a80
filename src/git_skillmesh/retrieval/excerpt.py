"""Choose the lines of a hit that show why it was found.

In: lines, a query. Out: a few lines with the matched words marked.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from ..chunking.model import Definition
from ..embedding.tokens import parts, stem
from .results import Line
from .terms import Query

_MOST_LINES = 3
_LONGEST = 400
# Long chunks are read up to here; what matches later still counted for the ranking.
_MOST_READ = 400


class Marks(NamedTuple):
    """The columns (start, end) of a line's words that match, and which stems they are."""

    columns: tuple[tuple[int, int], ...]
    stems: frozenset[str]


_NOTHING = Marks((), frozenset())


def mark(lines: Sequence[str], query: Query) -> list[Marks]:
    """Return what matches in each line, as far as they are read."""
    pattern = _candidates(frozenset(query.stems))
    read = [line[:_LONGEST] for line in lines[:_MOST_READ]]
    starts = list(accumulate((len(line) + 1 for line in read), initial=0))
    marked = [_NOTHING] * len(read)
    columns: list[tuple[int, int]] = []
    stems: set[str] = set()
    number = 0
    # One search of all: no word goes over the end of a line.
    for match in pattern.finditer("\n".join(read)):
        matched = stems_of(match[0]) & query.stems.keys()
        if not matched:
            continue
        if match.start() >= starts[number + 1]:
            if columns:
                marked[number] = Marks(tuple(columns), frozenset(stems))
            columns, stems = [], set()
            number = bisect_right(starts, match.start()) - 1
        columns.append((match.start() - starts[number], match.end() - starts[number]))
        stems |= matched
    if columns:
        marked[number] = Marks(tuple(columns), frozenset(stems))
    return marked


def best_lines(
    lines: Sequence[str], first: int, marked: Sequence[Marks], about: Definition | None = None
) -> tuple[Line, ...]:
    """Return up to three lines in file order: an opening one, and where most words match.

    `first` is the number of the first line. It opens with the name of what it is `about`, whose
    lines are the ones to choose from, or with the first line that is not blank.
    """
    start, end = 0, len(marked)
    opening = None
    if about is not None:
        start, end = max(about.start_line - first, 0), min(about.end_line - first + 1, end)
        if 0 <= about.line - first < end:
            opening = about.line - first
    if opening is None:
        opening = next((n for n in range(start, end) if lines[n].strip()), None)
    if opening is None:
        return ()
    found = [n for n in range(start, end) if marked[n].stems and n != opening]
    found.sort(key=lambda number: (-len(marked[number].stems), number))
    chosen = sorted([opening, *found[: _MOST_LINES - 1]])
    return tuple(Line(first + n, lines[n][:_LONGEST], marked[n].columns) for n in chosen)


@lru_cache(maxsize=16)
def _candidates(stems: frozenset[str]) -> "re.Pattern[str]":
    """Return a pattern for words that may have one of the stems: most words need no closer look.

    A stem's first letters are those of its words, save for a few that English changes.
    """
    starts = sorted({word[: 3 if len(word) > 3 else 2] for word in stems})
    return re.compile(rf"\b\w*?(?:{'|'.join(map(re.escape, starts)) or '(?!)'})\w*", re.IGNORECASE)


@lru_cache(maxsize=20_000)
def stems_of(word: str) -> frozenset[str]:
    """Return the stems of a word's parts."""
    return frozenset(stem(piece) for piece in parts(word))
