"""Whether lines that are gone as text are there in substance: reformatted, renamed, moved.

In: an older version of a file with the lines that are gone, and the files it may have become. Out:
the lines whose syntax is still there. Pure, but for the grammars.

A unit is a piece of the syntax tree: a definition, a statement, a group of them. Its form is its
tokens without comments, white space, separators at ends of lists and kinds of quotes, with names
numbered in the order in which they first appear, so that a consistent renaming changes nothing.
Of units with the same form as many are there as the new files have; what stood beside the lines in
question and is there too is counted first. Where there is no grammar, the text of a line without
white space has to be within the text of the new file (rewrapped prose).
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ...chunking import language_of
from ...chunking.grammar import COMMENTS
from ...chunking.grammars import GRAMMARS
from ...chunking.syntax import parse

if TYPE_CHECKING:
    from tree_sitter import Node

# Tokens of a unit that says something, and of one that says so much that all names may differ.
_LEAST, _MUCH = 6, 24
# Share of its names that a smaller unit has to share with the one that it is taken for.
_SAME_NAMES = 0.5
_LONGEST = 4_000  # tokens of a unit that is compared
_LARGEST = 400_000  # bytes of a file that is parsed
_PROSE = 20  # letters of a line of text that says something
_KEPT = 16  # files whose units are kept: many commits are compared with the same file of today
_QUOTES = {"'": '"', "'''": '"""'}
_QUOTED = re.compile(r"([A-Za-z]{0,2})('''|')(.*)\2", re.S)
_CLOSES = frozenset(")]}>")
_DROPPED = frozenset({";", "\n"})
_NAMES = frozenset({"name", "constant", "word"})
_NO_SYNTAX = frozenset({"markdown", "rst", "text", "html", "json", "yaml", "toml", "xml"})


class Unit(NamedTuple):
    """A piece of syntax: first and last line (from 1), its form, its tokens and names."""

    first: int
    last: int
    form: str
    tokens: int
    names: frozenset[str]


class _Token(NamedTuple):
    text: str
    is_name: bool
    row: int


def in_substance(
    path: str, old: bytes, gone: Collection[int], new: Iterable[tuple[str, bytes]]
) -> set[int]:
    """Return which of the lines that are gone from `old` are in the new files in substance."""
    files = [(name, data) for name, data in new if len(data) <= _LARGEST]
    found = _squeezed(old, gone, files)
    if len(old) <= _LARGEST and (units := units_of(path, old)):
        there = [unit for name, data in files for unit in units_of(name, data)]
        found |= _matched(units, set(gone), there)
    return found


@lru_cache(maxsize=_KEPT)
def units_of(path: str, data: bytes) -> tuple[Unit, ...]:
    """Return the units of a file, the outer ones first; nothing without a grammar."""
    language = language_of(path)
    grammar = GRAMMARS.get(language) if language not in _NO_SYNTAX else None
    root = parse(grammar.parser, data) if grammar else None
    return tuple(_units(root, data)) if root is not None else ()


def _units(root: "Node", data: bytes) -> Iterator[Unit]:
    """Yield the nodes that begin a line and end one."""
    tokens: list[_Token] = []
    spans: list[tuple[int, int]] = []
    todo: list[tuple[Node, int]] = [(root, -1)]
    while todo:
        node, mark = todo.pop()
        if mark >= 0:
            spans.append((mark, len(tokens)))
        elif node.type in COMMENTS or "comment" in node.type:
            continue
        elif not node.children or _is_text(node):
            text = data[node.start_byte : node.end_byte].decode("utf-8", "replace")
            tokens.append(_Token(text, _is_name(node), node.start_point[0] + 1))
        else:
            if node.is_named:
                todo.append((node, len(tokens)))
            todo += [(child, -1) for child in reversed(node.children)]
    ends = {(first, last) for first, last in spans if _LEAST <= last - first <= _LONGEST}
    for first, last in sorted(ends, key=lambda span: (span[0], -span[1])):
        begins = not first or tokens[first - 1].row < tokens[first].row
        stops = last == len(tokens) or tokens[last].row > tokens[last - 1].row
        closes = last < len(tokens) and tokens[last].text in (";", ",", ")")
        if begins and (stops or closes):
            yield _unit(tokens[first:last])


def _unit(tokens: Sequence[_Token]) -> Unit:
    numbers: dict[str, int] = {}
    said: list[str] = []
    for token in tokens:
        if token.text in _DROPPED:
            continue
        if token.text in _CLOSES and said and said[-1] == ",":
            said.pop()
        if token.is_name:
            said.append(f"\0{numbers.setdefault(token.text, len(numbers))}")
        else:
            said.append(_plain(token.text))
    form = hashlib.blake2b("\1".join(said).encode("utf-8", "replace"), digest_size=8).hexdigest()
    return Unit(tokens[0].row, tokens[-1].row, form, len(said), frozenset(numbers))


def _is_text(node: "Node") -> bool:
    """Whether a node is a text in quotes, without code in it."""
    return "string" in node.type and not any("interp" in each.type for each in node.children)


def _is_name(node: "Node") -> bool:
    return node.is_named and ("identifier" in node.type or node.type in _NAMES)


def _plain(text: str) -> str:
    """Return a token with one kind of quotes."""
    found = _QUOTED.fullmatch(text)
    if not found or '"' in found[3]:
        return text
    return f"{found[1]}{_QUOTES[found[2]]}{found[3]}{_QUOTES[found[2]]}"


def _matched(units: Sequence[Unit], gone: set[int], there: Sequence[Unit]) -> set[int]:
    """Return lines that are in a unit of which the new files have one too many."""
    new: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in there:
        new[unit.form].append(unit)
    concerned = [unit for unit in units if _lines(unit) & gone]
    beside = Counter(unit.form for unit in units if not _lines(unit) & gone)
    used: Counter[str] = Counter(beside)
    found: set[int] = set()
    for unit in concerned:
        if used[unit.form] >= len(new[unit.form]) or not _is_same(unit, new[unit.form]):
            continue
        used[unit.form] += 1
        found |= _lines(unit) & gone
    return found


def _lines(unit: Unit) -> set[int]:
    return set(range(unit.first, unit.last + 1))


def _is_same(unit: Unit, others: Iterable[Unit]) -> bool:
    if unit.tokens >= _MUCH and len(unit.names) < unit.tokens:
        return True
    return any(len(unit.names & one.names) >= _SAME_NAMES * len(unit.names) for one in others)


def _squeezed(old: bytes, gone: Iterable[int], files: Sequence[tuple[str, bytes]]) -> set[int]:
    """Return lines whose text, without white space, is within that of a new file once more."""
    lines = old.split(b"\n")
    before = b"".join(old.split())
    after = [b"".join(data.split()) for _, data in files]
    found = set()
    used: Counter[bytes] = Counter()
    asked = {
        n: text
        for n in sorted(gone)
        if n <= len(lines) and len(text := b"".join(lines[n - 1].split())) >= _PROSE
    }
    wanted = Counter(asked.values())
    for number, text in asked.items():
        beside = before.count(text) - wanted[text]
        if sum(data.count(text) for data in after) > beside + used[text]:
            used[text] += 1
            found.add(number)
    return found
