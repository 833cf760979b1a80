"""The entrance: bytes and a language in, chunks out, whatever the bytes are.

What reads a language is imported by the first file in it: a process that only asks for the names
here pays nothing for parsers.
"""

from git_skillmesh.chunking.model import Chunk

TYPE_CHECKING = False  # what typing says at run time, without its import
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_skillmesh.chunking.lines import Lines
    from git_skillmesh.chunking.pieces import Piece, Sizes

CHUNKER_VERSION = 3
"""Raised whenever the chunks of the same bytes change; indexes keyed by it are rebuilt."""

MAX_PARSED_BYTES = 2_000_000
"""Larger files are divided as text: parsing them would hold up everything else."""


def chunk(data: bytes, language: str) -> list[Chunk]:
    """The chunks of a file, in order; every line that is not blank lies in exactly one.

    Never raises, whatever the bytes; the same bytes and language always give the same chunks.
    A blank file gives none. An unknown language is read as text.
    """
    from git_skillmesh.chunking.pieces import Sizes

    return chunk_sized(data, language, Sizes())


def chunk_sized(data: bytes, language: str, sizes: "Sizes") -> list[Chunk]:
    """`chunk` with other sizes."""
    from git_skillmesh.chunking.lines import Lines
    from git_skillmesh.chunking.pieces import pack

    if not data.strip():
        return []
    lines = Lines(data)
    pieces, plain = _split(lines, language, sizes)
    return pack(pieces, lines, sizes, plain)


def _split(lines: "Lines", language: str, sizes: "Sizes") -> "tuple[Iterator[Piece], str]":
    """The pieces of a file, and the kind of its chunks that have no name."""
    if language in ("markdown", "rst"):
        from git_skillmesh.chunking import sections

        headings = sections.markdown if language == "markdown" else sections.rst
        return headings(lines, sizes), "text"
    if language == "yaml":
        from git_skillmesh.chunking.outline import yaml

        return yaml(lines, sizes), "block"
    if language != "text" and len(lines.data) <= MAX_PARSED_BYTES:
        from git_skillmesh.chunking import tree

        if tree.has_grammar(language):
            return tree.split(lines, language, sizes), "block"
    from git_skillmesh.chunking.pieces import Place
    from git_skillmesh.chunking.text import paragraphs

    return paragraphs(lines, 0, len(lines) - 1, Place(), sizes), "text"
