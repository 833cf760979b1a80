"""Pruning and checks of the local tier."""

from pathlib import Path

import pytest

from git_skillmesh.index.maintenance import prune
from git_skillmesh.index.store import Store
from git_skillmesh.index.vectors import source_of
from git_skillmesh.index.verify import verify
from testing.commands import call
from testing.indexing import ask, dump, index, opened, places
from testing.repos import Repo, make_repo


def function(name: str, number: int) -> str:
    return f"def {name}(value):\n    return value + {number}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"a.py": function("first", 1), "b.py": function("second", 1)})


def test_pruning_keeps_what_a_remembered_tree_has(repo: Repo) -> None:
    repository, _ = opened(repo)
    store = Store(repository)
    index(repo)
    repo.write("a.py", function("never_committed", 1))
    ask_working_tree = call(repo.path, "query", "-n", "1", "never_committed")
    assert "a.py:1" in ask_working_tree.stdout
    repo.git("checkout", "--quiet", "a.py")
    before = dump(repo)
    with store.writing(10) as catalogue:
        assert prune(repository, catalogue, store) == 0  # within the grace period
        assert prune(repository, catalogue, store, grace_seconds=0) == 1
        assert len(catalogue.segments()) == 1  # the segment of the forgotten version is gone
    assert dump(repo) == before
    assert places(ask(repo, "first"))[0] == "a.py:1 first"


def problems(repo: Repo) -> list[tuple[str, bool]]:
    repository, config = opened(repo)
    store = Store(repository)
    source = source_of(config, store.embeddings_path)
    return [(p.what, p.rebuild) for p in verify(repository, config, store, source, 20)]


def test_a_whole_index_has_no_problems(repo: Repo) -> None:
    assert problems(repo) == [("there is no index", False)]
    index(repo)
    assert problems(repo) == []


def test_an_index_behind_head_says_so(repo: Repo) -> None:
    index(repo)
    repo.commit("more", {"c.py": function("third", 1)})
    assert problems(repo) == [("1 file of HEAD is not indexed", False)]


def test_every_kind_of_damage_is_found(repo: Repo) -> None:
    store = Store(opened(repo)[0])
    index(repo)
    (segment,) = store.segments_folder.glob("*.lex")
    good = segment.read_bytes()
    segment.write_bytes(good[:-64])
    assert problems(repo) == [
        (
            "segment 1: 1.lex of the index is damaged: git skillmesh index --rebuild",
            True,
        )
    ]
    segment.unlink()
    ((what, rebuild),) = problems(repo)
    assert rebuild
    assert what.startswith("segment 1: [Errno 2]")
    segment.write_bytes(good)
    assert problems(repo) == []
    (vectors,) = store.segments_folder.glob("*.vec")
    whole = vectors.read_bytes()
    vectors.write_bytes(whole[:-400] + bytes(400))
    assert [rebuild for _, rebuild in problems(repo)] == [True]
    vectors.write_bytes(whole)
    with store.writing(10) as catalogue, catalogue.transaction():
        catalogue.connection.execute("DELETE FROM chunks WHERE file = 1")
    assert problems(repo) == [("the catalogue lost chunks", True)]
    index_path = store.catalogue_path
    index_path.write_bytes(b"garbage" * 1000)
    for extra in index_path.parent.glob("catalogue.db-*"):
        extra.unlink()
    ((what, rebuild),) = problems(repo)
    assert rebuild
    assert what.startswith("the catalogue of the index: file is not a database")
    assert call(repo.path, "index", "--rebuild", "--chroma", "off").returncode == 0
    assert problems(repo) == []
