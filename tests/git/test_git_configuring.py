"""Settings of a repository, also when several processes write them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from git_skillmesh.errors import Busy
from git_skillmesh.git import configuring
from git_skillmesh.git.configuring import change_config
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
