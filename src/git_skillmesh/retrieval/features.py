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
_NAME_COLUMNS = {"name": Field.NAME, "defined": Field.DEFINED}
NAMES = (
    *_CHUNK_COLUMNS, *_FILE_COLUMNS, "file_body", "file_symbol",
    "chunk_coverage", "symbol_coverage", "file_coverage", "stem_coverage", "directory_coverage",
    "stem_precision", "stem_full", "stem_same", "agreement",
    "defines_query", "name_exact", "name_joined", "defined_exact", "defined_joined", "name_type",
    "dense", "dense_z", "dense_file", "dense_file3",
    "test_path", "example_path", "compat_path", "documentation", "configuration", "reexport",
    "depth",
    "type", "callable", "header", "short", "length", "file_length",
)  # fmt: skip
_TEST = re.compile(
    # Folders: tests, Tests, foo-tests, Foo.UnitTests, commonTest, TestHelpers, t, fuzz
    r"(^|/)([^/]*[-_.])?(?i:tests?|specs?|testing|test[-_]?(data|utils?|helpers?|support))/"
    r"|(^|/)([^/]*[a-z])?Tests?(Data|Utils?|Utilities|Helpers?|Support|Fixtures)?/"
    r"|(^|/)(__(tests|mocks|snapshots|fixtures)__|fixtures?|e2e|t|fuzz|testthat)/"
    # Files: test_x, x_test, x-spec, XTest, x_SUITE, x.feature
    r"|(^|/)(test_[^/]*|tests\.\w+|conftest\.py)$|[_.-](test|tests|spec)\.[^/]+$"
    r"|(Test|Tests|Spec|TestCase|_SUITE)\.[^/]+$|\.(feature|bats)$"
)
_EXAMPLE = re.compile(
    r"(^|/)([^/]*[-_.])?"
    r"(examples?|samples?|demos?|benchmarks?|bench|playground|tutorials?|docs_src)/"
    r"|(^|/)(benches|benchsuite|quickstarts?)/",
    re.IGNORECASE,
)
_COMPAT = re.compile(
    r"(^|/)(_?compat|legacy|deprecated|polyfills?|shims?|stubs?)(/|\.|$)", re.IGNORECASE
)
_REEXPORT = re.compile(
    r"(^|/)(__init__\.pyi?|index\.[jt]sx?|mod\.rs|lib\.rs|main\.\w+|package-info\.java)$"
)
_DOCUMENTATION = frozenset({"markdown", "rst", "text", "asciidoc"})
# What a documentation tool wrote; elsewhere HTML is code.
_PAGE = re.compile(r"(^|/)docs?/.*\.html?$")
_CONFIGURATION = frozenset({"json", "yaml", "toml", "xml", "ini", "csv", "make", "cmake"})


def _kinds(*kinds: str) -> NDArray[np.bool_]:
    return np.array([kind in kinds for kind in KINDS], np.bool_)


_DEFINING = ~_kinds("section", "key", "block", "text", "header")
_TYPES = _kinds(
    "class", "interface", "struct", "enum", "trait", "impl", "module", "type", "header"
)  # fmt: skip
_CALLABLES = _kinds("function", "method", "macro")
_HEADERS = _kinds("header")
# A chunk with fewer sub-words than this says little by itself.
_SHORT = 8
# Sums of shares that should be one may be a little less.
_WHOLE = 1 - 1e-9
# From this share of the query's weight on a chunk counts as one more that agrees.
_AGREES = 0.4


class Priors(NamedTuple):
    """What a path says before any query is asked; `depth` counts folders."""

    test_path: bool
    example_path: bool
    compat_path: bool
    documentation: bool
    configuration: bool
    reexport: bool
    depth: int


class KnownFile(NamedTuple):
    """What the ranker knows of a file; `stem` is its name up to the first dot."""

    row: FileRow
    stem: str
    priors: Priors


