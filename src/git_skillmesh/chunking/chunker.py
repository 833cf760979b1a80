"""The entrance: bytes and a language in, chunks out, whatever the bytes are."""

from git_skillmesh.chunking.lines import Lines
from git_skillmesh.chunking.model import Chunk
from git_skillmesh.chunking.pieces import Place, Sizes, pack
from git_skillmesh.chunking.text import paragraphs

CHUNKER_VERSION = 1
"""Raised whenever the chunks of the same bytes change; indexes keyed by it are rebuilt."""

MAX_PARSED_BYTES = 2_000_000
"""Larger files are divided as text: parsing them would hold up everything else."""

_DEFAULT = Sizes()


def chunk(data: bytes, language: str) -> list[Chunk]:
    """The chunks of a file, in order; every line that is not blank lies in exactly one.

    Never raises, whatever the bytes; the same bytes and language always give the same chunks.
    A blank file gives none. An unknown language is read as text.
    """
    return chunk_sized(data, language, _DEFAULT)


def chunk_sized(data: bytes, language: str, sizes: Sizes) -> list[Chunk]:
    """`chunk` with other sizes."""
    if not data.strip():
        return []
    lines = Lines(data)
    if language in ("markdown", "rst"):
        from git_skillmesh.chunking import sections

        split = sections.markdown if language == "markdown" else sections.rst
        return pack(split(lines, sizes), lines, sizes, plain="text")
    if language != "text" and len(data) <= MAX_PARSED_BYTES:
        # tree-sitter costs 20 ms to import and is not needed for text.
        from git_skillmesh.chunking import tree

        if tree.has_grammar(language):
            return pack(tree.split(lines, language, sizes), lines, sizes)
    return pack(paragraphs(lines, 0, len(lines) - 1, Place(), sizes), lines, sizes, plain="text")
