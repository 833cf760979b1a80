"""BM25 against a plain computation from the text."""

import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.embedding.tokens import identifiers, parts, stem
from git_skillmesh.index.segment import Field
from git_skillmesh.retrieval.corpus import Corpus
from git_skillmesh.retrieval.lexical import score
from git_skillmesh.retrieval.terms import parse
from testing.examples import examples
from testing.indexing import COMMITTED, index, view_of
from testing.repos import Repo, make_repo

_WORDS = ("alpha", "beta", "gamma", "delta", "epsilon")


def expected(texts: dict[str, str], query: str) -> dict[str, float]:
    """Return the BM25 of each text, k1 1.2, b 0.75."""
    bags = {
        path: Counter(stem(part) for word in identifiers(text) for part in parts(word))
        for path, text in texts.items()
    }
    average = sum(sum(bag.values()) for bag in bags.values()) / len(bags)
    found = dict.fromkeys(bags, 0.0)
    for term in parse(query).stems:
        count = sum(1 for bag in bags.values() if bag[term])
        idf = math.log(1 + (len(bags) - count + 0.5) / (count + 0.5))
        for path, bag in bags.items():
            norm = 1.2 * (0.25 + 0.75 * sum(bag.values()) / average)
            found[path] += idf * bag[term] * 2.2 / (bag[term] + norm)
    return found


def body_scores(repo: Repo, query: str) -> dict[str, float]:
    view = view_of(repo, COMMITTED)
    corpus = Corpus(view)
    lexical = score(corpus, parse(query))
    rows = view.files(set(corpus.files[corpus.live].tolist()))
    found = {
        rows[int(corpus.files[n])].path: float(lexical.chunk[Field.BODY][n])
        for n in range(len(corpus))
        if corpus.live[n]
    }
    view.close()
    return found


@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=12), min_size=2, max_size=6))
def test_body_scores_are_bm25_of_the_live_tree(
    tmp_path_factory: pytest.TempPathFactory, contents: list[list[str]]
) -> None:
    texts = {f"{n}.txt": " ".join(words) + "\n" for n, words in enumerate(contents)}
    repo = make_repo(tmp_path_factory.mktemp("bm25"), files={"old.txt": "alpha alpha gamma\n"})
    index(repo)  # what is in the index besides the tree must not count
    repo.commit("texts", {**texts, "old.txt": None})
    index(repo)
    found = body_scores(repo, "alpha gamma")
    assert found == pytest.approx(expected(texts, "alpha gamma"))


def test_scores_are_bit_equal_however_documents_lie(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {
        f"{n}.txt": " ".join(_WORDS[: n % 5 + 1] * (n % 3 + 1)) + "\n" for n in range(20)
    }
    at_once = make_repo(tmp_path, "once", files=files)
    index(at_once)
    slowly = make_repo(tmp_path, "slowly", files={"0.txt": files["0.txt"]})
    for name in reversed(files):
        slowly.commit(name, {name: files[name]})
        index(slowly)
    for query in ("alpha", "beta delta", "epsilon alpha gamma"):
        assert body_scores(at_once, query) == body_scores(slowly, query)
