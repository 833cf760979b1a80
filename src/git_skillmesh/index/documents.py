"""Turn a file into documents: chunks with their lexical terms and what is embedded of them.

In: path, bytes. Out: `FileDocuments`. The same function serves the index and a query's view of
files that are not indexed yet.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..chunking import chunk, language_of
from ..chunking.exclusion import Skip, skip_content
from ..chunking.model import KINDS, Chunk
from ..embedding.static import Fields
from ..embedding.tokens import identifiers, parts, stem
from .segment import Field

# Raised whenever the terms of the same chunk change; file versions are then read anew.
TERMS_VERSION = 2
# What tells a language where the name does not.
_HEAD_BYTES = 8_192
# Kinds whose symbol is no name in code.
_NAMELESS = frozenset({"section", "text", "block"})
_SEPARATORS = re.compile(r"\.|::|#|/| > ")
KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Document:
    """A chunk ready for the index: posting key → frequency, and what the embedding reads.

    `prose` is what it says in words, where that is more than the chunk.
    """

    chunk: Chunk
    terms: Mapping[int, int]
    lengths: tuple[int, ...]
    fields: Fields
    content_hash: bytes
    prose: str = ""

    @classmethod
    def unknown(cls) -> "Document":
        """Return a stand-in for a chunk whose text is gone: it embeds to nothing."""
        nothing = Chunk("", "text", "", 1, 1, "", (), "", "")
        return cls(nothing, {}, (0,) * Field.COUNT, Fields({}, {}, {}, {}), b"")

    @property
    def embedded_text(self) -> str:
        """The text a model of sentences sees: the prose, or the symbol and the chunk."""
        return self.prose or f"{self.chunk.symbol}\n{self.chunk.text}"


@dataclass(frozen=True, slots=True)
class FileDocuments:
    """The documents of one version of a file; `skip` says why there are none."""

    language: str
    skip: Skip | None
    documents: tuple[Document, ...]


def read_file(path: str, data: bytes, max_bytes: int, force: bool = False) -> FileDocuments:
    """Chunk one file. With `force` only what cannot be read as text is left out."""
    skip = skip_content(path, data, max_bytes, forced=force)
    if skip is not None:
        return FileDocuments("", skip, ())
    language = language_of(path, data[:_HEAD_BYTES])
    chunks = chunk(data, language)
    return FileDocuments(language, None, documents_of(chunks, *path_words(path)))


def documents_of(chunks: Iterable[Chunk], file: str, folders: str) -> tuple[Document, ...]:
    """Return the documents of the chunks of one file, whose name and folders have these words."""
    path_terms, path_lengths = _path_terms(file, folders)
    place = Counter(identifiers(file)), Counter(identifiers(folders))
    documents = []
    for number, piece in enumerate(chunks):
        extra = (path_terms, path_lengths) if number == 0 else ({}, (0, 0))
        documents.append(_document(piece, place, *extra))
    return tuple(documents)


def _document(
    piece: Chunk,
    place: tuple[Mapping[str, int], Mapping[str, int]],
    path_terms: Mapping[int, int],
    path_lengths: tuple[int, int],
) -> Document:
    bag = Counter(identifiers(piece.text))
    terms: dict[int, int] = dict(path_terms)
    lengths = [0] * Field.COUNT
    lengths[Field.STEM], lengths[Field.DIRECTORY] = path_lengths
    for word, count in bag.items():
        stems, whole = word_hashes(word)
        for number in stems:
            key = number | Field.BODY
            terms[key] = terms.get(key, 0) + count
        lengths[Field.BODY] += count * len(stems)
        if whole is not None:
            key = whole | Field.IDENTIFIER
            terms[key] = terms.get(key, 0) + count
            lengths[Field.IDENTIFIER] += count
    for field, text in (
        (Field.SYMBOL, " ".join(piece.defines)),
        (Field.SCOPE, piece.scope),
        (Field.COMMENT, piece.comment),
    ):
        lengths[field] = _add_field(terms, field, text)
    own = last_name(piece.symbol) if piece.kind not in _NAMELESS else ""
    for field, names in ((Field.NAME, (own,) if own else ()), (Field.DEFINED, piece.defines)):
        for name in names:
            terms[exact_name(name) | field] = terms[joined(parts(name)) | field] = 1
    symbol = identifiers(piece.symbol)
    bag.update(symbol)
    defined = identifiers(" ".join(piece.defines))
    fields = Fields(bag, Counter([*symbol, *defined]), *place)
    digest = hashlib.blake2b(piece.text.encode(errors="surrogatepass"), digest_size=12).digest()
    return Document(piece, terms, tuple(lengths), fields, digest)


def _add_field(terms: dict[int, int], field: int, text: str) -> int:
    """Add the sub-words of a text to a field; in SYMBOL also each whole name. Return its length."""
    length = 0
    for word in identifiers(text):
        stems, whole = word_hashes(word)
        for number in stems:
            terms[number | field] = terms.get(number | field, 0) + 1
        length += len(stems)
        if whole is not None and field == Field.SYMBOL:
            terms[whole | field] = terms.get(whole | field, 0) + 1
    return length


def path_words(path: str) -> tuple[str, str]:
    """Return what a path says: the file's name up to the first dot, and its last four folders."""
    pure = PurePosixPath(path)
    name = pure.name.lstrip(".").split(".", 1)[0] or pure.name
    return name, " ".join(pure.parts[:-1][-4:])


def _path_terms(file: str, folders: str) -> tuple[dict[int, int], tuple[int, int]]:
    """Return the terms of a path; a file's first document alone carries them."""
    terms: dict[int, int] = {}
    stem_length = _add_field(terms, Field.STEM, file)
    return terms, (stem_length, _add_field(terms, Field.DIRECTORY, folders))


_hashes: dict[str, tuple[tuple[int, ...], int | None]] = {}
_MAX_CACHED = 500_000


def word_hashes(word: str) -> tuple[tuple[int, ...], int | None]:
    """Return the hashes of a word's stemmed sub-words, and of the whole if it has several.

    A hash leaves its low four bits free for the field number.
    """
    found = _hashes.get(word)
    if found is None:
        pieces = parts(word)
        stems = tuple(hash_term(stem(piece)) for piece in pieces)
        found = stems, joined(pieces) if len(pieces) > 1 else None
        if len(_hashes) > _MAX_CACHED:
            _hashes.clear()
        _hashes[word] = found
    return found


def joined(pieces: Iterable[str]) -> int:
    """Return the hash of a whole name in any style: `retry_later`, `retryLater`, `RetryLater`."""
    return hash_term("=" + "".join(pieces))


def exact_name(name: str) -> int:
    """Return the hash of a name as it is written."""
    return hash_term("!" + name)


def last_name(symbol: str) -> str:
    """Return the last part of a symbol path."""
    return _SEPARATORS.split(symbol)[-1]


def hash_term(term: str) -> int:
    """Return a 60-bit hash of a term, shifted left by four."""
    digest = hashlib.blake2b(term.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 4 << 4
