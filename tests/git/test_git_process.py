"""The process runner: what git is told, and what comes back when it fails."""

import os
from pathlib import Path

import pytest

from git_skillmesh.errors import SkillmeshError
from git_skillmesh.git.process import Git, GitFailed, clean_environment
from git_skillmesh.git.repository import discover
from testing.repos import make_repo, run

_FROM_A_HOOK = {
    "GIT_DIR": "/somewhere/.git",
    "GIT_WORK_TREE": "/somewhere",
    "GIT_INDEX_FILE": ".git/next-index-1.lock",
    "GIT_PREFIX": "deep/",
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_DATE": "@0 +0000",
    "GIT_COMMITTER_EMAIL": "somebody@example.org",
    "GIT_QUARANTINE_PATH": "/somewhere/.git/objects/incoming",
    "GIT_NAMESPACE": "other",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_TRACE": "1",
}
_OF_THE_USER = {
    "PATH": "/usr/bin",
    "HOME": "/home/ada",
    "GIT_CONFIG_PARAMETERS": "'skillmesh.log.level'='debug'",
    "GIT_SSH_COMMAND": "ssh -x",
}


def test_the_environment_keeps_the_users_wishes_and_drops_the_state_of_hooks() -> None:
    assert clean_environment({**_FROM_A_HOOK, **_OF_THE_USER}) == {
        **_OF_THE_USER,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "LC_ALL": "C",
    }


def test_a_hook_of_another_repository_does_not_lead_astray(tmp_path: Path) -> None:
    here = make_repo(tmp_path, "here", files={"here.txt": "1\n"})
    there = make_repo(tmp_path, "there", files={"there.txt": "2\n"})
    environ = {**os.environ, "GIT_DIR": f"{there.path}/.git", "GIT_INDEX_FILE": "nowhere.lock"}
    found = discover(here.path, environ)
    assert found.git.run("ls-tree", "--name-only", "HEAD") == b"here.txt\n"


def test_bytes_go_in_and_come_out_unchanged(tmp_path: Path) -> None:
    git = discover(make_repo(tmp_path).path).git
    data = bytes(range(256)) * 3
    oid = git.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()
    assert git.run("cat-file", "blob", oid) == data


def test_a_failure_is_one_line_with_gits_last_word(tmp_path: Path) -> None:
    git = discover(make_repo(tmp_path).path).git
    with pytest.raises(GitFailed) as failed:
        git.run("cat-file", "blob", "0" * 40)
    assert str(failed.value) == (
        "git cat-file failed (128): fatal: git cat-file 0000000000000000000000000000000000000000: "
        "bad file"
    )
    assert failed.value.returncode == 128
    assert git.run_unchecked("cat-file", "blob", "0" * 40).stdout == b""


def test_a_failure_that_says_nothing_is_still_a_line(tmp_path: Path) -> None:
    git = discover(make_repo(tmp_path).path).git
    with pytest.raises(GitFailed) as failed:
        git.run("rev-parse", "--verify", "-q", "HEAD")
    assert str(failed.value) == "git rev-parse failed (1)"


def test_git_that_is_not_there(tmp_path: Path) -> None:
    git = Git(tmp_path, {"PATH": os.fspath(tmp_path)})
    # Python looks the program up in the environment that it gives to the process.
    for start in (git.run, git.start):
        with pytest.raises(SkillmeshError) as failed:
            start("version")
        assert str(failed.value) == ("git was not found: install git and make sure it is on PATH")


def test_a_folder_that_is_not_there_or_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for folder in (tmp_path / "gone", file, file / "below"):
        with pytest.raises(SkillmeshError) as failed:
            Git(folder, os.environ).run("version")
        assert str(failed.value) == f"no such folder: {folder}"


def test_nothing_is_ever_fetched(tmp_path: Path) -> None:
    other = make_repo(tmp_path, "other", files={"a.txt": "1\n"})
    git = discover(make_repo(tmp_path).path).git
    with pytest.raises(GitFailed) as failed:
        git.run("fetch", other.path.as_uri())
    assert str(failed.value) == "git fetch failed (128): fatal: transport 'file' not allowed"


def test_status_leaves_the_index_file_alone(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    os.utime(repo.path / "a.txt", (1, 1))
    before = (repo.git_dir / "index").read_bytes()
    discover(repo.path).git.run("status", "--porcelain")
    assert (repo.git_dir / "index").read_bytes() == before
    run("git", "status", "--porcelain", cwd=repo.path)
    assert (repo.git_dir / "index").read_bytes() != before, "the user's own status does refresh"
