"""Settings of a repository, also when several processes write them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from git_skillmesh.errors import Busy
from git_skillmesh.git import configuring
from git_skillmesh.git.configuring import change_config, change_config_at_once
from git_skillmesh.git.process import GitFailed
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"a": "1\n"})


def test_many_at_once_all_get_through(repo: Repo) -> None:
    repository = discover(repo.path)
    values = [str(number) for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda value: change_config(repository, "--add", "x.many", value), values))
    assert sorted(repo.git("config", "--get-all", "x.many").split()) == sorted(values)


def test_a_lock_is_waited_for(repo: Repo) -> None:
    lock = repo.path / ".git/config.lock"
    lock.touch()
    timer = threading.Timer(0.2, lock.unlink)
    timer.start()
    change_config(discover(repo.path), "x.one", "1")
    timer.join()
    assert repo.git("config", "x.one").strip() == "1"


def test_a_lock_that_stays_is_named(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuring, "_PATIENCE_SECONDS", 0.1)
    repository = discover(repo.path)
    lock = repository.common_dir / "config.lock"
    lock.touch()
    with pytest.raises(Busy) as caught:
        change_config(repository, "x.one", "1")
    assert str(caught.value) == (
        f"another process keeps git's configuration locked: or one that was killed left {lock}"
    )


def test_what_git_refuses(repo: Repo) -> None:
    repository = discover(repo.path)
    change_config(repository, "--unset-all", "x.nothing")
    with pytest.raises(GitFailed, match=r"^git config failed \(1\): error: invalid key: x\.1_$"):
        change_config(repository, "x.1_", "1")


MANY = [("--replace-all", "x.many", "1"), ("--add", "x.many", "2"), ("--unset-all", "x.old")]


def test_several_changes_are_made_or_none(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("config", "--add", "x.old", "1")
    config = repo.path / ".git/config"
    config.chmod(0o600)
    before, repository = config.read_bytes(), discover(repo.path)
    replace = Path.replace

    def cut_off(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", cut_off)
    with pytest.raises(KeyboardInterrupt):
        change_config_at_once(repository, MANY)
    assert config.read_bytes() == before
    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(GitFailed, match="invalid key"):
        change_config_at_once(repository, [*MANY, ("x.1_", "1")])
    assert config.read_bytes() == before
    change_config_at_once(repository, MANY)
    assert repo.git("config", "--get-all", "x.many").split() == ["1", "2"]
    assert "x.old" not in repo.git("config", "--list", "--name-only")
    assert config.stat().st_mode & 0o777 == 0o600
    assert not config.with_name("config.lock").exists()


def test_changes_of_two_processes_are_both_kept(repo: Repo) -> None:
    repository = discover(repo.path)
    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            pool.submit(change_config_at_once, repository, [("x.one", "1"), (f"x.at{number}", "1")])
            pool.submit(change_config, repository, f"x.b{number}", "1")
    names = {name.split("=")[0] for name in repo.git("config", "--list", "--local").split()}
    assert {"x.one", *(f"x.{kind}{n}" for kind in ("at", "b") for n in range(4))} <= names
