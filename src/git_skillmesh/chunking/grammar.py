"""How a language is described: which nodes define what, under which name, and what belongs to it.

A `Grammar` is a table row per language (see `grammars/`); `tree` is the only reader.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

COMMENTS = frozenset(
    {
        "comment",
        "line_comment",
        "block_comment",
        "multiline_comment",
        "documentation_comment",
        "doc_comment",
        "statement_comment",
        "module_comment",
        "haddock",
        "pod",
        "html_comment",
        "Comment",
        "container_doc_comment",
        "document_comment",
        "developer_comment",
    }
)

TYPES = frozenset({"class", "interface", "struct", "enum", "trait", "impl"})
CONTAINERS = TYPES | {"module"}


class Def(NamedTuple):
    """A node type that defines one symbol.

    kind      the kind of the chunk
    name      where the name stands: alternatives separated by "|", each a path of steps separated
              by "/"; a step is a field name, "@type" for the first child of that type, or
              "field+" to follow a field as long as there is one
    by_child  another kind when a direct child has this type
    """

    kind: str
    name: str = "name"
    by_child: Mapping[str, str] = {}


class Heads:
    """A node type whose meaning shows only in its first characters: the first match decides.

    Each pattern is matched at the start of the node and has a group `n`, the name, and may have
    a group `o`, the owner, which becomes part of the scope. Patterns are compiled on first use:
    a process reads a few of many languages.
    """

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = pairs
        self._compiled: list[tuple[str, re.Pattern[bytes]]] | None = None

    def match(self, head: bytes) -> tuple[str, re.Match[bytes]] | None:
        """The kind and the match for the first bytes of a node."""
        if self._compiled is None:
            self._compiled = [(kind, re.compile(p.encode(), re.S)) for kind, p in self._pairs]
        for kind, pattern in self._compiled:
            match = pattern.match(head)
            if match:
                return kind, match
        return None


@dataclass(frozen=True, slots=True)
class Grammar:
    """What `tree` must know of one language.

    parser     name of the grammar in tree_sitter_language_pack
    defs       node type → what it defines
    flat       node types that are replaced by their children: wrappers and bodies
    peek       node types that stay whole, but may hold definitions (an `if` at top level)
    prefix     node types that belong to what follows: decorators, attributes
    signals    node type → pattern that makes a node of this type a prefix
    tail       node types that belong to what precedes: closing lines, detached bodies
    docs       node types that are a docstring when they come first inside a definition
    join       node types of which neighbours with one name are one definition (clauses)
    owner      pattern that splits a qualified name ("Shape::area") into owner and name
    ignore     parts of a qualified name that are no owner ("prototype")
    embed      node types that hold another language, and that language
    """

    parser: str
    defs: Mapping[str, Def | Heads]
    flat: frozenset[str] = frozenset()
    peek: frozenset[str] = frozenset()
    prefix: frozenset[str] = frozenset()
    signals: Mapping[str, re.Pattern[bytes]] = field(default_factory=dict)
    tail: frozenset[str] = frozenset()
    docs: frozenset[str] = frozenset()
    join: frozenset[str] = frozenset()
    owner: re.Pattern[str] | None = None
    ignore: frozenset[str] = frozenset()
    embed: Mapping[str, str] = field(default_factory=dict)


def words(text: str) -> frozenset[str]:
    """A set of node types, written as one line of words."""
    return frozenset(text.split())


def each(kind: str, types: str | Iterable[str], name: str = "name") -> dict[str, Def | Heads]:
    """The same definition for several node types, written as words."""
    return {t: Def(kind, name) for t in (types.split() if isinstance(types, str) else types)}
