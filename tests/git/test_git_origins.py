"""Where lines came from."""

from pathlib import Path

from git_skillmesh.git.origins import origins
from git_skillmesh.git.repository import discover
from testing.repos import make_repo


def test_who_brought_a_line(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={'a "b.py': "1\n2\n3\n"})
    first = repo.head
    repo.git("mv", 'a "b.py', "c.py")
    second = repo.commit("second", {"c.py": "0\n1\n2\n3\n"})
    repository, old = discover(repo.path), 'a "b.py'
    found = origins(repository, second, "c.py", [1, 2, 4])
    assert found == {1: (second, "c.py", 1), 2: (first, old, 1), 4: (first, old, 3)}
    assert origins(repository, second, "gone.py", [1]) == {}
    assert origins(repository, second, "c.py", [9]) == {}
    assert origins(repository, second, "c.py", []) == {}


def test_white_space_counts_where_asked(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    first = repo.head
    second = repo.commit("reformat", {"a.py": "    x = 1\n"})
    repository = discover(repo.path)
    assert origins(repository, second, "a.py", [1]) == {1: (first, "a.py", 1)}
    assert origins(repository, second, "a.py", [1], spaces=True) == {1: (second, "a.py", 1)}


def test_a_setting_of_the_user_moves_no_link(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    second = repo.commit("sweeping", {"a.py": "x = 2\n"})
    repo.write("ignored", f"{second}\n")
    repo.git("config", "blame.ignoreRevsFile", "ignored")
    assert origins(discover(repo.path), second, "a.py", [1]) == {1: (second, "a.py", 1)}
