"""What the ranker looks at: one row of numbers for each candidate.

In: scores of all documents, the candidates among them. Out: a matrix and the names of its
columns. Lexical scores are divided by their maximum, so that weights mean the same in every
repository.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
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
_TEST_WORDS = (
    "test", "spec", "fixture", "mocks", "snapshots", "e2e", "fuzz", "suite", "/t/", ".feature",
    ".bats",
)  # fmt: skip
_EXAMPLE = re.compile(
    r"(^|/)([^/]*[-_.])?"
    r"(examples?|samples?|demos?|benchmarks?|bench|playground|tutorials?|docs_src)/"
    r"|(^|/)(benches|benchsuite|quickstarts?)/",
    re.IGNORECASE,
)
_EXAMPLE_WORDS = (
    "example", "sample", "demo", "bench", "playground", "tutorial", "docs_src", "quickstart"
)  # fmt: skip
_COMPAT = re.compile(
    r"(^|/)(_?compat|legacy|deprecated|polyfills?|shims?|stubs?)(/|\.|$)", re.IGNORECASE
)
_COMPAT_WORDS = ("compat", "legacy", "deprecated", "polyfill", "shim", "stub")
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


class KnownFiles:
    """What the ranker knows of files, looked at once.

    `rows` and `stems` (their names up to the first dot) by id, `priors` float64[f, fields].
    """

    def __init__(self, count: int) -> None:
        self.rows: dict[int, FileRow] = {}
        self.stems: dict[int, str] = {}
        self.priors = np.zeros((count, len(Priors._fields)))

    def add(self, row: FileRow) -> None:
        """Judge a file by its path and language."""
        name = row.path.rpartition("/")[2]
        self.rows[row.id] = row
        self.stems[row.id] = name.lstrip(".").partition(".")[0]
        self.priors[row.id] = priors_of(row.path, row.language)


@lru_cache(maxsize=32_768)
def priors_of(path: str, language: str) -> Priors:
    """Judge a file by its path and language."""
    name = path.rpartition("/")[2]
    # Most paths have none of the words: the patterns take longer to say so.
    lower = f"/{path.lower()}" if path.isascii() else ""
    return Priors(
        _may(lower, _TEST_WORDS) and bool(_TEST.search(path)),
        _may(lower, _EXAMPLE_WORDS) and bool(_EXAMPLE.search(path)),
        _may(lower, _COMPAT_WORDS) and bool(_COMPAT.search(path)),
        language in _DOCUMENTATION or bool(name.endswith(("l", "m", "\n")) and _PAGE.search(path)),
        language in _CONFIGURATION,
        bool(_REEXPORT.search(name)),
        path.count("/"),
    )


def _may(path: str, words: Sequence[str]) -> bool:
    for word in words:  # several times as fast as any()
        if word in path:
            return True
    return not path


def compute(
    corpus: Corpus,
    query: Query,
    lexical: LexicalScores,
    cosines: Floats,
    candidates: Integers,
    files: KnownFiles,
) -> NDArray[np.float64]:
    """Return float64[candidates, features]; `files` knows those of the candidates."""
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
        name: _share_of_best(lexical.chunk[field], candidates)
        for name, field in _CHUNK_COLUMNS.items()
    }
    for name, field in _FILE_COLUMNS.items():
        columns[name] = _share_of_best(lexical.file[field], own)
    columns["file_body"] = _share_of_best(lexical.file_body, own)
    columns["file_symbol"] = _share_of_best(lexical.file_symbol, own)
    bits = np.stack([
        lexical.chunk_hits[candidates], lexical.symbol_hits[candidates], lexical.file_hits[own],
        lexical.stem_hits[own], lexical.directory_hits[own],
    ])  # fmt: skip
    names = ("chunk", "symbol", "file", "stem", "directory")
    columns |= dict(zip((f"{name}_coverage" for name in names), _coverage(idf, bits), strict=True))
    matched = _coverage([1.0] * len(idf), lexical.stem_hits[own]) * len(idf)
    columns["stem_precision"] = matched / np.maximum(corpus.file_stems[own], 1)
    whole = (columns["stem_coverage"] > _WHOLE) & (columns["stem_precision"] > _WHOLE)
    columns["stem_full"] = whole.astype(np.float64)
    agreeing = (columns["chunk_coverage"] > _AGREES).astype(np.float64)
    counts = np.bincount(own, weights=agreeing, minlength=corpus.file_count)
    columns["agreement"] = np.log1p(counts)[own]
    return columns


def _share_of_best(scores: Floats, chosen: Integers) -> Floats:
    """Return some of the scores, divided by the best of all; what is not live has none."""
    best = float(scores.max(initial=0.0))
    return scores[chosen] / best if best > 0 else scores[chosen]


def _coverage(idf: Sequence[float], bits: Integers) -> Floats:
    """Return the share of the query's idf weight that each set of stems (as bits) carries."""
    share = np.zeros(bits.shape)
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
    forms = (("exact", query.exact), ("joined", query.joined))
    wanted = [
        (f"{column}_{form}", key | field, stems)
        for column, field in _NAME_COLUMNS.items()
        for form, keys in forms
        for key, stems in keys.items()
    ]
    for column in _NAME_COLUMNS:
        columns |= {f"{column}_{form}": np.zeros(len(candidates)) for form, _ in forms}
    is_defined = False
    postings = corpus.postings([key for _, key, _ in wanted])
    for (name, _, stems), (documents, _) in zip(wanted, postings, strict=True):
        share = sum(weight.get(stem, 0.0) for stem in set(stems)) / total
        value = 1.0 if query.is_identifier else share
        at = _among(candidates, documents)
        columns[name][at] = np.maximum(columns[name][at], value)
        is_defined = is_defined or (name == "defined_exact" and bool(len(documents) and value))
    if query.is_identifier and query.wholes and is_defined:
        # Another spelling is an answer only where the one asked for is not defined.
        for column in _NAME_COLUMNS:
            columns[f"{column}_joined"] *= columns["defined_exact"]
    return columns


