"""What the ranker looks at: one row of numbers for each candidate.

In: scores of all documents, the candidates among them. Out: a matrix and the names of its
columns. Lexical scores are divided by their maximum, so that weights mean the same in every
repository.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..chunking.model import KINDS
from ..index.catalogue import FileRow
from ..index.segment import Field
from .corpus import Corpus, Floats, Integers
from .lexical import LexicalScores
from .terms import Query

_CHUNK_COLUMNS = {
    "body": Field.BODY,
    "identifier": Field.IDENTIFIER,
    "symbol": Field.SYMBOL,
    "scope": Field.SCOPE,
    "comment": Field.COMMENT,
}
_FILE_COLUMNS = {"stem": Field.STEM, "directory": Field.DIRECTORY}
NAMES = (
    *_CHUNK_COLUMNS,
    *_FILE_COLUMNS,
    "file_body",
    "file_symbol",
    "chunk_coverage",
    "file_coverage",
    "stem_coverage",
    "symbol_coverage",
    "defines_query",
    "dense",
    "dense_file",
    "test_path",
    "example_path",
    "compat_path",
    "documentation",
    "short",
)
_TEST = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testing|testdata|fixtures?|e2e)(/|$)"
    r"|(^|/)test_[^/]*$|[_.-](test|tests|spec)\.[^/]+$|(Test|Tests|Spec|TestCase)\.[^/]+$"
)
_EXAMPLE = re.compile(
    r"(^|/)(examples?|samples?|demos?|benchmarks?|bench|playground|tutorials?|docs_src)(/|$)", re.I
)
_COMPAT = re.compile(r"(^|/)(_?compat|legacy|deprecated|polyfills?|shims?|stubs?)(/|\.|$)", re.I)
_DOCUMENTATION = frozenset({"markdown", "rst", "text", "asciidoc"})
_DEFINING = np.array(
    [kind not in ("section", "key", "block", "text", "header") for kind in KINDS], np.bool_
)
# A chunk with fewer sub-words than this says little by itself.
_SHORT = 8


class Priors(NamedTuple):
    """What a path says before any query is asked."""

    test_path: bool
    example_path: bool
    compat_path: bool
    documentation: bool


def priors_of(row: FileRow) -> Priors:
    """Judge a file by its path and language."""
    return Priors(
        bool(_TEST.search(row.path)),
        bool(_EXAMPLE.search(row.path)),
        bool(_COMPAT.search(row.path)),
        row.language in _DOCUMENTATION,
    )


def compute(
    corpus: Corpus,
    query: Query,
    lexical: LexicalScores,
    cosines: Floats,
    candidates: Integers,
    priors: Mapping[int, Priors],
) -> NDArray[np.float64]:
    """Return float64[candidates, features]; `priors` holds those of the candidates' files."""
    own = corpus.files[candidates]
    columns: dict[str, Floats] = {}
    for name, field in _CHUNK_COLUMNS.items():
        columns[name] = _share_of_best(lexical.chunk[field], corpus.live)[candidates]
    for name, field in _FILE_COLUMNS.items():
        columns[name] = _share_of_best(lexical.file[field])[own]
    columns["file_body"] = _share_of_best(lexical.file_body)[own]
    columns["file_symbol"] = _share_of_best(lexical.file_symbol)[own]
    columns["chunk_coverage"] = _coverage(lexical.idf, lexical.chunk_hits[candidates])
    columns["file_coverage"] = _coverage(lexical.idf, lexical.file_hits[own])
    columns["stem_coverage"] = _coverage(lexical.idf, lexical.stem_hits[own])
    columns["symbol_coverage"] = _coverage(lexical.idf, lexical.symbol_hits[candidates])
    columns["defines_query"] = _defines(corpus, query, lexical, candidates)
    columns["dense"] = cosines[candidates]
    best = np.zeros(corpus.file_count)
    np.maximum.at(best, own, cosines[candidates])
    columns["dense_file"] = best[own]
    table = np.array([priors[number] for number in own.tolist()], np.float64)
    for name, column in zip(Priors._fields, table.reshape(-1, len(Priors._fields)).T, strict=True):
        columns[name] = column
    if {"test", "spec"} & query.stems.keys():
        columns["test_path"][:] = 0
    if {"exampl", "sampl", "demo", "benchmark"} & query.stems.keys():
        columns["example_path"][:] = 0
    columns["short"] = (corpus.lengths[Field.BODY][candidates] < _SHORT).astype(np.float64)
    return np.stack([columns[name] for name in NAMES], axis=1)


def _share_of_best(scores: Floats, among: NDArray[np.bool_] | None = None) -> Floats:
    best = float(scores.max(initial=0.0) if among is None else scores[among].max(initial=0.0))
    return scores / best if best > 0 else scores


def _coverage(idf: Sequence[float], bits: Integers) -> Floats:
    """Return the share of the query's idf weight that each set of stems (as bits) carries."""
    share = np.zeros(len(bits))
    for number, weight in enumerate(idf):
        share += weight * ((bits >> number) & 1)
    return share / (sum(idf) or 1.0)


def _defines(corpus: Corpus, query: Query, lexical: LexicalScores, candidates: Integers) -> Floats:
    """Whether a chunk defines a symbol made of just the query's words.

    For one identifier the whole name has to match where it is compound; the fewer other names a
    chunk defines, the more it counts.
    """
    everything = (1 << len(lexical.idf)) - 1
    if not everything:
        return np.zeros(len(candidates))
    hit = (lexical.symbol_hits[candidates] & everything) == everything
    if query.is_identifier and query.wholes:
        wholes = corpus.postings([key | Field.SYMBOL for key in query.wholes.values()])
        named = np.zeros(len(corpus), np.bool_)
        for documents, _ in wholes:
            named[documents] = True
        hit &= named[candidates]
    strength = 1.0 if query.is_identifier else 0.25
    length = np.maximum(corpus.lengths[Field.SYMBOL][candidates].astype(np.float64), 1)
    closeness = np.minimum(1.0, (len(lexical.idf) + 1) / (length + 1))
    score: Floats = hit * _DEFINING[corpus.kinds[candidates]] * (0.6 + 0.4 * closeness) * strength
    return score
