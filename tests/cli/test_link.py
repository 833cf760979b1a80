"""`git skillmesh link`."""

import json
from pathlib import Path

import pytest

from testing.linking import commit, links_of, remember, wrote
from testing.repos import Repo, make_repo
from testing.rights import run_respecting_permissions

ONE = "def first_function():\n    return compute_first()\n"


@pytest.fixture(scope="module")
def original(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = make_repo(tmp_path_factory.mktemp("original"))
    commit(made, 0, {"a.py": "import re\n"}, "first")
    remember(made, "s\x1b[31m", wrote(1, "a b.py", None, ONE), exchange="e\n1")
    commit(made, 2, {"a b.py": ONE})
    return made


@pytest.fixture
def repo(original: Repo, tmp_path: Path) -> Repo:
    return original.copy(tmp_path / original.path.name)


def test_it_prints_and_writes(repo: Repo) -> None:
    short = repo.head[:12]
    shown = f"{short}\n  edit     0.94  a b.py:1-2  e␊1 in s␛[31m\n"
    dry = repo.skillmesh("link", "--dry-run")
    assert (dry.stdout, dry.stderr) == (shown, "1 of 1 commit would be linked\n")
    assert links_of(repo) == ()
    assert repo.skillmesh("link", "--dry-run", "HEAD").stdout == shown
    done = repo.skillmesh("link")
    assert (done.returncode, done.stdout, done.stderr) == (0, shown, "1 of 1 commit linked\n")
    assert len(links_of(repo)) == 1
    again = repo.skillmesh("link")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "0 of 0 commits linked\n")
    assert repo.skillmesh("link", "--all").stderr == "0 of 1 commit linked\n"
    assert repo.skillmesh("link", "HEAD~1", "HEAD").stderr == "0 of 2 commits linked\n"


def test_json(repo: Repo) -> None:
    done = repo.skillmesh("link", "--json", "HEAD~1..HEAD")
    assert json.loads(done.stdout) == {
        "looked_at": 1,
        "written": True,
        "carried": [],
        "commits": [
            {
                "commit": repo.head,
                "links": [
                    {
                        "session": "s\x1b[31m", "exchange": "e\n1", "confidence": 0.937,
                        "evidence": "edit", "path": "a b.py",
                        "blob": repo.git("rev-parse", "HEAD:a b.py"), "lines": [[1, 2]], "via": [],
                    }
                ],
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "not a range of commits: nowhere: A..B, or a commit"),
        (["a\nb"], "not a range of commits: a␊b: A..B, or a commit"),
        (["--all", "HEAD"], "--all and a range exclude each other"),
    ],
)
def test_bad_input_is_one_line(repo: Repo, arguments: list[str], said: str) -> None:
    done = repo.skillmesh("link", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"git-skillmesh: {said}\n")


def test_a_repository_that_cannot_be_written(repo: Repo) -> None:
    repo.git_dir.chmod(0o555)
    try:
        done = run_respecting_permissions(repo.path, "link")
    finally:
        repo.git_dir.chmod(0o755)
    assert (done.returncode, done.stdout) == (9, "")
    assert done.stderr == "git-skillmesh: the cache of links cannot be written: Permission denied\n"
