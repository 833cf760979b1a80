"""Bytes of a file and its language in, chunks out. Pure: knows nothing of git, reads nothing.

`language_of` names the language of a file, `chunk` divides it, `exclusion` says what is left out.
"""

from git_skillmesh.chunking.chunker import CHUNKER_VERSION, chunk
from git_skillmesh.chunking.exclusion import EXPLANATIONS, Skip, skip_content, skip_path
from git_skillmesh.chunking.languages import LANGUAGES, language_of, languages_named
from git_skillmesh.chunking.model import KINDS, Chunk

__all__ = [
    "CHUNKER_VERSION",
    "EXPLANATIONS",
    "KINDS",
    "LANGUAGES",
    "Chunk",
    "Skip",
    "chunk",
    "language_of",
    "languages_named",
    "skip_content",
    "skip_path",
]