def known_file(row: FileRow) -> KnownFile:
    """Judge a file by its path and language."""
    name = row.path.rpartition("/")[2]
    return KnownFile(row, name.lstrip(".").partition(".")[0], _priors(row))


def _priors(row: FileRow) -> Priors:
    return Priors(
        bool(_TEST.search(row.path)),
        bool(_EXAMPLE.search(row.path)),
        bool(_COMPAT.search(row.path)),
        row.language in _DOCUMENTATION or bool(_PAGE.search(row.path)),
        row.language in _CONFIGURATION,
        bool(_REEXPORT.search(row.path)),
        row.path.count("/"),
    )


def compute(
    corpus: Corpus,
    query: Query,
    lexical: LexicalScores,
    cosines: Floats,
    candidates: Integers,
    files: Mapping[int, KnownFile],
) -> NDArray[np.float64]:
    """Return float64[candidates, features]; `files` holds those of the candidates."""
    columns: dict[str, Floats] = {
        **_lexical_columns(corpus, lexical, candidates),
        **_name_columns(corpus, query, lexical, candidates),
        **_dense_columns(corpus, cosines, candidates),
        **_prior_columns(corpus, query, candidates, files),
    }
    columns["name_type"] = columns["name_exact"] * columns["type"]
    return np.stack([columns[name] for name in NAMES], axis=1)


def _lexical_columns(
    corpus: Corpus, lexical: LexicalScores, candidates: Integers
) -> dict[str, Floats]:
    """Scores of the fields, and which share of the query's weight is where."""
    own, idf = corpus.files[candidates], lexical.idf
    columns = {
        name: _share_of_best(lexical.chunk[field], corpus.live)[candidates]
        for name, field in _CHUNK_COLUMNS.items()
    }
    for name, field in _FILE_COLUMNS.items():
        columns[name] = _share_of_best(lexical.file[field])[own]
    columns["file_body"] = _share_of_best(lexical.file_body)[own]
    columns["file_symbol"] = _share_of_best(lexical.file_symbol)[own]
    columns["chunk_coverage"] = _coverage(idf, lexical.chunk_hits[candidates])
    columns["symbol_coverage"] = _coverage(idf, lexical.symbol_hits[candidates])
    columns["file_coverage"] = _coverage(idf, lexical.file_hits[own])
    columns["stem_coverage"] = _coverage(idf, lexical.stem_hits[own])
    columns["directory_coverage"] = _coverage(idf, lexical.directory_hits[own])
    matched = _coverage([1.0] * len(idf), lexical.stem_hits[own]) * len(idf)
    columns["stem_precision"] = matched / np.maximum(corpus.file_stems[own], 1)
    whole = (columns["stem_coverage"] > _WHOLE) & (columns["stem_precision"] > _WHOLE)
    columns["stem_full"] = whole.astype(np.float64)
    agreeing = (columns["chunk_coverage"] > _AGREES).astype(np.float64)
    counts = np.bincount(own, weights=agreeing, minlength=corpus.file_count)
    columns["agreement"] = np.log1p(counts)[own]
    return columns


def _share_of_best(scores: Floats, among: NDArray[np.bool_] | None = None) -> Floats:
    best = float(scores.max(initial=0.0) if among is None else scores[among].max(initial=0.0))
    return scores / best if best > 0 else scores


def _coverage(idf: Sequence[float], bits: Integers) -> Floats:
    """Return the share of the query's idf weight that each set of stems (as bits) carries."""
    share = np.zeros(len(bits))
    for number, weight in enumerate(idf):
        share += weight * ((bits >> number) & 1)
    return share / (sum(idf) or 1.0)


