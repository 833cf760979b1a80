"""What a node defines: nodes and the rules of a grammar in; kinds, names and comments out."""

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from git_skillmesh.chunking.comments import words_of_comment, words_of_docstring
from git_skillmesh.chunking.grammar import COMMENTS, CONTAINERS, TYPES, Def, Grammar, Heads
from git_skillmesh.chunking.names import path_of, tidy_name
from git_skillmesh.chunking.pieces import Named

MAX_NODES = 300_000
"""Nodes visited in one file, each as often as it is seen; what is left then is divided by lines."""

_HEAD_BYTES = 400
_SOURCE_BYTES = 4_000
_LINES = 40
_QUALIFIED = frozenset({"function", "method", "class", "variable"})


class Found(NamedTuple):
    """A definition: `owner` is what its own name says about its scope ("Shape" in Shape::area).

    `row` is that of the name, 0-based.
    """

    kind: str
    name: str
    owner: str
    node: Node
    row: int

    def named(self, scope: str, enclosing: str, first: int, last: int) -> Named:
        """What the outline says of it in a scope of some kind, on the rows first..last."""
        symbol = path_of(path_of(scope, self.owner), self.name)
        name = "" if self.kind == "impl" else self.name
        return Named(name, symbol, kind_in(self.kind, enclosing), self.row, first, last)


def kind_in(kind: str, enclosing: str) -> str:
    """The kind of a definition inside another: a function of a class is a method."""
    return "method" if kind == "function" and enclosing in TYPES else kind


class Reader:
    """Reads nodes of one file and counts those it has seen."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.visited = 0

    @property
    def is_spent(self) -> bool:
        """Whether as many nodes have been seen as one file may cost."""
        return self.visited > MAX_NODES

    def children(self, node: Node) -> list[Node]:
        """The children of a node, none once the reader is spent."""
        self.visited += node.child_count
        return [] if self.is_spent else node.children

    def head(self, node: Node) -> bytes:
        """The first bytes of a node."""
        start = node.start_byte
        return self.data[start : min(node.end_byte, start + _HEAD_BYTES)]

    def definition(self, node: Node, type_: str, grammar: Grammar) -> Found | None:
        """What a node defines, None when it defines nothing."""
        rule = grammar.defs.get(type_)
        if rule is None:
            return None
        owner = ""
        if isinstance(rule, Heads):
            matched = rule.match(self.head(node))
            if not matched:
                return None
            kind, match = matched
            groups = match.groupdict()
            name, owner = tidy_name(groups["n"] or b""), tidy_name(groups.get("o") or b"")
            row = node.start_point[0] + match.string.count(b"\n", 0, max(match.start("n"), 0))
        else:
            kind = self._kind(node, rule)
            name, row = self._name(node, rule.name)
        if grammar.owner and kind in _QUALIFIED and "[" not in name:
            parts = [
                part for part in grammar.owner.split(name) if part and part not in grammar.ignore
            ]
            if len(parts) > 1:
                owner, name = ".".join(parts[:-1]), parts[-1]
                kind = "method" if kind == "function" else kind
            elif parts:
                name = parts[0]
        return Found(kind, name, owner, node, row)

    def members(
        self, node: Node, grammar: Grammar, scope: str, enclosing: str
    ) -> tuple[list[Named], list[str]]:
        """What is defined inside a node, through bodies and containers, and the comments on it.

        `scope` is the symbol of what encloses it, `enclosing` the kind.
        """
        outline: list[Named] = []
        comments: list[str] = []
        pending: list[Node] = []
        first = -1  # where what belongs to the next definition begins
        todo: list[tuple[Node, str, str]] = []
        todo += [(child, scope, enclosing) for child in reversed(self.children(node))]
        while todo:
            child, scope, enclosing = todo.pop()
            type_ = child.type
            if type_ in COMMENTS:
                if not pending and first < 0:
                    first = child.start_point[0]
                pending.append(child)
                continue
            found = self.definition(child, type_, grammar)
            if found:
                begin = child.start_point[0] if first < 0 else first
                one = found.named(scope, enclosing, begin, _last_row(child))
                if found.name:
                    outline.append(one)
                if len(comments) < _LINES:
                    comments += self.comments(pending)
                    if found.kind != "variable":
                        comments.append(self.docstring(child, grammar))
            if found:
                goes_in = found.kind in CONTAINERS
            else:
                goes_in = type_ in grammar.flat or type_ in grammar.peek or type_ == "ERROR"
            if found or (child.is_named and not goes_in and type_ not in grammar.prefix):
                pending.clear()
                first = -1
            elif first < 0 and type_ in grammar.prefix:
                first = child.start_point[0]
            if goes_in:
                inner = (one.symbol, one.kind) if found else (scope, enclosing)
                todo += [(below, *inner) for below in reversed(self.children(child))]
        return outline, comments

    def comments(self, nodes: list[Node]) -> list[str]:
        """The words of comments in one place, and of strings that serve as comments."""
        if not nodes:
            return []
        strings = [node for node in nodes if node.type not in COMMENTS]
        if strings:
            return [words_of_docstring(self.source(node)) for node in strings]
        # Neighbouring line comments are one text: read at once.
        whole = b"\n".join(
            self.data[node.start_byte : node.end_byte].rstrip(b"\n") for node in nodes[:_LINES]
        )
        return [words_of_comment(whole[:_SOURCE_BYTES].decode("utf-8", "replace"))]

    def docstring(self, node: Node, grammar: Grammar) -> str:
        """The string that comes first in the body (Python), or among the children (Lisps)."""
        if not grammar.docs:
            return ""
        for child in self.children(node)[:12]:
            inner: Node | None = child
            while inner is not None and inner.type in grammar.flat:
                inner = next((c for c in inner.children[:4] if c.is_named), None)
            if inner is not None and inner.type in grammar.docs:
                return words_of_docstring(self.source(inner))
        return ""

    def source(self, node: Node) -> str:
        """The decoded text of a node, cut after some kilobytes."""
        end = min(node.end_byte, node.start_byte + _SOURCE_BYTES)
        return self.data[node.start_byte : end].decode("utf-8", "replace")

    def _kind(self, node: Node, rule: Def) -> str:
        if rule.by_child:
            for child in self.children(node):
                if child.type in rule.by_child:
                    return rule.by_child[child.type]
        return rule.kind

    def _name(self, node: Node, recipe: str) -> tuple[str, int]:
        """The name of a node and its row; the node's own row where it has none."""
        for path in recipe.split("|"):
            at: Node | None = node
            for step in path.split("/"):
                at = self._step(at, step) if at is not None else None
            if at is not None:
                end = min(at.end_byte, at.start_byte + 300)
                return tidy_name(self.data[at.start_byte : end]), at.start_point[0]
        return "", node.start_point[0]

    def _step(self, node: Node, step: str) -> Node | None:
        if step[0] == "@":
            return next((c for c in self.children(node) if c.type == step[1:]), None)
        if step[-1] != "+":
            return node.child_by_field_name(step)
        last = None
        for last in _along(node, step[:-1]):  # noqa: B007
            pass
        return last


def _last_row(node: Node) -> int:
    row, column = node.end_point
    return row - 1 if column == 0 and row > node.start_point[0] else row


def _along(node: Node, field: str) -> Iterator[Node]:
    """The nodes down a field (C declarators), and through wrappers that leave the field out."""
    at = node.child_by_field_name(field)
    while at is not None:
        yield at
        inner = at.child_by_field_name(field)
        if inner is None and at.type in ("reference_declarator", "parenthesized_declarator"):
            inner = at.named_child(0) if at.named_child_count else None
        at = inner
