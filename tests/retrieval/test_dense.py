"""Cosines with rows kept as float32 are those of the rows as they are stored."""

from pathlib import Path

import numpy as np
import pytest

from git_skillmesh.index.vectors import Vectors, builtin_source, open_vectors, write_vectors
from git_skillmesh.retrieval.corpus import Corpus
from git_skillmesh.retrieval.dense import Wide, cosines
from testing.indexing import COMMITTED, index, view_of
from testing.repos import make_repo


def stored(tmp_path: Path, name: str, count: int, dimension: int = 8) -> Vectors:
    """Return vectors that are mapped from a file."""
    rows = np.random.default_rng(count).integers(-127, 128, (count, dimension), np.int8)
    norms = np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1)).astype(np.float32)
    write_vectors(Vectors(rows, norms), tmp_path / name)
    return open_vectors(tmp_path / name)


def test_the_same_bits_from_rows_that_are_kept(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {
        f"{n}.py": f"def read_{n}(path):\n    return open(path).read({n})\n" for n in range(40)
    }
    repo = make_repo(tmp_path, files=files)
    index(repo)
    repo.commit("less", {f"{n}.py": None for n in range(7)})
    repo.commit("more", {"more.py": "def write(path, text):\n    open(path, 'w').write(text)\n"})
    index(repo)
    view = view_of(repo, COMMITTED)
    corpus, wide = Corpus(view), Wide()
    for text in ("read a file", "write", "no such thing as this"):
        vector = builtin_source().embed_query(text)
        plain = cosines(corpus, vector).copy()
        assert plain.any()
        assert cosines(corpus, vector, wide).tolist() == plain.tolist()
        assert cosines(corpus, vector, wide).tolist() == plain.tolist()
    view.close()


def test_rows_outlive_the_view_and_belong_to_one_file(tmp_path: Path) -> None:
    one, wide = stored(tmp_path, "one.vec", 30), Wide()
    kept = wide.of(one)
    assert kept is not None
    assert kept.tolist() == one.rows.T.tolist()
    assert wide.of(open_vectors(tmp_path / "one.vec")) is kept
    other = wide.of(stored(tmp_path, "one.vec", 31))  # another file of the same name
    assert other is not None
    assert other.shape == (8, 31)
    assert wide.of(Vectors(one.rows, one.norms)) is None  # from no file


@pytest.mark.parametrize(("scans", "is_kept"), [(1, False), (100, True)])
def test_what_is_not_looked_at_makes_room(tmp_path: Path, scans: int, is_kept: bool) -> None:
    wide = Wide(limit=4 * 8 * 50)
    first, second = stored(tmp_path, "1.vec", 30), stored(tmp_path, "2.vec", 40)
    assert wide.of(first) is not None
    for _ in range(scans):
        wide.begin()
    assert (wide.of(second) is not None) is is_kept
    assert (wide.of(first) is not None) is not is_kept
