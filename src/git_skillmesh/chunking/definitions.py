"""What a node defines: nodes and the rules of a grammar in; kinds, names and comments out."""

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from git_skillmesh.chunking.comments import words_of_comment, words_of_docstring
from git_skillmesh.chunking.grammar import COMMENTS, CONTAINERS, Def, Grammar, Heads
from git_skillmesh.chunking.names import tidy_name

MAX_NODES = 300_000
"""Nodes visited in one file, each as often as it is seen; what is left then is divided by lines."""

_HEAD_BYTES = 400
_SOURCE_BYTES = 4_000
_LINES = 40
_QUALIFIED = frozenset({"function", "method", "class", "variable"})


class Found(NamedTuple):
    """A definition: `owner` is what its own name says about its scope ("Shape" in Shape::area)."""

    kind: str
    name: str
    owner: str
    node: Node


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
        else:
            kind, name = self._kind(node, rule), self._name(node, rule.name)
        if grammar.owner and kind in _QUALIFIED and "[" not in name:
            parts = [
                part for part in grammar.owner.split(name) if part and part not in grammar.ignore
            ]
            if len(parts) > 1:
                owner, name = ".".join(parts[:-1]), parts[-1]
                kind = "method" if kind == "function" else kind
            elif parts:
                name = parts[0]
        return Found(kind, name, owner, node)

    def members(self, node: Node, grammar: Grammar) -> tuple[list[str], list[str]]:
        """Names and comments of what is defined inside a node, through bodies and containers."""
        names: list[str] = []
        comments: list[str] = []
        pending: list[Node] = []
        todo = self.children(node)
        todo.reverse()
        while todo:
            child = todo.pop()
            type_ = child.type
            if type_ in COMMENTS:
                pending.append(child)
                continue
            found = self.definition(child, type_, grammar)
            if found:
                if found.name and found.kind != "impl":
                    names.append(found.name)
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
            if goes_in:
                below = self.children(child)
                below.reverse()
                todo.extend(below)
        return names, comments

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

    def _name(self, node: Node, recipe: str) -> str:
        for path in recipe.split("|"):
            at: Node | None = node
            for step in path.split("/"):
                at = self._step(at, step) if at is not None else None
            if at is not None:
                return tidy_name(self.data[at.start_byte : min(at.end_byte, at.start_byte + 300)])
        return ""

    def _step(self, node: Node, step: str) -> Node | None:
        if step[0] == "@":
            return next((c for c in self.children(node) if c.type == step[1:]), None)
        if step[-1] != "+":
            return node.child_by_field_name(step)
        last = None
        for last in _along(node, step[:-1]):  # noqa: B007
            pass
        return last


def _along(node: Node, field: str) -> Iterator[Node]:
    """The nodes down a field (C declarators), and through wrappers that leave the field out."""
    at = node.child_by_field_name(field)
    while at is not None:
        yield at
        inner = at.child_by_field_name(field)
        if inner is None and at.type in ("reference_declarator", "parenthesized_declarator"):
            inner = at.named_child(0) if at.named_child_count else None
        at = inner
