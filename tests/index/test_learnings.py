"""The index of learnings: what is read, what is kept, what a query sees of the working tree."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.learning_view import open_learnings
from git_skillmesh.index.learnings import (
    LearningsReport,
    examine_learnings,
    learning_store,
    prune_learnings,
    state_of_learnings,
    sync_learnings,
)
from git_skillmesh.index.locks import exclusive
from git_skillmesh.index.vectors import sentence_source
from git_skillmesh.index.view import Scope
from git_skillmesh.learnings.model import FOLDER, State
from git_skillmesh.learnings.writing import write_learning
from testing.learnings import learning
from testing.repos import Repo, make_repo

SOURCE = sentence_source()
PAUSE, MONEY = learning("no-pause", "Do not pause in tests"), learning("money", "Money is Decimal")
BROKEN = "learning_id: broken\ntitle: Half\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(
        tmp_path,
        files={
            "a.py": "x = 1\n",
            **{one.path: write_learning(one) for one in (PAUSE, MONEY)},
            f"{FOLDER}/broken.yaml": BROKEN,
            f"{FOLDER}/notes.txt": "no learning\n",
        },
    )


def seen(repository: Repository, scope: Scope = Scope.WORKING_TREE, at: str = "") -> list[str]:
    """Return the id and state of what a query sees, `?` for what cannot be used."""
    view = open_learnings(repository, SOURCE, scope, at)
    try:
        names = {number: Path(row.path).stem for number, row in view.files(view.known).items()}
        return sorted(f"{names[n]} {info.state or '?'}" for n, info in view.known.items())
    finally:
        view.close()


MISSING = [f"{FOLDER}/broken.yaml:1: {name} is missing" for name in ("description", "matcher")]


def told(report: LearningsReport) -> tuple[int, int, list[str]]:
    return report.read, report.learnings, sorted(map(str, report.broken))


def test_a_version_is_read_once(repo: Repo) -> None:
    repository = discover(repo.path)
    assert told(sync_learnings(repository, SOURCE)) == (3, 2, MISSING)
    assert told(sync_learnings(repository, SOURCE)) == (0, 2, MISSING)
    repo.commit("block", {PAUSE.path: write_learning(replace(PAUSE, state=State.BLOCK))})
    assert told(sync_learnings(repository, SOURCE)) == (1, 2, MISSING)
    repo.git("revert", "--no-edit", "HEAD")
    assert told(sync_learnings(repository, SOURCE)) == (0, 2, MISSING)


def test_the_working_tree_lies_over_head(repo: Repo) -> None:
    repository = discover(repo.path)
    before = ["broken ?", "money warn", "no-pause warn"]
    assert seen(repository) == before
    repo.write(PAUSE.path, write_learning(replace(PAUSE, state=State.RETIRED)))
    repo.write(learning("new", "New").path, write_learning(learning("new", "New")))
    (repo.path / MONEY.path).unlink()
    assert seen(repository) == ["broken ?", "new warn", "no-pause retired"]
    assert seen(repository, Scope.COMMITTED) == before
    repo.commit("all of it")
    assert seen(repository, Scope.COMMITTED) == ["broken ?", "new warn", "no-pause retired"]
    assert seen(repository, Scope.REVISION, "HEAD~1") == before


def test_a_link_and_a_huge_file_are_told_of(repo: Repo) -> None:
    outside = repo.path.parent / "outside.yaml"
    outside.write_text(write_learning(learning("linked", "Linked")))
    (repo.path / FOLDER / "linked.yaml").symlink_to(outside)
    repo.write(f"{FOLDER}/huge.yaml", "#" * 300_000)
    view = open_learnings(discover(repo.path), SOURCE, Scope.WORKING_TREE)
    view.close()
    said = sorted(str(problem) for problem in view.broken if "broken" not in problem.path)
    assert said == [
        f"{FOLDER}/huge.yaml:1: longer than 256 KiB",
        f"{FOLDER}/linked.yaml:1: Too many levels of symbolic links",
    ]
    assert "linked warn" not in seen(discover(repo.path))


def test_a_file_of_another_name_takes_nothing_away(repo: Repo) -> None:
    other = replace(PAUSE, state=State.BLOCK)
    repo.commit("twice", {PAUSE.path.replace(".yaml", ".yml"): write_learning(other)})
    assert seen(discover(repo.path)) == ["broken ?", "money warn", "no-pause ?", "no-pause warn"]


def test_while_another_process_writes_the_answer_is_the_same(repo: Repo) -> None:
    repository = discover(repo.path)
    with exclusive(learning_store(repository).folder / "index.lock"):
        assert seen(repository) == ["broken ?", "money warn", "no-pause warn"]
    assert not learning_store(repository).catalogue_path.exists()


def test_a_deleted_index_is_made_again(repo: Repo) -> None:
    repository = discover(repo.path)
    before = seen(repository)
    shutil.rmtree(repository.state_dir)
    assert seen(repository) == before


def test_without_a_model_words_remain(repo: Repo) -> None:
    repository = discover(repo.path)
    assert told(sync_learnings(repository, None)) == (3, 2, MISSING)
    assert told(sync_learnings(repository, SOURCE)) == (3, 2, MISSING)  # with vectors this time


def test_long_unused_versions_go(repo: Repo) -> None:
    repository = discover(repo.path)
    repo.write(PAUSE.path, write_learning(replace(PAUSE, title="Tried on disk only")))
    seen(repository)
    repo.git("checkout", "-q", ".")
    sync_learnings(repository, SOURCE)
    store = learning_store(repository)
    with store.writing(0) as catalogue:
        assert prune_learnings(repository, catalogue, store, -1) == 1
        assert catalogue.rows("SELECT count(*) FROM learnings") == [(3,)]
    assert seen(repository) == ["broken ?", "money warn", "no-pause warn"]


def test_an_examination_reads_the_files(repo: Repo) -> None:
    repository = discover(repo.path)
    assert state_of_learnings(repository).behind == 3
    sync_learnings(repository, SOURCE)
    found = examine_learnings(repository)
    assert found is not None
    assert (dict(found.states), found.behind, found.differences) == ({"warn": 2}, 0, ())
    store = learning_store(repository)
    with store.writing(0) as catalogue, catalogue.transaction():
        catalogue.connection.execute(
            "UPDATE learnings SET facts = replace(facts, '\"warn\"', '\"block\"')"
        )
    assert dict(state_of_learnings(repository).states) == {"block": 2}
    found = examine_learnings(repository)
    assert found is not None
    assert sorted(found.differences) == sorted(
        f"{one.path}: the index has it otherwise" for one in (MONEY, PAUSE)
    )


def test_where_there_are_none(tmp_path: Path) -> None:
    repository = discover(make_repo(tmp_path, files={"a.py": "x = 1\n"}).path)
    assert sync_learnings(repository, SOURCE) == LearningsReport()
    assert examine_learnings(repository) is None
    assert seen(repository) == []
    assert not learning_store(repository).folder.exists()
