"""The oldest root is the one that git names, whatever was kept before."""

import json
from pathlib import Path

from git_skillmesh.config import load
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.identity import repo_id
from git_skillmesh.index.roots import oldest_root
from testing.repos import Repo, make_repo


def walked(repo: Repo) -> str:
    return repo.git("rev-list", "--max-parents=0", "HEAD").split()[-1]


def kept(repo: Repo) -> dict[str, str] | None:
    place = repo.path / ".git/skillmesh/root.json"
    return json.loads(place.read_bytes()) if place.exists() else None


def opened(repo: Repo) -> Repository:
    repository = discover(repo.path)
    repository.state_dir.mkdir(exist_ok=True)
    return repository


def test_what_is_kept_is_never_another_answer_than_gits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    repository = opened(repo)
    first = repo.git("rev-parse", "HEAD").strip()
    assert (oldest_root(repository), kept(repo)) == (first, {"commit": first, "root": first})
    repo.git("commit", "-q", "--allow-empty", "-m", "two")
    second = repo.git("rev-parse", "HEAD").strip()
    assert (oldest_root(repository), kept(repo)) == (first, {"commit": second, "root": first})
    # Another root, then both: which of them is the oldest is git's to say.
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("commit", "-q", "--allow-empty", "-m", "other", "--date=2001-01-01T00:00:00Z")
    assert oldest_root(repository) == walked(repo) != first
    repo.git("merge", "-q", "--allow-unrelated-histories", "-m", "both", second)
    assert oldest_root(repository) == walked(repo)
    repo.git("checkout", "-q", "--detach", second)
    assert oldest_root(repository) == walked(repo) == first
    # A commit that git shows with other parents, and the end of a shallow clone.
    repo.git("replace", "--graft", second)
    assert oldest_root(repository) == walked(repo) == second
    repo.git("replace", "-d", second)
    assert oldest_root(repository) == first
    (repo.path / ".git/shallow").write_text(f"{second}\n")
    assert oldest_root(repository) == walked(repo) == second
    (repo.path / ".git/shallow").unlink()
    assert oldest_root(repository) == first
    # What is kept of a commit that is gone, and what is no answer at all.
    (repo.path / ".git/skillmesh/root.json").write_text(f'{{"commit": "{"1" * 40}", "root": "x"}}')
    assert oldest_root(repository) == first
    (repo.path / ".git/skillmesh/root.json").write_text("[")
    assert oldest_root(repository) == first


def test_the_identity_is_the_one_that_init_would_pin(tmp_path: Path) -> None:
    empty = make_repo(tmp_path, "empty")
    full = make_repo(tmp_path, "full", files={"a.txt": "1\n"})
    for repo in (empty, full):
        repository = discover(repo.path)
        assert repo_id(repository, load(repository)) == repository.derive_id()
        assert kept(repo) is None  # nothing else is there: no folder is made for it
