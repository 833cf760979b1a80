"""Quantised vectors: exact products, and a configured model that is asked only once a text."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from git_skillmesh.index.store import Store
from git_skillmesh.index.vectors import (
    Vectors,
    open_vectors,
    quantise,
    unit_rows,
    vector_path,
    write_vectors,
)
from testing.commands import call
from testing.embedding import Provider
from testing.indexing import ask, dump, index, opened, places
from testing.repos import Repo, make_repo

_rows = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=24),
    elements=st.floats(-1, 1, width=32),
)


@given(_rows)
def test_quantised_rows_point_the_same_way(
    rows: "np.ndarray[tuple[int, int], np.dtype[np.float32]]",
) -> None:
    found = quantise(rows)
    for row, unit in zip(rows.astype(np.float64), unit_rows(found), strict=True):
        length = np.linalg.norm(row)
        if np.abs(row).max() > 1e-29:
            assert float(unit @ row) / length > 0.99
        elif np.abs(row).max() < 1e-31:
            assert not unit.any()


@given(st.permutations(range(64)))
def test_products_do_not_depend_on_the_order_of_rows(order: list[int]) -> None:
    rows = quantise(np.random.default_rng(1).normal(size=(64, 256)).astype(np.float32)).rows
    query = rows[7].astype(np.float32)
    plain = rows.astype(np.float32) @ query
    shuffled = rows[order].astype(np.float32) @ query
    assert shuffled.tolist() == plain[order].tolist()
    assert plain.tolist() == (rows.astype(np.int64) @ rows[7].astype(np.int64)).tolist()


def test_written_vectors_are_the_same_when_opened(tmp_path: Path) -> None:
    vectors = quantise(np.eye(3, 5, dtype=np.float32))
    path = vector_path(tmp_path / "3", "a model")
    write_vectors(vectors, path)
    opened_again = open_vectors(path)
    assert opened_again.rows.tolist() == vectors.rows.tolist()
    assert opened_again.norms.tolist() == vectors.norms.tolist()
    assert vector_path(tmp_path / "3", "another model") != path


def test_empty_vectors_have_no_rows() -> None:
    none = quantise(np.zeros((0, 4), np.float32))
    assert isinstance(none, Vectors)
    assert (none.rows.shape, none.norms.shape) == ((0, 4), (0,))


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.server.shutdown()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(
        tmp_path,
        files={"a.py": "def parse_a():\n    return 1\n", "b.py": "def draw_b():\n    return 2\n"},
    )


def test_a_configured_model_sees_each_text_once(repo: Repo, provider: Provider) -> None:
    index(repo, settings=provider.settings)
    assert len(provider.texts) == 2
    repo.git("mv", "b.py", "moved.py")
    repo.commit("moved")
    index(repo, settings=provider.settings)
    assert len(provider.texts) == 2
    repo.commit("edit", {"a.py": "def parse_a():\n    return 3\n"})
    index(repo, settings=provider.settings)
    assert len(provider.texts) == 3


def test_changing_the_model_never_mixes_vectors(repo: Repo, provider: Provider) -> None:
    index(repo)
    builtin = dump(repo)
    provider.broken = True
    outcome = index(repo, settings=provider.settings)
    assert outcome.note
    assert dump(repo) == builtin
    answer = ask_words(repo, provider)
    assert answer == ["a.py:1 parse_a"]
    provider.broken = False
    assert index(repo, settings=provider.settings).embedded == 2
    assert stored_dimensions(repo) == {3}
    assert index(repo).embedded == 2
    assert stored_dimensions(repo) == {256}
    assert dump(repo) == builtin
    assert places(ask(repo, "parse_a"))[0] == "a.py:1 parse_a"


def ask_words(repo: Repo, provider: Provider) -> list[str]:
    """Search while the model is away: by words, with a note, without an error."""
    result = call(
        repo.path, "query", "--committed", "-n", "1", "parse_a",
        env={
            "EMBEDDING_MODEL_PROVIDER": "huggingface_server",
            "EMBEDDING_MODEL_NAME": provider.url,
        },
    )  # fmt: skip
    assert result.returncode == 0
    assert "ranked by words only" in result.stderr
    return [" ".join(result.stdout.split()[1:3])]


def stored_dimensions(repo: Repo) -> set[int]:
    store = Store(opened(repo)[0])
    return {open_vectors(path).rows.shape[1] for path in store.segments_folder.glob("*.vec")}
