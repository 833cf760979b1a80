"""From a syntax tree to pieces: definitions whole, large ones divided, small ones left to `pack`.

The walk goes down only where a node is larger than the limit or may hold members, so most nodes
are never seen. Every row between the first and the last goes to exactly one piece by
construction: a unit reaches from its own first row to the row before the next unit.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from tree_sitter import Node

from git_skillmesh.chunking.comments import (
    is_documentation,
    join_comments,
    words_of_docstring,
)
from git_skillmesh.chunking.definitions import Found, Reader, kind_in
from git_skillmesh.chunking.grammar import COMMENTS, CONTAINERS, TYPES, Grammar, words
from git_skillmesh.chunking.grammars import GRAMMARS
from git_skillmesh.chunking.lines import Lines
from git_skillmesh.chunking.names import path_of
from git_skillmesh.chunking.pieces import Named, Piece, Place, Sizes
from git_skillmesh.chunking.syntax import parse
from git_skillmesh.chunking.text import paragraphs
from git_skillmesh.chunking.units import Unit, UnitBuilder

_FUNCTIONS = frozenset({"function", "method", "test"})
_LOCAL = frozenset({"variable", "key"})

# Literals that are divided by lines: nothing in them is a definition.
_BULK = words(
    "initializer_list list dictionary set literal_value array_expression token_tree array_literal"
    " array_creation_expression"
)
# Sequences of records: the keys of a record are not the keys of the file.
_DATA = words("array")


class _Region(NamedTuple):
    nodes: list[Node]
    first: int
    last: int
    place: Place
    grammar: Grammar


def has_grammar(language: str) -> bool:
    """Whether a language is read with a syntax tree."""
    return language in GRAMMARS


def split(lines: Lines, language: str, sizes: Sizes) -> Iterator[Piece]:
    """The pieces of a file, in order, from its syntax tree; paragraphs where there is none."""
    grammar = GRAMMARS[language]
    root = parse(grammar.parser, lines.data)
    if root is None:
        return paragraphs(lines, 0, len(lines) - 1, Place(), sizes)
    return _Walk(lines, sizes).run(root, grammar)


class _Walk:
    """One pass over one file."""

    def __init__(self, lines: Lines, sizes: Sizes) -> None:
        self._lines = lines
        self._sizes = sizes
        self._reader = Reader(lines.data)

    def run(self, root: Node, grammar: Grammar) -> Iterator[Piece]:
        """The pieces below a root, in order, without recursion."""
        nodes = self._reader.children(root)
        whole = _Region(nodes, 0, len(self._lines) - 1, Place(), grammar)
        todo: list[_Region | Piece] = [whole]
        while todo:
            task = todo.pop()
            if isinstance(task, Piece):
                yield task
            else:
                todo.extend(reversed(list(self._divide(task))))

    # A region becomes units, a unit becomes a piece or a smaller region.

    def _divide(self, region: _Region) -> Iterator[_Region | Piece]:
        place = region.place
        builder = UnitBuilder(
            self._reader,
            self._lines,
            region.grammar,
            lambda found: not _is_local(found, place),
            self._sizes.target,
        )
        units = builder.build(region.nodes, region.first, region.last)
        if not units:
            yield from self._by_lines(region.first, region.last, place, head=True)
            return
        units[0].first = region.first
        for unit, after in pairwise(units):
            unit.last = after.first - 1
        units[-1].last = region.last
        for index, unit in enumerate(units):
            yield from self._settle(unit, place, is_first=index == 0)

    def _settle(self, unit: Unit, place: Place, *, is_first: bool) -> Iterator[_Region | Piece]:
        first, last = unit.first, unit.last = self._lines.trim(unit.first, unit.last)
        if first > last:
            return
        found = _chief(unit.found) if unit.found else None
        if first == last or self._lines.size(first, last) <= self._sizes.limit:
            yield self._piece(unit, found, place, is_first=is_first)
            return
        inner = self._place(unit, found, place, is_first=is_first)
        nodes = self._expand(unit)
        if nodes is None:
            yield from self._by_lines(first, last, inner, head=is_first or inner is not place)
        else:
            yield _Region(nodes, first, last, inner, unit.grammar)

    def _expand(self, unit: Unit) -> list[Node] | None:
        """The nodes one level down, or None when nothing that spans rows has children."""
        below: list[Node] = []
        is_deeper = False
        named = {found.node.id for found in unit.found}
        for node in unit.nodes:
            if node.child_count and _spans_rows(node) and node.type not in _BULK:
                below.extend(self._reader.children(node))
                is_deeper = True
            elif node.id not in named:
                below.append(node)
        return below if is_deeper and not self._reader.is_spent else None

    def _by_lines(self, first: int, last: int, place: Place, *, head: bool) -> Iterator[Piece]:
        for piece in paragraphs(self._lines, first, last, place, self._sizes):
            if head:
                _make_head(piece)
                head = False
            yield piece

    def _place(self, unit: Unit, found: Found | None, place: Place, *, is_first: bool) -> Place:
        """Where the parts of a unit that is divided stand."""
        if found is None:
            if place.is_data or not any(node.type in _DATA for node in unit.nodes):
                return place
            inner = replace(place, is_data=True)
            if is_first:
                place.outline, place.comment = (), ""
            return inner
        scope = path_of(place.symbol, found.owner)
        kind = kind_in(found.kind, place.kind)
        outline = [
            one.named(place.symbol, place.kind, unit.first, unit.last)
            for one in unit.found
            if one.name and one.kind != "impl"
        ]
        comments = self._reader.comments(unit.comments)
        comments.append(self._reader.docstring(found.node, unit.grammar))
        if is_first:
            # The first lines of what encloses it are its own first lines: one head for both.
            outline = [*place.outline, *outline]
            comments = [place.comment, *comments]
            place.outline, place.comment = (), ""
        return Place(
            symbol=path_of(scope, found.name),
            kind=kind,
            scope=scope,
            outline=tuple(outline),
            comment=join_comments(comments),
            is_container=kind in CONTAINERS or kind in ("key", "section", "rule", "table"),
        )

    # Pieces.

    def _piece(self, unit: Unit, found: Found | None, place: Place, *, is_first: bool) -> Piece:
        piece = Piece(unit.first, unit.last, place)
        if found:
            self._name(piece, unit, found)
        else:
            self._look_inside(piece, unit)
        if is_first and (place.outline or place.comment):
            _make_head(piece)
            piece.named = False
        return piece

    def _name(self, piece: Piece, unit: Unit, found: Found) -> None:
        place = piece.place
        piece.kind = kind_in(found.kind, place.kind)
        piece.scope = path_of(place.symbol, found.owner)
        piece.symbol = path_of(piece.scope, found.name)
        is_field = place.kind in TYPES and found.kind == "variable"
        is_statement = (
            place.kind in _FUNCTIONS and self._lines.size(unit.first, unit.last) < self._sizes.small
        )
        piece.named = not is_field and not is_statement
        outline: list[Named] = []
        comments = self._reader.comments(unit.comments)
        for one in unit.found:
            named = one.named(place.symbol, place.kind, unit.first, unit.last)
            if one.name:
                outline.append(named)
            if one.kind != "variable":
                comments.append(self._reader.docstring(one.node, unit.grammar))
            if one.kind in CONTAINERS:
                inner, inner_comments = self._reader.members(
                    one.node, unit.grammar, named.symbol, named.kind
                )
                outline += inner
                comments += inner_comments
        piece.outline = tuple(outline)
        piece.comment = join_comments(comments)

    def _look_inside(self, piece: Piece, unit: Unit) -> None:
        """A unit that defines nothing itself may hold definitions, or be documentation."""
        grammar = unit.grammar
        outline: list[Named] = []
        comments: list[str] = []
        place = piece.place
        if unit.nodes[0].type in grammar.docs and not place.symbol:
            comments.append(words_of_docstring(self._reader.source(unit.nodes[0])))
        if grammar.peek and place.kind not in _FUNCTIONS and not place.is_data:
            for node in unit.nodes:
                if node.type in grammar.peek:
                    inner, inner_comments = self._reader.members(
                        node, grammar, place.symbol, place.kind
                    )
                    outline += inner
                    comments += inner_comments
        if unit.comments:
            piece.leads = len(unit.comments) == len(unit.nodes)
            source = self._reader.source(unit.comments[0])
            if (piece.leads and is_documentation(source)) or (
                outline and unit.nodes[0].type in COMMENTS
            ):
                comments = [*self._reader.comments(unit.comments), *comments]
        piece.outline = tuple(outline)
        piece.comment = join_comments(comments)


def _make_head(piece: Piece) -> None:
    """The first lines of a divided definition carry its name, kind and comment, once."""
    place = piece.place
    if not place.outline and not place.comment:
        return
    piece.symbol, piece.scope, piece.head = place.symbol, place.scope, True
    piece.kind = "header" if place.kind in TYPES else place.kind
    piece.outline = (*place.outline, *piece.outline)
    piece.comment = join_comments([place.comment, piece.comment])
    place.outline, place.comment = (), ""


def _chief(all_found: list[Found]) -> Found | None:
    """The definition a unit is named after: the only one, or the largest."""
    named = [found for found in all_found if found.name or found.kind in CONTAINERS]
    if len(named) < 2:
        return named[0] if named else None
    return max(named, key=lambda found: found.node.end_byte - found.node.start_byte)


def _is_local(found: Found, place: Place) -> bool:
    """Local variables, and keys below the second level, are no symbols of the file."""
    if found.kind not in _LOCAL:
        return False
    if place.kind in _FUNCTIONS:
        return True
    return found.kind == "key" and (place.is_data or (place.kind == "key" and place.scope != ""))


def _spans_rows(node: Node) -> bool:
    return node.start_point[0] != node.end_point[0]
