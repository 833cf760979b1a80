"""Which repositories of a shared store are meant, and what they are called."""

from pathlib import Path

import pytest

from git_skillmesh.chroma.directory import Listed, is_shared, name_of
from git_skillmesh.chroma.others import choose
from git_skillmesh.chroma.target import Target
from git_skillmesh.config import load
from git_skillmesh.errors import UsageError
from git_skillmesh.git.repository import discover
from testing.repos import Repo, make_repo

KNOWN = (
    Listed("0123456789abcdef", "acme/billing"),
    Listed("0123459999999999", "acme/parcels"),
    Listed("fedcba9876543210", "other/parcels"),
    Listed("here", "acme/here"),
    Listed("unnamed-one"),
)


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["acme/billing"], ["0123456789abcdef"]),
        (["ACME/Billing", "billing"], ["0123456789abcdef"]),
        (["0123456789abcdef"], ["0123456789abcdef"]),
        (["0123456"], ["0123456789abcdef"]),
        (["other/parcels"], ["fedcba9876543210"]),
        ([".", "billing", "here", "acme/here"], ["here", "0123456789abcdef"]),
        (["unnamed"], ["unnamed-one"]),
    ],
)
def test_who_is_meant(names: list[str], ids: list[str]) -> None:
    assert choose(KNOWN, names, "here") == ids


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("parcels", "2 repositories are called parcels: name one by 0123459999999999, "
         "fedcba9876543210"),
        ("012345", "2 repositories are called 012345: name one by 0123456789abcdef, "
         "0123459999999999"),
        ("01234", "there is no repository 01234 in this store: git skillmesh collections --repos"),
        ("", "there is no repository  in this store: git skillmesh collections --repos"),
    ],
)  # fmt: skip
def test_who_cannot_be_meant(name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose(KNOWN, [name], "here")
    assert str(caught.value) == said


def named(repo: Repo) -> str:
    repository = discover(repo.path)
    return name_of(repository, load(repository))


def test_what_a_repository_is_called(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, "parcels", files={"a.py": "a = 1\n"})
    assert named(repo) == "parcels"
    linked = repo.worktree(tmp_path / "elsewhere", "other")
    assert named(linked) == "parcels"
    repo.git("remote", "add", "origin", "https://alice:secret@example.com/acme/parcels.git")
    assert named(repo) == "acme/parcels"
    repo.git("remote", "set-url", "origin", "/srv/private/place/of-alice.git")
    assert named(repo) == "of-alice"
    repo.git("config", "skillmesh.reponame", "the\x1b[31m name\u202e" + "x" * 200)
    assert named(repo) == "the?[31m name?" + "x" * 86


def test_which_stores_are_shared(tmp_path: Path) -> None:
    repository = discover(make_repo(tmp_path, files={"a.py": "a = 1\n"}).path)
    own = Target("persistent", path=repository.state_dir / "chroma")
    assert not is_shared(own, repository)
    assert is_shared(Target("persistent", path=tmp_path / "shared"), repository)
    assert is_shared(Target("http", url="http://127.0.0.1:1"), repository)
