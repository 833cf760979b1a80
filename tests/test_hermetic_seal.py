"""The seal itself: what a test sees of the world outside."""

from pathlib import Path

from testing.environment import COMMIT_DATE
from testing.repos import make_repo, run


def test_git_sees_only_the_configuration_of_the_test(tmp_path: Path, home: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "one\n"})
    origins = {
        line.split("\t")[0] for line in repo.git("config", "--list", "--show-origin").splitlines()
    }
    assert origins == {f"file:{home}/.gitconfig", "file:.git/config"}
    said = repo.git("log", "--format=%an %ae %aI %cn %ce %cI")
    assert said == " ".join([f"Ada Example ada@example.org {COMMIT_DATE}"] * 2)


def test_the_same_work_gives_the_same_commit(tmp_path: Path) -> None:
    first = make_repo(tmp_path, "one", files={"a.txt": "one\n"})
    second = make_repo(tmp_path, "two", files={"a.txt": "one\n"})
    assert first.head == second.head


def test_a_folder_outside_a_repository_is_outside(tmp_path: Path) -> None:
    result = run("git", "rev-parse", "--git-dir", cwd=tmp_path)
    assert result.returncode == 128
