"""Trees as objects, compared with what git makes of the same files."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import Damaged
from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.git.treeobjects import Entry
from testing.examples import examples
from testing.repos import Repo, make_repo

names = st.sampled_from(["a", "b", "a.b", "a-b", "a0", "\u00e9"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
trees = st.dictionaries(paths, st.sampled_from(["1", "2", "333"]), max_size=6)


def consistent(files: dict[str, str]) -> dict[str, str]:
    """Leave out files that would have to be folders too."""
    folders = {path[:at] for path in files for at in range(len(path)) if path[at] == "/"}
    return {path: text for path, text in files.items() if path not in folders}


@pytest.fixture(scope="module")
def repo(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("trees"))


def by_git(repo: Repo, files: dict[str, str]) -> str:
    """Return the tree that git writes for the files."""
    index = {"GIT_INDEX_FILE": os.fspath(repo.path / "other-index")}
    repo.git("read-tree", "--empty", env=index)
    lines = [f"100644 {discover_blob(repo, text)}\t{path}" for path, text in files.items()]
    repo.git("update-index", "--add", "--index-info", env=index, stdin="\n".join([*lines, ""]))
    return repo.git("write-tree", env=index)


def discover_blob(repo: Repo, text: str) -> str:
    return repo.git("hash-object", "-w", "--stdin", stdin=text)


def write(db: ObjectDatabase, files: dict[str, str]) -> str | None:
    return db.trees.change(None, {path: db.blob(text.encode()) for path, text in files.items()})


slow = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@slow
@given(trees.map(consistent), trees.map(consistent))
def test_changes_make_the_trees_that_git_makes(
    repo: Repo, old: dict[str, str], new: dict[str, str]
) -> None:
    repository = discover(repo.path)
    with ObjectDatabase(repository) as db:
        tree = write(db, old)
        db.writer.flush()
        assert (tree or repository.empty_tree) == by_git(repo, old)
        gone: dict[str, str | None] = dict.fromkeys(old)
        changed = db.trees.change(tree, gone | {p: db.blob(t.encode()) for p, t in new.items()})
        db.writer.flush()
        assert (changed or repository.empty_tree) == by_git(repo, new)


@slow
@given(trees.map(consistent), trees.map(consistent))
def test_a_union_holds_the_paths_of_both(
    repo: Repo, left: dict[str, str], right: dict[str, str]
) -> None:
    with ObjectDatabase(discover(repo.path)) as db:

        def resolve(path: str, one: Entry, other: Entry) -> Entry:
            return max(one, other)

        one, other = write(db, left), write(db, right)
        united = db.trees.unite(one, other, resolve)
        assert united == db.trees.unite(other, one, resolve)
        assert united == db.trees.unite(united, other, resolve)
        both = consistent({**left, **right})
        for path in both:
            found = db.trees.at(united, path)
            oids = {db.blob(side[path].encode()) for side in (left, right) if path in side}
            assert found is not None
            assert found.oid == max(oids)


def test_a_tree_that_is_missing_is_named(tmp_path: Path) -> None:
    repository: Repository = discover(make_repo(tmp_path).path)
    with ObjectDatabase(repository) as db:
        assert db.trees.entries(None) == {}
        assert db.trees.at(None, "a/b") is None
        with pytest.raises(Damaged, match="git does not have the tree eeeeeeeeeeee"):
            db.trees.entries("e" * 40)
