"""Choose the lines of a hit that show why it was found.

In: lines, a query. Out: a few lines with the matched words marked.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
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
# Words of texts that are remembered for one query.
_MOST_WORDS = 20_000
_REST = re.compile(r"\w*", re.ASCII)


class Marks(NamedTuple):
    """The columns (start, end) of a line's words that match, and which stems they are."""

    columns: tuple[tuple[int, int], ...]
    stems: frozenset[str]


_NOTHING = Marks((), frozenset())


def mark(lines: Sequence[str], query: Query) -> list[Marks]:
    """Return what matches in each line, as far as they are read."""
    finder = _finder(frozenset(query.stems))
    read = [line[:_LONGEST] for line in lines[:_MOST_READ]]
    starts = list(accumulate((len(line) + 1 for line in read), initial=0))
    marked = [_NOTHING] * len(read)
    columns: list[tuple[int, int]] = []
    stems: set[str] = set()
    number = 0
    # One search of all: no word goes over the end of a line.
    for start, end, matched in finder.find("\n".join(read)):
        if start >= starts[number + 1]:
            if columns:
                marked[number] = Marks(tuple(columns), frozenset(stems))
            columns, stems = [], set()
            number = bisect_right(starts, start) - 1
        columns.append((start - starts[number], end - starts[number]))
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


class _Finder:
    """Finds the words of a text that have one of some stems.

    A stem's first letters are those of its words, save for a few that English changes: most words
    need no closer look.
    """

    def __init__(self, stems: frozenset[str]) -> None:
        self._stems = stems
        self._matched: dict[str, frozenset[str]] = {}
        self._begins = sorted({_begin(word) for word in stems})
        together = "".join(self._begins)
        self._plain = all(self._begins) and together.isascii() and together == together.lower()

    def find(self, text: str) -> Iterator[tuple[int, int, frozenset[str]]]:
        """Yield where each word begins and ends, and which of the stems it has."""
        plain = self._plain and text.isascii()
        for start, end in self._plainly(text) if plain else self._words(text):
            word = text[start:end]
            matched = self._matched.get(word)
            if matched is None:
                if len(self._matched) > _MOST_WORDS:
                    self._matched.clear()
                matched = self._matched[word] = stems_of(word) & self._stems
            if matched:
                yield start, end, matched

    @cached_property
    def _pattern(self) -> "re.Pattern[str]":
        begins = "|".join(map(re.escape, self._begins)) or "(?!)"
        return re.compile(rf"\b\w*?(?:{begins})\w*", re.IGNORECASE)

    def _words(self, text: str) -> Iterable[tuple[int, int]]:
        return (match.span() for match in self._pattern.finditer(text))

    def _plainly(self, text: str) -> Iterable[tuple[int, int]]:
        """Return the same for ASCII, several times sooner."""
        lower = text.lower()
        found: dict[int, int] = {}
        for begin in self._begins:
            start = lower.find(begin)
            while start >= 0:
                rest = _REST.match(lower, start)
                end = rest.end() if rest is not None else start
                while start and (lower[start - 1].isalnum() or lower[start - 1] == "_"):
                    start -= 1
                found[start] = end
                start = lower.find(begin, end)
        return sorted(found.items())


def _begin(stem: str) -> str:
    """Return how each word with a stem begins: English changes no more than its end."""
    return stem[: max(3, len(stem) - 2) if len(stem) > 3 else 2]


@lru_cache(maxsize=16)
def _finder(stems: frozenset[str]) -> _Finder:
    return _Finder(stems)


@lru_cache(maxsize=20_000)
def stems_of(word: str) -> frozenset[str]:
    """Return the stems of a word's parts."""
    return frozenset(stem(piece) for piece in parts(word))
