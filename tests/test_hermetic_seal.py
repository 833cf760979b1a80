"""The seal itself: what a test sees of the world outside."""

from pathlib import Path

import pytest

from testing import pristine
from testing.environment import COMMIT_DATE, GIT_CONFIG, processes_started
from testing.repos import make_repo, run

Files = dict[str, str | bytes | None]


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


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_repository_made_again_is_what_git_made(
    tmp_path: Path, object_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pristine, "_made", {})
    files: Files = {
        "a.txt": "one\n",
        "objects/b c.txt": b"\xff\r\n",
        "deep/down/\udcff": "",
        "e": "1",
    }
    made = make_repo(tmp_path, "by git", object_format=object_format, files=files)
    before = processes_started()
    again = make_repo(tmp_path, "again", object_format=object_format, files=files)
    assert processes_started() == before
    content, modes = zip(*(_everything(repo.path) for repo in (made, again)), strict=True)
    assert content[0] == content[1]
    assert modes[0] == modes[1]
    again.git("diff-files", "--exit-code")  # asks the index alone, which files are unchanged
    assert again.git("status", "--porcelain") == ""
    again.git("fsck", "--strict")
    again.write("e", "2")
    assert again.git("diff-files", "--name-only") == "e"
    bare = [make_repo(tmp_path, name, bare=True, object_format=object_format) for name in "xy"]
    assert _everything(bare[0].path) == _everything(bare[1].path)


def _everything(folder: Path) -> tuple[dict[str, bytes | None], dict[str, int]]:
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    index = found[".git/index"].read_bytes() if ".git/index" in found else b""
    content = {
        name: None if path.is_dir() else path.read_bytes()
        for name, path in found.items()
        if name != ".git/index"
    }
    return {**content, "size of the index": bytes(len(index))}, {
        name: path.stat().st_mode for name, path in found.items()
    }


def test_git_makes_what_the_test_has_set(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: Files = {"a.txt": "one\n"}
    make_repo(tmp_path, "usual", files=files)
    (home / ".gitconfig").write_text(GIT_CONFIG + "[core]\n\tlogAllRefUpdates = false\n")
    assert not (make_repo(tmp_path, "no logs", files=files).path / ".git" / "logs").exists()
    (home / ".gitconfig").write_text(GIT_CONFIG)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Bob")
    assert make_repo(tmp_path, "by Bob", files=files).git("log", "--format=%an") == "Bob"


def test_a_folder_outside_a_repository_is_outside(tmp_path: Path) -> None:
    result = run("git", "rev-parse", "--git-dir", cwd=tmp_path)
    assert result.returncode == 128
