"""The index of the paths of commits: beside the repository, and without a say in any answer."""

from pathlib import Path

from git_skillmesh.git.graphs import path_graph
from git_skillmesh.git.origins import origins
from git_skillmesh.git.repository import discover
from testing.repos import make_repo


def files_in(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_the_same_answers_and_nothing_of_the_users_changed(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / 'it\'s a "repo"')
    for number in range(4):
        repo.commit(str(number), {"a.py": f"one\n{number}\n", f"b{number}.py": "two\n"})
    repository, folder = discover(repo.path), tmp_path / "graph"
    before = files_in(repo.git_dir)
    assert path_graph(repository, folder) == {}
    env = path_graph(repository, folder, repo.head)
    assert env == {"GIT_OBJECT_DIRECTORY": str(folder)}
    assert sorted(path.name for path in (folder / "info").iterdir()) == [
        "alternates", "commit-graph",
    ]  # fmt: skip
    assert files_in(repo.git_dir) == before
    repo.commit("later", {"a.py": "one\n3\nlater\n"})
    assert path_graph(repository, folder) == env  # one of before does
    plain = origins(repository, repo.head, "a.py", range(1, 4))
    assert origins(repository, repo.head, "a.py", range(1, 4), env=env) == plain
    assert len({origin.commit for origin in plain.values()}) == 3


def test_no_index_where_objects_may_be_missing_or_nothing_can_be_written(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    repo.commit("one", {"a.py": "one\n"})
    file = tmp_path / "file"
    file.write_text("")
    assert path_graph(discover(repo.path), file / "graph", repo.head) == {}
    repo.git("config", "remote.origin.promisor", "true")
    assert path_graph(discover(repo.path), tmp_path / "graph", repo.head) == {}
