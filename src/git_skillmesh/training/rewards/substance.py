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
from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, lru_cache
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
_MOST_TOKENS = 200_000  # of pieces that are kept
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
    left = not found.issuperset(gone)
    if left and len(old) <= _LARGEST and (units := units_of(path, old)):
        there = [unit for name, data in files for unit in units_of(name, data)]
        found |= _matched(units, set(gone), there)
    return found


@lru_cache(maxsize=_KEPT)
def units_of(path: str, data: bytes) -> tuple[Unit, ...]:
    """Return the units of a file, the outer ones first; nothing without a grammar."""
    language = language_of(path)
    grammar = GRAMMARS.get(language) if language not in _NO_SYNTAX else None
    root = parse(grammar.parser, data) if grammar else None
    if grammar is None or root is None:
        return ()
    if root.child_count == 0 or _is_left_out(root.type):
        return ()
    return tuple(_united(grammar.parser, root, data))


class _Piece:
    """What stands right below the root: its tokens, rows counted from its first, and its units.

    Whether those count that begin with its first token or end with its last one depends on what
    stands beside the piece.
    """

    def __init__(self, node: "Node", data: bytes) -> None:
        self.tokens, spans = _tokens(node, data)
        self.spans = _ordered(spans)
        self._units: dict[tuple[int, int], Unit] = {}

    def units(self, row: int, before: int, after: "_Token | None") -> Iterator[Unit]:
        """Yield the units that begin a line and end one.

        `row` is that of the piece, `before` that of the token before it (-1: none), `after` the
        token behind it. Rows are those of the file.
        """
        tokens, length = self.tokens, len(self.tokens)
        for first, last in self.spans:
            if (before if not first else row + tokens[first - 1].row) >= row + tokens[first].row:
                continue
            follower = after if last == length else tokens[last]
            if follower is not None and follower.text not in (";", ",", ")"):
                there = follower.row + (0 if last == length else row)
                if there <= row + tokens[last - 1].row:
                    continue
            if (first, last) not in self._units:
                self._units[first, last] = _unit(tokens[first:last])
            unit = self._units[first, last]
            yield Unit(unit.first + row, unit.last + row, unit.form, unit.tokens, unit.names)


class _Pieces:
    """Versions of a file share most of their definitions: what was walked through is kept."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str, bytes], _Piece] = OrderedDict()
        self._tokens = 0

    def of(self, grammar: str, node: "Node", data: bytes) -> _Piece:
        """Return a piece: the one that is known of the same text, unless it has errors in it."""
        if node.has_error:
            return _Piece(node, data)
        key = (grammar, node.type, data[node.start_byte : node.end_byte])
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Piece(node, data)
            self._tokens += len(known.tokens)
            while self._tokens > _MOST_TOKENS:
                self._tokens -= len(self._known.popitem(last=False)[1].tokens)
        else:
            self._known.move_to_end(key)
        return known


_pieces = _Pieces()


def _united(grammar: str, root: "Node", data: bytes) -> Iterator[Unit]:
    """Yield the units of a file: that of the root, and those of the pieces below it."""
    children = root.children if not _is_text(root) else [root]
    found = [(_pieces.of(grammar, child, data), child.start_point[0] + 1) for child in children]
    found = [(piece, row) for piece, row in found if piece.tokens]
    total = sum(len(piece.tokens) for piece, _ in found)
    alone = len(found) == 1 and (0, total) in found[0][0].spans  # the root's unit is that one
    if root.is_named and not alone and _LEAST <= total <= _LONGEST:
        yield _unit([token._replace(row=token.row + row) for piece, row in found
                     for token in piece.tokens])  # fmt: skip
    before = -1
    for place, (piece, row) in enumerate(found):
        after = None
        if place + 1 < len(found):
            following, there = found[place + 1]
            after = following.tokens[0]._replace(row=following.tokens[0].row + there)
        yield from piece.units(row, before, after)
        before = piece.tokens[-1].row + row


def _tokens(root: "Node", data: bytes) -> tuple[list[_Token], list[tuple[int, int]]]:
    """Return the tokens of a node, rows counted from its first, and the spans of named nodes."""
    tokens: list[_Token] = []
    spans: list[tuple[int, int]] = []
    todo: list[tuple[Node, int]] = [(root, -1)]
    top = root.start_point[0]
    while todo:
        node, mark = todo.pop()
        if mark >= 0:
            spans.append((mark, len(tokens)))
        elif _is_left_out(node.type):
            continue
        elif not node.child_count or _is_text(node):
            text = data[node.start_byte : node.end_byte].decode("utf-8", "replace")
            tokens.append(_Token(text, _is_name(node), node.start_point[0] - top))
        else:
            if node.is_named:
                todo.append((node, len(tokens)))
            todo += [(child, -1) for child in reversed(node.children)]
    return tokens, spans


def _ordered(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    ends = {(first, last) for first, last in spans if _LEAST <= last - first <= _LONGEST}
    return sorted(ends, key=lambda span: (span[0], -span[1]))


@cache
def _is_left_out(kind: str) -> bool:
    return kind in COMMENTS or "comment" in kind


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
    listed = sorted(gone)
    concerned = [(unit, lines) for unit in units if (lines := _within(unit, listed))]
    used = Counter(unit.form for unit in units if not _within(unit, listed))
    found: set[int] = set()
    for unit, lines in concerned:
        if used[unit.form] >= len(new[unit.form]) or not _is_same(unit, new[unit.form]):
            continue
        used[unit.form] += 1
        found.update(lines)
    return found


def _within(unit: Unit, lines: list[int]) -> list[int]:
    """Return which of the lines, in order, are in a unit."""
    return lines[bisect_left(lines, unit.first) : bisect_right(lines, unit.last)]


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
