"""The branch that clones agree on, as each of them knows it."""

from pathlib import Path

import pytest

from git_skillmesh.errors import Unavailable
from git_skillmesh.git.agreed import agreed_branch, tip_at_remote
from git_skillmesh.git.repository import discover
from testing.remotes import make_hub
from testing.repos import Repo, make_repo


def shown(repo: Repo, wanted: str = "") -> tuple[str, str] | None:
    found = agreed_branch(discover(repo.path), wanted)
    return (found.shown, found.commit) if found else None


def test_it_is_the_default_branch_of_the_remote(tmp_path: Path) -> None:
    hub = make_hub(tmp_path)
    ada = make_repo(tmp_path, "ada", files={"a": "1\n"})
    assert shown(ada) is None, "no remote"
    ada.git("remote", "add", "origin", hub.path.as_uri())
    assert shown(ada) is None, "nothing pushed"
    ada.git("push", "--quiet", "origin", "main", "main:release", "main:odd/näme")
    first = ada.head
    assert shown(ada) == ("origin/main", first)
    ada.git("tag", "-a", "-m", "t", "v1")
    assert shown(ada, "release") == shown(ada, "origin/release") == ("origin/release", first)
    assert shown(ada, "odd/näme") == ("origin/odd/näme", first)
    assert shown(ada, "nowhere") is None

    # What is committed and not pushed does not count; what the remote calls its default does.
    ada.commit("more", {"a": "2\n"})
    assert shown(ada) == ("origin/main", first)
    hub.git("symbolic-ref", "HEAD", "refs/heads/release")
    bob = hub.clone(tmp_path / "bob")
    assert shown(bob) == ("origin/release", first)
    tree = agreed_branch(discover(bob.path))
    assert tree is not None
    assert tree.tree == bob.git("rev-parse", "HEAD^{tree}")

    # Another remote is none that everybody has; without an origin the only one counts.
    ada.git("remote", "add", "fork", hub.path.as_uri())
    assert shown(ada) == ("origin/main", first)
    ada.git("remote", "remove", "fork")
    ada.git("remote", "rename", "origin", "upstream")
    assert shown(ada) == ("upstream/main", first)


def test_the_remote_is_asked_what_it_has_now(tmp_path: Path) -> None:
    hub = make_hub(tmp_path)
    ada = make_repo(tmp_path, "ada", files={"a": "1\n"})
    ada.git("remote", "add", "origin", hub.path.as_uri())
    ada.git("push", "--quiet", "origin", "main")
    bob = hub.clone(tmp_path / "bob")
    ada.commit("more", {"a": "2\n"})
    ada.git("push", "--quiet", "origin", "main", "main:x/refs/heads/main")
    repository = discover(bob.path)
    branch = agreed_branch(repository)
    assert branch is not None
    assert tip_at_remote(repository, branch) == ada.head != branch.commit
    hub.git("update-ref", "-d", "refs/heads/main")
    assert tip_at_remote(repository, branch) is None
    hub.path.rename(tmp_path / "away")
    with pytest.raises(Unavailable):
        tip_at_remote(repository, branch)
