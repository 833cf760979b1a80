"""Read a query: the words to look for, and whether it names an identifier.

In: what a person typed. Out: `Query`, in the hashes that the index uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..embedding.tokens import STOP_WORDS, identifiers, parts, stem
from ..index.documents import exact_name, hash_term, joined, word_hashes

_Names = dict[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Query:
    """`stems` maps each stemmed word to its hash, `wholes` each compound identifier to its own.

    `is_identifier`: the query is one identifier, so its definition comes first; `name` is its last
    word, "" for a question. `exact` and
    `joined` map what may be the name of a symbol, as written and in any style, to the stems that
    it covers.
    """

    text: str
    stems: dict[str, int]
    wholes: dict[str, int]
    is_identifier: bool
    name: str
    exact: dict[int, tuple[str, ...]]
    joined: dict[int, tuple[str, ...]]


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
    name = words[-1] if looks_named else ""
    return Query(text, stems, wholes, looks_named, name, *_names(questions or words, looks_named))


def _names(words: Sequence[str], is_identifier: bool) -> tuple[_Names, _Names]:
    """Return the hashes of possible names: words as written, and up to three in a row joined."""
    exact: _Names = {}
    whole: _Names = {}
    if is_identifier:  # Outer.method, Outer::method: the last one is the name
        words = words[-1:]
    for start, word in enumerate(words):
        exact[exact_name(word)] = tuple(map(stem, parts(word)))
        pieces: list[str] = []
        for other in words[start : start + 3]:
            pieces += parts(other)
            whole[joined(pieces)] = tuple(map(stem, pieces))
    return exact, whole