def _among(candidates: Integers, documents: Integers) -> Integers:
    """Return the places of documents among the candidates, as far as they are; both ascend."""
    if not len(candidates) or not len(documents):
        return documents[:0]
    places = candidates.searchsorted(documents)
    found: Integers = places[candidates[np.minimum(places, len(candidates) - 1)] == documents]
    return found


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
        named = np.zeros(len(candidates), np.bool_)
        for documents, _ in wholes:
            named[_among(candidates, documents)] = True
        hit &= named
    strength = 1.0 if query.is_identifier else 0.25
    length = np.maximum(corpus.lengths[Field.SYMBOL][candidates].astype(np.float64), 1)
    closeness = np.minimum(1.0, (len(lexical.idf) + 1) / (length + 1))
    score: Floats = hit * _DEFINING[corpus.kinds[candidates]] * (0.6 + 0.4 * closeness) * strength
    return score


def _dense_columns(corpus: Corpus, cosines: Floats, candidates: Integers) -> dict[str, Floats]:
    """Cosines of the chunk and of its file, and how far the chunk stands out among all."""
    dense = cosines[candidates]
    # On a grid of 2^-16 the sums are exact, so the order of documents does not show.
    grid = np.multiply(cosines, 65_536, out=corpus.scratch("grid"))  # 0 for what is not live
    np.rint(grid, out=grid)
    count = max(corpus.live_chunks, 1)
    mean = float(grid.sum()) / count
    spread = max(float(np.dot(grid, grid)) / count - mean * mean, 0.0) ** 0.5
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
    corpus: Corpus, query: Query, candidates: Integers, files: KnownFiles
) -> dict[str, Floats]:
    """What path, kind and size say, unless the query asks for just that."""
    own, kinds = corpus.files[candidates], corpus.kinds[candidates]
    columns: dict[str, Floats] = dict(zip(Priors._fields, files.priors[own].T, strict=True))
    if {"test", "spec"} & query.stems.keys():
        columns["test_path"] = np.zeros(len(own))
    if {"exampl", "sampl", "demo", "benchmark", "bench", "tutori"} & query.stems.keys():
        columns["example_path"] = np.zeros(len(own))
    lengths = corpus.lengths[Field.BODY][candidates].astype(np.float64)
    same = [query.name == files.stems[n] for n in own.tolist()] if query.name else 0
    columns["stem_same"] = np.zeros(len(own)) + same
    columns["type"] = _TYPES[kinds].astype(np.float64)
    columns["callable"] = _CALLABLES[kinds].astype(np.float64)
    columns["header"] = _HEADERS[kinds].astype(np.float64)
    columns["short"] = (lengths < _SHORT).astype(np.float64)
    columns["length"] = np.log1p(lengths)
    columns["file_length"] = np.log1p(corpus.file_body[own])
    return columns
