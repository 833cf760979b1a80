"""Who the user is, as git would write it into a commit."""

from pathlib import Path

import pytest

from git_skillmesh.git.people import author_of
from git_skillmesh.git.repository import discover
from testing.repos import make_repo


def test_the_environment_and_the_configuration_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path)
    assert author_of(discover(repo.path)) == "Ada Example <ada@example.org>"
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name)
    repo.git("config", "user.name", "Zoë  Ünal 12")
    repo.git("config", "user.email", "z@example.org")
    assert author_of(discover(repo.path)) == "Zoë Ünal 12 <z@example.org>"


def test_nobody_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name)
    repo = make_repo(tmp_path)
    repo.git("config", "user.useConfigOnly", "true")
    assert author_of(discover(repo.path)) == ""
