"""The shape of what comes out of chunking: `Chunk`, and the closed set of its kinds."""

from dataclasses import dataclass

# Stored as positions in this tuple: the order never changes, new kinds go to the end.
KINDS = (
    "function",
    "method",
    "class",
    "interface",
    "struct",
    "enum",
    "trait",
    "impl",
    "module",
    "type",
    "variable",
    "macro",
    "table",
    "rule",
    "test",
    "header",
    "section",
    "key",
    "block",
    "text",
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One of the things that a chunk defines, and where.

    symbol      path of the symbol
    kind        one of `KINDS`
    line        the line with its name, 1-based
    start_line  first line in the chunk that belongs to it, comments and decorators included
    end_line    last line in the chunk that belongs to it
    """

    symbol: str
    kind: str
    line: int
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A semantic piece of one file, made of whole lines.

    symbol      path of the symbol ("Outer.method", "Install > From source"), "" when there is none
    kind        one of `KINDS`
    scope       path of what encloses it, "" at top level
    start_line  first line, 1-based, inclusive
    end_line    last line, 1-based, inclusive
    text        exactly these lines, decoded, joined by "\\n"
    defines     last names of all symbols defined in it, in order, each once
    comment     doc comments and docstrings of what it defines, without comment markers
    key         identity within the file; unique, and the same after an edit of the body
    outline     every definition in it, in order; what encloses others comes before them
    """

    symbol: str
    kind: str
    scope: str
    start_line: int
    end_line: int
    text: str
    defines: tuple[str, ...]
    comment: str
    key: str
    outline: tuple[Definition, ...] = ()
