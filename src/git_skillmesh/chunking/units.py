"""From sibling nodes to units: what shares a line, or belongs together, becomes one unit.

Wrappers and bodies are opened on the way, comments and decorators wait for what they describe,
closing lines go with what they close.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tree_sitter import Node

from git_skillmesh.chunking.definitions import Found, Reader
from git_skillmesh.chunking.grammar import COMMENTS, Grammar, words
from git_skillmesh.chunking.grammars import GRAMMARS
from git_skillmesh.chunking.lines import Lines
from git_skillmesh.chunking.syntax import parse

_BRACKETS = frozenset(")]},;>{[(:=")
_CLOSERS = words("end fi done esac endif endfunction endclass endmodule #endif @end")


@dataclass(slots=True)
class Unit:
    """Sibling nodes on the rows first..last that are not to be separated.

    is_open    so far only a prefix, such as a comment: what follows closely joins it
    is_sticky  what follows joins it even after blank rows, as after a decorator
    """

    first: int
    last: int
    grammar: Grammar
    nodes: list[Node]
    found: list[Found] = field(default_factory=list)
    comments: list[Node] = field(default_factory=list)
    is_open: bool = False
    is_sticky: bool = False

    def extend(self, node: Node, last: int) -> None:
        """Takes in a node that ends on a later row."""
        self.nodes.append(node)
        self.last = last


class _Switch(NamedTuple):
    """Says that the nodes after it are of another language."""

    grammar: Grammar


class UnitBuilder:
    """Builds the units of one region of a file.

    accepts  whether a definition counts as one in the region
    target   size up to which clauses of one function stay together
    """

    def __init__(
        self,
        reader: Reader,
        lines: Lines,
        grammar: Grammar,
        accepts: Callable[[Found], bool],
        target: int,
    ) -> None:
        self._reader = reader
        self._lines = lines
        self._accepts = accepts
        self._target = target
        self._units: list[Unit] = []
        self._use(grammar)

    def build(self, nodes: list[Node], first: int, last: int) -> list[Unit]:
        """The units of sibling nodes that lie on the rows first..last, in order."""
        # Chains nest as deep as they are long, and what shares a line is seen at every level.
        self._reader.visited += len(nodes)
        todo: list[Node | _Switch] = list(nodes)
        todo.reverse()
        unit: Unit | None = None
        while todo:
            node = todo.pop()
            if isinstance(node, _Switch):
                self._use(node.grammar)
                continue
            type_ = node.type
            if type_ in self._grammar.flat or type_ == "ERROR":
                children = self._reader.children(node)
                if children:
                    children.reverse()
                    todo.extend(children)
                    continue
            elif type_ in self._grammar.embed:
                todo.extend(reversed(self._embedded(node)))
                continue
            end, column = node.end_point
            if unit and end <= unit.last and type_ not in self._telling:
                unit.is_open = unit.is_open and self._leaves_open(unit, node)
                continue
            start = node.start_point[0]
            if column == 0 and end > start:
                end -= 1
            start, end = max(start, first), min(end, last)
            if unit and start <= unit.last:
                self._share_line(unit, node, type_, end)
                continue
            while end > start and self._lines.is_blank(end):
                end -= 1
            if start <= end and node.start_byte < node.end_byte and type_.strip():
                unit = self._place(unit, node, type_, start, end)
        return self._units

    def _use(self, grammar: Grammar) -> None:
        self._grammar = grammar
        # Other nodes say nothing where they share a line with what precedes them.
        self._telling = COMMENTS.union(
            grammar.defs, grammar.peek, grammar.prefix, grammar.signals, grammar.tail
        )

    def _place(self, unit: Unit | None, node: Node, type_: str, first: int, last: int) -> Unit:
        """Puts a node on rows of its own into the unit before it or into a new one."""
        before = unit if unit and self._is_reachable(unit, first) else None
        if type_ in COMMENTS or self._is_prefix(node, type_):
            return self._place_prefix(before, node, type_, first, last)
        if before and self._is_tail(node, type_):
            before.extend(node, last)
            before.is_open = False
            return before
        if not (before and before.is_open) and not node.is_named:
            # A keyword that opens something belongs to what follows.
            return self._new(Unit(first, last, self._grammar, [node], [], [], True, True))
        found = self._definition(node, type_)
        if before and before.is_open:
            before.extend(node, last)
            before.is_open = before.is_sticky = not node.is_named
            before.found = [found] if found else []
            return before
        if before and found and self._continues(before, found, last):
            before.extend(node, last)
            return before
        return self._new(Unit(first, last, self._grammar, [node], [found] if found else []))

    def _place_prefix(
        self, before: Unit | None, node: Node, type_: str, first: int, last: int
    ) -> Unit:
        sticky = type_ not in COMMENTS
        if before and before.is_open:
            unit = before
            unit.extend(node, last)
            unit.is_sticky = unit.is_sticky or sticky
        else:
            unit = self._new(Unit(first, last, self._grammar, [node], [], [], True, sticky))
        if not sticky or type_ in self._grammar.docs or type_ == "string_literal":
            unit.comments.append(node)
        return unit

    def _share_line(self, unit: Unit, node: Node, type_: str, last: int) -> None:
        """A node that starts on the last row of a unit belongs to it."""
        unit.extend(node, max(unit.last, last))
        if type_ in COMMENTS:
            if unit.is_open:
                unit.comments.append(node)
        elif not self._is_prefix(node, type_):
            unit.is_open = unit.is_open and self._leaves_open(unit, node)
            found = self._definition(node, type_)
            if found:
                unit.found.append(found)

    @staticmethod
    def _leaves_open(unit: Unit, node: Node) -> bool:
        """Whether a prefix goes on: "#ifdef NAME" waits for what follows, "class Name" does not."""
        return not node.is_named or unit.nodes[0].type[0] == "#"

    def _new(self, unit: Unit) -> Unit:
        self._units.append(unit)
        return unit

    @staticmethod
    def _is_reachable(unit: Unit, first: int) -> bool:
        """Whether blank rows do not separate an open unit from what starts at a row."""
        return not unit.is_open or unit.is_sticky or first - unit.last <= 1

    def _definition(self, node: Node, type_: str) -> Found | None:
        found = self._reader.definition(node, type_, self._grammar)
        return found if found and self._accepts(found) else None

    def _is_prefix(self, node: Node, type_: str) -> bool:
        if type_ in self._grammar.prefix:
            return True
        signal = self._grammar.signals.get(type_)
        return signal is not None and signal.match(self._reader.head(node)) is not None

    def _is_tail(self, node: Node, type_: str) -> bool:
        if type_ in self._grammar.tail:
            return True
        return not node.is_named and (type_[0] in _BRACKETS or type_ in _CLOSERS)

    def _continues(self, unit: Unit, found: Found, last: int) -> bool:
        """Clauses of one function, and its signature, are one definition while they fit."""
        join = self._grammar.join
        return (
            found.node.type in join
            and bool(unit.found)
            and unit.found[0].name == found.name
            and unit.found[0].node.type in join
            and self._lines.size(unit.first, last) <= self._target
        )

    def _embedded(self, node: Node) -> list[Node | _Switch]:
        """The children of a script or style element, its raw text parsed in its own language."""
        parts: list[Node | _Switch] = []
        language = self._grammar.embed[node.type]
        for child in self._reader.children(node):
            if child.type == "start_tag":
                language = _language_of_tag(self._reader.head(child)) or language
            inner = GRAMMARS[language]
            root = None
            if child.type == "raw_text":
                root = parse(inner.parser, self._reader.data, within=child)
            if root is None:
                parts.append(child)
            else:
                parts += [_Switch(inner), *self._reader.children(root), _Switch(self._grammar)]
        return parts


def _language_of_tag(tag: bytes) -> str | None:
    """The language that <script lang="ts"> or <style lang="scss"> names."""
    if b"tsx" in tag:
        return "tsx"
    if b'"ts"' in tag or b"'ts'" in tag or b"typescript" in tag:
        return "typescript"
    return "scss" if b"scss" in tag else None