def _name_columns(
    corpus: Corpus, query: Query, lexical: LexicalScores, candidates: Integers
) -> dict[str, Floats]:
    """Whether what the query may name is the name of a chunk, or of something it defines."""
    columns = {"defines_query": _defines(corpus, query, lexical, candidates)}
    total = sum(lexical.idf) or 1.0
    weight = dict(zip(query.stems, lexical.idf, strict=False))
    found: dict[str, Floats] = {}
    for column, field in _NAME_COLUMNS.items():
        for form, keys in (("exact", query.exact), ("joined", query.joined)):
            scores = found[f"{column}_{form}"] = np.zeros(len(corpus))
            postings = corpus.postings([key | field for key in keys])
            for (documents, _), stems in zip(postings, keys.values(), strict=True):
                share = sum(weight.get(stem, 0.0) for stem in set(stems)) / total
                scores[documents] = np.maximum(
                    scores[documents], 1.0 if query.is_identifier else share
                )
    if query.is_identifier and query.wholes and found["defined_exact"].any():
        # Another spelling is an answer only where the one asked for is not defined.
        for column in _NAME_COLUMNS:
            found[f"{column}_joined"] *= found["defined_exact"]
    columns.update((name, scores[candidates]) for name, scores in found.items())
    return columns


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


def _dense_columns(corpus: Corpus, cosines: Floats, candidates: Integers) -> dict[str, Floats]:
    """Cosines of the chunk and of its file, and how far the chunk stands out among all."""
    dense = cosines[candidates]
    # On a grid of 2^-16 the sums are exact, so the order of documents does not show.
    grid = np.rint(cosines[corpus.live] * 65_536)
    count = max(len(grid), 1)
    mean = float(grid.sum()) / count
    spread = max(float((grid * grid).sum()) / count - mean * mean, 0.0) ** 0.5
    best, three = _best_of_files(corpus.files[candidates], dense)
    return {
        "dense": dense,
        "dense_z": (dense * 65_536 - mean) / spread if spread > 0 else np.zeros(len(dense)),
        "dense_file": best,
        "dense_file3": three,
    }


def _best_of_files(own: Integers, dense: Floats) -> tuple[Floats, Floats]:
    """Return, for each candidate, its file's best cosine and the mean of its three best."""
    best, three = np.zeros(len(own)), np.zeros(len(own))
    if not len(own):
        return best, three
    order = np.lexsort((-dense, own))
    files, values = own[order], dense[order]
    first = np.append(True, files[1:] != files[:-1])
    starts = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    place = np.arange(len(files)) - starts[group]
    best[order] = values[starts][group]
    three[order] = (np.add.reduceat(np.where(place < 3, values, 0.0), starts) / 3)[group]
    return best, three


def _prior_columns(
    corpus: Corpus, query: Query, candidates: Integers, files: Mapping[int, KnownFile]
) -> dict[str, Floats]:
    """What path, kind and size say, unless the query asks for just that."""
    own, kinds = corpus.files[candidates], corpus.kinds[candidates]
    table = np.array([files[number].priors for number in own.tolist()], np.float64)
    table = table.reshape(-1, len(Priors._fields))
    columns: dict[str, Floats] = dict(zip(Priors._fields, table.T, strict=True))
    if {"test", "spec"} & query.stems.keys():
        columns["test_path"] = np.zeros(len(own))
    if {"exampl", "sampl", "demo", "benchmark", "bench", "tutori"} & query.stems.keys():
        columns["example_path"] = np.zeros(len(own))
    lengths = corpus.lengths[Field.BODY][candidates].astype(np.float64)
    same = {n for n, file in files.items() if query.name and file.stem == query.name}
    columns["stem_same"] = np.array([number in same for number in own.tolist()], np.float64)
    columns["type"] = _TYPES[kinds].astype(np.float64)
    columns["callable"] = _CALLABLES[kinds].astype(np.float64)
    columns["header"] = _HEADERS[kinds].astype(np.float64)
    columns["short"] = (lengths < _SHORT).astype(np.float64)
    columns["length"] = np.log1p(lengths)
    columns["file_length"] = np.log1p(corpus.file_body[own])
    return columns
