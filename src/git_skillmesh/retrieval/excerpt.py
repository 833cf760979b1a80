"""Choose the lines of a chunk that show why it was found.

In: lines, a query. Out: a few lines with the matched words marked.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from ..embedding.tokens import parts, stem
from .results import Line
from .terms import Query

_MOST_LINES = 3
_LONGEST = 400
# Long chunks are read up to here; what matches later still counted for the ranking.
_MOST_READ = 400
_Marks = tuple[tuple[tuple[int, int], ...], frozenset[str]]


def best_lines(lines: Sequence[str], first: int, query: Query) -> tuple[Line, ...]:
    """Return up to three lines in file order: the chunk's first, and where most words match."""
    pattern = _candidates(frozenset(query.stems))
    marked = [_mark(text, query, pattern) for text in lines[:_MOST_READ]]
    opening = next((n for n, text in enumerate(lines[:_MOST_READ]) if text.strip()), None)
    if opening is None:
        return ()
    found = [number for number, (_, words) in enumerate(marked) if words and number != opening]
    found.sort(key=lambda number: (-len(marked[number][1]), number))
    chosen = sorted([opening, *found[: _MOST_LINES - 1]])
    return tuple(Line(first + n, lines[n][:_LONGEST], marked[n][0]) for n in chosen)


@lru_cache(maxsize=16)
def _candidates(stems: frozenset[str]) -> "re.Pattern[str]":
    """Return a pattern for words that may have one of the stems: most words need no closer look.

    A stem's first letters are those of its words, save for a few that English changes.
    """
    starts = sorted({word[: 3 if len(word) > 3 else 2] for word in stems})
    return re.compile(rf"\b\w*?(?:{'|'.join(map(re.escape, starts)) or '(?!)'})\w*", re.IGNORECASE)


def _mark(text: str, query: Query, pattern: "re.Pattern[str]") -> _Marks:
    """Return the columns of words that match, and which stems of the query they are."""
    marks: list[tuple[int, int]] = []
    words: set[str] = set()
    for match in pattern.finditer(text[:_LONGEST]):
        stems = _stems(match[0]) & query.stems.keys()
        if stems:
            marks.append((match.start(), match.end()))
            words |= stems
    return tuple(marks), frozenset(words)


@lru_cache(maxsize=20_000)
def _stems(word: str) -> frozenset[str]:
    return frozenset(stem(piece) for piece in parts(word))
