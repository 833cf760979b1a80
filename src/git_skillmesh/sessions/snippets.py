"""The places that an exchange changed: pieces of code before and after, and the symbols in them.

In: the net change of each file. Out: snippets, their text, and the names of what was involved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..chunking import chunk, language_of
from ..chunking.model import Definition
from .edits_as_diff import FileChange, Place

_MOST_SNIPPETS, _PER_FILE = 8, 3
_LINES, _WIDTH = 10, 160
_LONGEST = 4_000
_MOST_FILES, _MOST_SYMBOLS = 50, 50
# Larger files are not parsed here: a context has to cost milliseconds.
_MOST_PARSED = 60_000
_MOST_PARSED_OF_ALL = 100_000
_HEAD = 4_096
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_WITHOUT_SYMBOLS = frozenset({"json", "text", "yaml", "toml", "ini", "properties", "xml"})


@dataclass(frozen=True, slots=True)
class Snippet:
    """A changed place: its symbol, its line in the new file (0 if unknown), before and after.

    Long ones are cut: what is left out is told by a last line `…`.
    """

    path: str
    symbol: str
    line: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Involved:
    """Snippets of the largest changes, and the symbols of all changes as `path::Outer.inner`."""

    snippets: tuple[Snippet, ...]
    symbols: tuple[str, ...]


def involved_in(changes: Sequence[FileChange]) -> Involved:
    """Return what the changes touched."""
    snippets: list[tuple[int, Snippet]] = []
    symbols: dict[str, None] = {}
    parsed = 0
    for change in changes[:_MOST_FILES]:
        definitions: dict[int, list[Definition]] = {}
        for number, text in enumerate(change.pieces):
            if len(text) <= _MOST_PARSED and parsed + len(text) <= _MOST_PARSED_OF_ALL:
                definitions[number] = _definitions(change.path, text)
                parsed += len(text)
        named = [
            (place, _symbol(definitions.get(place.piece, ()), place)) for place in change.places
        ]
        for place, _ in named:
            touched = _touched(definitions.get(place.piece, ()), place)
            symbols.update(dict.fromkeys(f"{change.path}::{symbol}" for symbol in touched))
        largest = sorted(named, key=lambda one: -len(one[0].added) - len(one[0].removed))
        snippets += [(_size(p), _snippet(change.path, p, s)) for p, s in largest[:_PER_FILE]]
    snippets.sort(key=lambda one: -one[0])
    chosen = tuple(snippet for _, snippet in snippets[:_MOST_SNIPPETS])
    return Involved(chosen, tuple(symbols)[:_MOST_SYMBOLS])


def shown(snippets: Sequence[Snippet]) -> str:
    """Return snippets as text: where, then the lines that went and came with `-` and `+`."""
    parts: list[str] = []
    size = 0
    for snippet in snippets:
        line = f":{snippet.line}" if snippet.line else ""
        head = f"{snippet.path}{line} {snippet.symbol}".rstrip()
        body = [f"-{text}" for text in snippet.before.splitlines()]
        body += [f"+{text}" for text in snippet.after.splitlines()]
        text = "\n".join([head, *body])
        size += len(text) + 2
        if size > _LONGEST and parts:
            break
        parts.append(text[:_LONGEST])
    return "\n\n".join(parts)


def _size(place: Place) -> int:
    return len(place.added) + len(place.removed)


def _definitions(path: str, text: str) -> list[Definition]:
    data = text.encode("utf-8", "replace")
    language = language_of(path, data[:_HEAD])
    if language in _WITHOUT_SYMBOLS:
        return []
    return [definition for piece in chunk(data, language) for definition in piece.outline]


def _touched(definitions: Sequence[Definition], place: Place) -> Iterator[str]:
    """Yield the innermost symbols with changed lines, or the one around a place of no lines."""
    first, last = place.row + 1, place.row + max(len(place.added), 1)
    found = [d for d in definitions if d.start_line <= last and d.end_line >= first]
    # What encloses others comes before them.
    for one, following in pairwise([*found, None]):
        if one and not (following and following.end_line <= one.end_line):
            yield one.symbol


def _symbol(definitions: Sequence[Definition], place: Place) -> str:
    """Return the symbol that a place lies in; the first that it changes, if it is in none."""
    first, last = place.row + 1, place.row + max(len(place.added), 1)
    around = [d for d in definitions if d.start_line <= first and d.end_line >= last]
    if around:
        return min(around, key=lambda one: one.end_line - one.start_line).symbol
    return next(_touched(definitions, place), "")


def _snippet(path: str, place: Place, symbol: str) -> Snippet:
    return Snippet(
        _clean(path[-_WIDTH:]), _clean(symbol), place.line, _cut(place.removed), _cut(place.added)
    )


def _cut(lines: Sequence[str]) -> str:
    """Return the first lines without control characters, none of them long."""
    kept = [_clean(line[:_WIDTH]) + "\u2026" * (len(line) > _WIDTH) for line in lines[:_LINES]]
    return "\n".join(kept + ["\u2026"] * (len(lines) > _LINES))


def _clean(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else _REPLACED for c in text)
