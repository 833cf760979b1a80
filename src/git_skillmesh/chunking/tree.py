"""From a syntax tree to pieces: definitions whole, large ones divided, small ones left to `pack`.

The walk goes down only where a node is larger than the limit or may hold members, so most nodes
are never seen. Every row between the first and the last goes to exactly one piece by
construction: a unit reaches from its own first row to the row before the next unit.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tree_sitter import Node, Parser, Range
from tree_sitter_language_pack import get_parser

from git_skillmesh.chunking.comments import (
    is_documentation,
    join_comments,
    words_of_comment,
    words_of_docstring,
)
from git_skillmesh.chunking.grammar import (
    COMMENTS,
    CONTAINERS,
    TYPES,
    Def,
    Grammar,
    Heads,
)
from git_skillmesh.chunking.grammars import GRAMMARS
from git_skillmesh.chunking.lines import Lines
from git_skillmesh.chunking.pieces import Piece, Place, Sizes
from git_skillmesh.chunking.text import paragraphs

MAX_NODES = 400_000
"""Nodes visited in one file; what is left then is divided by lines."""

_HEAD_BYTES = 400
_NAME_CHARS = 200
_MEMBERS = 2_000
_BRACKETS = frozenset(")]},;>{[(:=")
_CLOSERS = frozenset("end fi done esac endif endfunction endclass endmodule #endif @end".split())
_LOCAL = frozenset({"variable", "key"})
_QUALIFIED = frozenset({"function", "method", "class", "variable"})


# Literals that are divided by lines: nothing in them is a definition.
_BULK = frozenset(
    "initializer_list list dictionary set literal_value array_expression token_tree"
    " array_literal array_creation_expression".split()
)
# Sequences of records: the keys of a record are not the keys of the file.
_DATA = frozenset("array block_sequence block_sequence_item flow_sequence".split())

_parsers = threading.local()


class _Found(NamedTuple):
    kind: str
    name: str
    owner: str
    node: Node


class _Switch(NamedTuple):
    grammar: Grammar


@dataclass(slots=True)
class _Unit:
    """Sibling nodes that share rows or belong together; `is_open` while it is only a prefix."""

    first: int
    last: int
    grammar: Grammar
    nodes: list[Node]
    found: list[_Found] = field(default_factory=list)
    comments: list[Node] = field(default_factory=list)
    is_open: bool = False
    is_sticky: bool = False

    def extend(self, node: Node, last: int) -> None:
        self.nodes.append(node)
        self.last = last


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
    """The pieces of a file, in order, from its syntax tree."""
    grammar = GRAMMARS[language]
    root = _parser(grammar.parser).parse(lines.data).root_node
    return _Walk(lines, sizes).run(root, grammar)


def _parser(name: str) -> Parser:
    cache: dict[str, Parser] | None = getattr(_parsers, "cache", None)
    if cache is None:
        cache = _parsers.cache = {}
    if name not in cache:
        cache[name] = get_parser(name)  # type: ignore[arg-type]
    return cache[name]


class _Walk:
    """One pass over one file."""

    def __init__(self, lines: Lines, sizes: Sizes) -> None:
        self.lines = lines
        self.data = lines.data
        self.sizes = sizes
        self.visited = 0
        self._told: dict[int, frozenset[str]] = {}

    def run(self, root: Node, grammar: Grammar) -> Iterator[Piece]:
        nodes = self._children(root)
        todo: list[_Region | Piece] = [
            _Region(nodes, 0, len(self.lines) - 1, Place(), grammar)
        ]
        while todo:
            task = todo.pop()
            if isinstance(task, Piece):
                yield task
            else:
                todo.extend(reversed(list(self._divide(task))))

    # One region: siblings become units, units become pieces or smaller regions.

    def _divide(self, region: _Region) -> Iterator[_Region | Piece]:
        units = self._units(region)
        if not units:
            yield from self._by_lines(region.first, region.last, region.place, head=True)
            return
        units[0].first = region.first
        for unit, after in zip(units, units[1:], strict=False):
            unit.last = after.first - 1
        units[-1].last = region.last
        for index, unit in enumerate(units):
            yield from self._settle(unit, region.place, is_first=index == 0)

    def _settle(self, unit: _Unit, place: Place, *, is_first: bool) -> Iterator[_Region | Piece]:
        first, last = unit.first, unit.last = self.lines.trim(unit.first, unit.last)
        if first > last:
            return
        found = self._chief(unit.found) if unit.found else None
        if first == last or self.lines.size(first, last) <= self.sizes.limit:
            yield self._piece(unit, found, place, is_first=is_first)
            return
        if found:
            inner = self._place(unit, found, place, is_first=is_first)
        elif not place.is_data and any(node.type in _DATA for node in unit.nodes):
            inner = replace(place, is_data=True)
            if is_first:
                place.defines, place.comment = (), ""
        else:
            inner = place
        head = is_first or inner is not place
        nodes = self._expand(unit.nodes)
        if nodes is None:
            yield from self._by_lines(first, last, inner, head=head)
        else:
            yield _Region(nodes, first, last, inner, unit.grammar)

    def _by_lines(self, first: int, last: int, place: Place, *, head: bool) -> Iterator[Piece]:
        for piece in paragraphs(self.lines, first, last, place, self.sizes):
            if head:
                self._make_head(piece)
                head = False
            yield piece

    def _make_head(self, piece: Piece) -> None:
        """The first lines of a divided definition carry its name, kind and comment, once."""
        place = piece.place
        if not place.defines and not place.comment:
            return
        piece.symbol, piece.scope, piece.head = place.symbol, place.scope, True
        piece.kind = "header" if place.kind in TYPES else place.kind
        piece.defines = (*place.defines, *piece.defines)
        piece.comment = join_comments([place.comment, piece.comment])
        place.defines, place.comment = (), ""

    def _expand(self, nodes: list[Node]) -> list[Node] | None:
        """The nodes one level down, or None when nothing that spans rows has children."""
        below: list[Node] = []
        deeper = False
        for node in nodes:
            if (
                node.child_count
                and node.start_point[0] != node.end_point[0]
                and node.type not in _BULK
            ):
                below.extend(self._children(node))
                deeper = True
            else:
                below.append(node)
        return below if deeper and self.visited <= MAX_NODES else None

    def _children(self, node: Node) -> list[Node]:
        self.visited += node.child_count
        return node.children if self.visited <= MAX_NODES else []

    # Units.

    def _units(self, region: _Region) -> list[_Unit]:
        """The siblings of a region, wrappers opened, as units in order."""
        units: list[_Unit] = []
        unit: _Unit | None = None
        grammar, place = region.grammar, region.place
        telling = self._telling(grammar)
        todo: list[Node | _Switch] = list(region.nodes)
        todo.reverse()
        while todo:
            node = todo.pop()
            if isinstance(node, _Switch):
                grammar = node.grammar
                telling = self._telling(grammar)
                continue
            type_ = node.type
            if type_ in grammar.flat or type_ == "ERROR":
                children = self._children(node)
                if children:
                    children.reverse()
                    todo.extend(children)
                    continue
            elif type_ in grammar.embed:
                todo.extend(reversed(self._embedded(node, grammar)))
                continue
            last, column = node.end_point
            if unit and last <= unit.last and type_ not in telling:
                if unit.is_open and node.is_named:
                    unit.is_open = False
                continue
            first = node.start_point[0]
            if column == 0 and last > first:
                last -= 1
            if unit and first <= unit.last:
                self._share_line(unit, node, type_, grammar, place, min(last, region.last))
                continue
            if node.start_byte == node.end_byte or not type_.strip():
                continue
            first, last = max(first, region.first), min(last, region.last)
            while last > first and self.lines.is_blank(last):
                last -= 1
            if first > last:
                continue
            fresh = self._attach(unit, node, type_, grammar, place, first, last)
            if fresh:
                unit = fresh
                units.append(unit)
        return units

    def _attach(
        self,
        unit: _Unit | None,
        node: Node,
        type_: str,
        grammar: Grammar,
        place: Place,
        first: int,
        last: int,
    ) -> _Unit | None:
        """A node on rows of its own joins the unit before it, or is the unit returned."""
        is_near = unit is not None and (first - unit.last <= 1 or unit.is_sticky)
        is_comment = type_ in COMMENTS
        if is_comment or self._is_prefix(node, type_, grammar):
            if not (unit and unit.is_open and is_near):
                unit = _Unit(first, last, grammar, [node], is_open=True, is_sticky=not is_comment)
                fresh = unit
            else:
                unit.extend(node, last)
                unit.is_sticky = unit.is_sticky or not is_comment
                fresh = None
            if is_comment or type_ in grammar.docs or type_ == "string_literal":
                unit.comments.append(node)
            return fresh
        if unit and not (unit.is_open and not is_near) and self._is_tail(node, type_, grammar):
            unit.extend(node, last)
            unit.is_open = False
            return None
        if unit and unit.is_open and is_near:
            found = self._definition(node, type_, grammar, place)
            unit.extend(node, last)
            unit.is_open = unit.is_sticky = not node.is_named
            unit.found = [found] if found else []
            return None
        if not node.is_named:
            # A keyword that opens something belongs to what follows.
            return _Unit(first, last, grammar, [node], is_open=True, is_sticky=True)
        found = self._definition(node, type_, grammar, place)
        if unit and found and self._continues(unit, found, grammar, last):
            unit.extend(node, last)
            return None
        return _Unit(first, last, grammar, [node], [found] if found else [])

    def _telling(self, grammar: Grammar) -> frozenset[str]:
        """Node types that matter even where they share a line with what precedes them."""
        types = self._told.get(id(grammar))
        if types is None:
            types = COMMENTS.union(
                grammar.defs, grammar.peek, grammar.prefix, grammar.signals, grammar.tail
            )
            self._told[id(grammar)] = types
        return types

    def _embedded(self, node: Node, grammar: Grammar) -> list[Node | _Switch]:
        """The children of a script or style element, its raw text parsed in its own language."""
        parts: list[Node | _Switch] = []
        language = grammar.embed[node.type]
        for child in self._children(node):
            if child.type in ("start_tag", "STag"):
                head = self._head(child)
                if b"tsx" in head:
                    language = "tsx"
                elif b'"ts"' in head or b"'ts'" in head or b"typescript" in head:
                    language = "typescript"
                elif b"scss" in head:
                    language = "scss"
            if child.type != "raw_text":
                parts.append(child)
                continue
            inner = GRAMMARS[language]
            parser = _parser(inner.parser)
            parser.included_ranges = [
                Range(child.start_point, child.end_point, child.start_byte, child.end_byte)
            ]
            try:
                root = parser.parse(self.data).root_node
            finally:
                parser.included_ranges = []
            parts += [_Switch(inner), *self._children(root), _Switch(grammar)]
        return parts

    def _share_line(
        self, unit: _Unit, node: Node, type_: str, grammar: Grammar, place: Place, last: int
    ) -> None:
        """A node that starts on the last row of the unit before it belongs to that unit."""
        unit.last = max(unit.last, last)
        unit.nodes.append(node)
        if type_ in COMMENTS:
            if unit.is_open:
                unit.comments.append(node)
            return
        if self._is_prefix(node, type_, grammar):
            return
        unit.is_open = unit.is_open and not node.is_named
        found = self._definition(node, type_, grammar, place)
        if found:
            unit.found.append(found)

    def _is_prefix(self, node: Node, type_: str, grammar: Grammar) -> bool:
        if type_ in grammar.prefix:
            return True
        signal = grammar.signals.get(type_)
        return signal is not None and signal.match(self._head(node)) is not None

    @staticmethod
    def _is_tail(node: Node, type_: str, grammar: Grammar) -> bool:
        if type_ in grammar.tail:
            return True
        return not node.is_named and (type_[0] in _BRACKETS or type_ in _CLOSERS)

    def _continues(self, unit: _Unit, found: _Found, grammar: Grammar, last: int) -> bool:
        """Clauses of one function, and its signature, are one definition while they fit."""
        return (
            found.node.type in grammar.join
            and bool(unit.found)
            and unit.found[0].name == found.name
            and unit.found[0].node.type in grammar.join
            and self.lines.size(unit.first, last) <= self.sizes.target
        )

    # Definitions.

    def _head(self, node: Node) -> bytes:
        start = node.start_byte
        return self.data[start : min(node.end_byte, start + _HEAD_BYTES)]

    def _definition(
        self, node: Node, type_: str, grammar: Grammar, place: Place
    ) -> _Found | None:
        rule = grammar.defs.get(type_)
        if rule is None:
            return None
        found = self._read(node, rule, grammar)
        if found and found.kind in _LOCAL:
            if place.kind in ("function", "method"):
                return None
            if found.kind == "key" and (place.is_data or (place.kind == "key" and place.scope)):
                return None
        return found

    def _read(self, node: Node, rule: Def | Heads, grammar: Grammar) -> _Found | None:
        owner = ""
        if isinstance(rule, Heads):
            head = self._head(node)
            for kind, pattern in rule.patterns:
                match = pattern.match(head)
                if match:
                    groups = match.groupdict()
                    name = _tidy(groups["n"] or b"")
                    owner = _tidy(groups.get("o") or b"")
                    break
            else:
                return None
        else:
            kind = rule.kind
            if rule.by_child:
                for child in self._children(node):
                    if child.type in rule.by_child:
                        kind = rule.by_child[child.type]
                        break
            name = self._name(node, rule.name)
        if grammar.owner and kind in _QUALIFIED:
            parts = [
                part for part in grammar.owner.split(name) if part and part not in grammar.ignore
            ]
            if len(parts) > 1:
                owner, name = ".".join(parts[:-1]), parts[-1]
                kind = "method" if kind == "function" else kind
            elif parts:
                name = parts[0]
        return _Found(kind, name, owner, node)

    def _name(self, node: Node, recipe: str) -> str:
        for path in recipe.split("|"):
            at: Node | None = node
            for step in path.split("/"):
                if at is None:
                    break
                if step[0] == "@":
                    at = next((c for c in at.children if c.type == step[1:]), None)
                elif step[-1] == "+":
                    at = _innermost(at, step[:-1])
                else:
                    at = at.child_by_field_name(step)
            if at is not None:
                return _tidy(self.data[at.start_byte : min(at.end_byte, at.start_byte + 300)])
        return ""

    @staticmethod
    def _chief(all_found: list[_Found]) -> _Found | None:
        """The definition a unit is named after: the only one, or the largest."""
        named = [found for found in all_found if found.name or found.kind in CONTAINERS]
        if len(named) < 2:
            return named[0] if named else None
        return max(named, key=lambda found: found.node.end_byte - found.node.start_byte)

    # Pieces.

    def _piece(
        self, unit: _Unit, found: _Found | None, place: Place, *, is_first: bool
    ) -> Piece:
        piece = Piece(unit.first, unit.last, place)
        if found:
            self._name_piece(piece, unit, found, place)
        else:
            self._peek_into(piece, unit)
        if is_first and (place.defines or place.comment):
            self._make_head(piece)
            piece.named = False
        return piece

    def _name_piece(self, piece: Piece, unit: _Unit, found: _Found, place: Place) -> None:
        piece.kind = _kind_in(found.kind, place)
        piece.scope = _path(place.symbol, found.owner)
        piece.symbol = _path(piece.scope, found.name)
        in_function = place.kind in ("function", "method", "test")
        size = self.lines.size(unit.first, unit.last)
        piece.named = not (in_function and size < self.sizes.small)
        if place.kind in TYPES and found.kind == "variable":
            piece.named = False
        names: list[str] = []
        comments = self._comments(unit)
        for one in unit.found:
            if one.name and one.kind != "impl":
                names.append(one.name)
            if one.kind in CONTAINERS:
                comments.append(self._docstring(one.node, unit.grammar))
                self._members(one.node, unit.grammar, names, comments)
            elif one.kind != "variable":
                comments.append(self._docstring(one.node, unit.grammar))
        piece.defines = tuple(dict.fromkeys(names))
        piece.comment = join_comments(comments)

    def _peek_into(self, piece: Piece, unit: _Unit) -> None:
        """A unit that defines nothing itself may hold definitions, or be documentation."""
        names: list[str] = []
        comments: list[str] = []
        for node in unit.nodes:
            if not unit.grammar.peek and not unit.grammar.docs:
                break
            if node.type in unit.grammar.peek:
                self._members(node, unit.grammar, names, comments)
            elif node.type in unit.grammar.docs and node is unit.nodes[0]:
                comments.append(words_of_docstring(self._source(node)))
        if unit.comments and (source := self._source(unit.comments[0])):
            alone = len(unit.comments) == len(unit.nodes) and is_documentation(source)
            if alone or (names and unit.nodes[0].type in COMMENTS):
                comments = [*self._comments(unit), *comments]
        piece.defines = tuple(dict.fromkeys(names))
        piece.comment = join_comments(comments)

    def _place(self, unit: _Unit, found: _Found, place: Place, *, is_first: bool) -> Place:
        scope = _path(place.symbol, found.owner)
        comments = self._comments(unit)
        comments.append(self._docstring(found.node, unit.grammar))
        names = [] if found.kind == "impl" or not found.name else [found.name]
        if is_first:
            names = [*place.defines, *names]
            place.defines, place.comment = (), ""
        kind = _kind_in(found.kind, place)
        return Place(
            symbol=_path(scope, found.name),
            kind=kind,
            scope=scope,
            defines=tuple(names),
            comment=join_comments(comments),
            is_container=kind in CONTAINERS or kind in ("key", "section", "rule", "table"),
        )

    def _members(
        self, node: Node, grammar: Grammar, names: list[str], comments: list[str]
    ) -> None:
        """Names and comments of what is defined inside, through bodies and nested containers."""
        if node.end_byte - node.start_byte > 4 * self.sizes.limit + 4_000:
            return
        pending: list[Node] = []
        todo = self._children(node)
        todo.reverse()
        while todo and len(names) < _MEMBERS:
            child = todo.pop()
            type_ = child.type
            if type_ in COMMENTS:
                pending.append(child)
                continue
            rule = grammar.defs.get(type_)
            found = self._read(child, rule, grammar) if rule else None
            if found:
                if found.name and found.kind != "impl":
                    names.append(found.name)
                comments += [words_of_comment(self._source(c)) for c in pending]
                if found.kind != "variable":
                    comments.append(self._docstring(child, grammar))
            if child.is_named and type_ not in grammar.prefix:
                pending.clear()
            if (
                (found and found.kind in CONTAINERS)
                or (not found and (type_ in grammar.flat or type_ in grammar.peek))
                or type_ == "ERROR"
            ):
                below = self._children(child)
                below.reverse()
                todo.extend(below)

    def _comments(self, unit: _Unit) -> list[str]:
        return [
            words_of_comment(source) if node.type in COMMENTS else words_of_docstring(source)
            for node in unit.comments
            for source in [self._source(node)]
        ]

    def _docstring(self, node: Node, grammar: Grammar) -> str:
        """The string that comes first in the body (Python), or among the children (Lisps)."""
        if not grammar.docs:
            return ""
        for child in self._children(node)[:12]:
            if child.type in grammar.docs:
                return words_of_docstring(self._source(child))
            if child.type in grammar.flat:
                inner = next((c for c in child.children[:4] if c.is_named), None)
                while inner and inner.type in grammar.flat:
                    inner = inner.child(0)
                if inner and inner.type in grammar.docs:
                    return words_of_docstring(self._source(inner))
        return ""

    def _source(self, node: Node) -> str:
        end = min(node.end_byte, node.start_byte + 4_000)
        return self.data[node.start_byte : end].decode("utf-8", "replace")


def _innermost(node: Node, step: str) -> Node | None:
    """Follows a field (C declarators), or the only named child where a wrapper has no field."""
    at = node.child_by_field_name(step)
    while at is not None:
        inner = at.child_by_field_name(step)
        if inner is None and at.type in ("reference_declarator", "parenthesized_declarator"):
            inner = at.named_child(0)
        if inner is None:
            return at
        at = inner
    return None


def _kind_in(kind: str, place: Place) -> str:
    return "method" if kind == "function" and place.kind in TYPES else kind


def _path(scope: str, name: str) -> str:
    if not name:
        return scope
    path = f"{scope}.{name}" if scope else name
    return path[:_NAME_CHARS]


def _tidy(name: bytes) -> str:
    return " ".join(name.decode("utf-8", "replace").split()).strip("\"'`")[:_NAME_CHARS]
