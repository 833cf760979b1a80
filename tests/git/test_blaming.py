"""Blame that goes on beside whoever asks, and who took lines away."""

from pathlib import Path

import pytest

from git_skillmesh.git.blame import blame
from git_skillmesh.git.blaming import Blaming
from git_skillmesh.git.repository import discover
from git_skillmesh.git.went import taken_away
from testing.repos import Repo, make_repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"a b\n.py": "one\ntwo\nthree\n"})
    repo.commit("more", {"a b\n.py": "zero\none\n  two\nthree\nfour\n"})
    repo.git("mv", "a b\n.py", "c\udcff.py")
    repo.commit("rename")
    repo.commit("last", {"c\udcff.py": "zero\none\n  two\nfive\n"})
    return repo


def test_it_ends_with_what_blame_says(repo: Repo) -> None:
    repository = discover(repo.path)
    blaming = Blaming(repository, repo.head, "c\udcff.py")
    assert blaming.wait(20)
    expected = blame(repository, "c\udcff.py", commit=repo.head)
    assert blaming.lines() == [one._replace(text=b"") for one in expected]
    assert (blaming.done, blaming.failed) == (True, False)


def test_what_cannot_be_blamed(repo: Repo) -> None:
    blaming = Blaming(discover(repo.path), repo.head, "nothing")
    assert blaming.wait(20)
    assert (blaming.failed, blaming.lines()) == (True, [])


def test_what_is_stopped_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo(tmp_path, files={"a": "x\n" * 20_000})
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (slow / "git").chmod(0o755)
    repository = discover(repo.path)
    repository.git.env["PATH"] = f"{slow}:{repository.git.env['PATH']}"
    blaming = Blaming(repository, repo.head, "a")
    assert not blaming.wait(0.05)
    blaming.stop()
    assert (blaming.done, blaming.stopped) == (False, True)
    assert not blaming.wait(0)


def test_who_took_lines_away(tmp_path: Path) -> None:
    text = "".join(f"line {n}\n" for n in range(1, 9))
    repo = make_repo(tmp_path, files={"a": text, "b": text, "gone": text})
    made = repo.head
    first = repo.commit("first", {"a": text.replace("line 2\n", ""), "gone": None})
    second = repo.commit("second", {"a": text.replace("line 2\nline 3\nline 4\n", "other\n")})
    repo.commit("third", {"a": repo.read("a").replace("line 7", "  line 7"), "b": None})
    repository = discover(repo.path)

    def taken(path: str, *lines: int) -> dict[int, str | None]:
        return taken_away(repository, made, repo.head, path, lines, 20)

    assert taken("a", 1, 2, 3, 4, 7) == {2: first, 3: second, 4: second}
    assert taken("gone", 1, 3) == {1: first, 3: first}
    assert taken("nothing", 1) == {1: None}
    with pytest.raises(TimeoutError):
        taken_away(repository, made, repo.head, "a", [1], 0.0)
