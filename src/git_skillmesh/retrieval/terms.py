"""Read a query: the words to look for, and whether it names an identifier.

In: what a person typed. Out: `Query`, in the hashes that the index uses.
"""

from dataclasses import dataclass

from ..embedding.tokens import STOP_WORDS, identifiers, parts, stem
from ..index.documents import hash_term, word_hashes


@dataclass(frozen=True, slots=True)
class Query:
    """`stems` maps each stemmed word to its hash, `wholes` each compound identifier to its own.

    `is_identifier`: the query is one identifier, so its definition comes first.
    """

    text: str
    stems: dict[str, int]
    wholes: dict[str, int]
    is_identifier: bool


def parse(text: str) -> Query:
    """Split a query the way files are split; stop words go unless nothing else is left."""
    words = identifiers(text)
    pieces = [piece for word in words for piece in parts(word)]
    # "all" says nothing in a question, but something in close_all.
    questions = [word for word in words if word.lower() not in STOP_WORDS]
    telling = [piece for word in questions for piece in parts(word)] or pieces
    stems = {stem(piece): hash_term(stem(piece)) for piece in telling}
    wholes = {word.lower(): whole for word in words if (whole := word_hashes(word)[1]) is not None}
    stripped = text.strip().rstrip("()")
    looks_named = len(stripped.split()) == 1 and bool(words) and len(words) <= 4
    return Query(text, stems, wholes, looks_named)
