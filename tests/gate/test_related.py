"""Notes about the changed code: who made what the change replaces, and what was learned of it."""

from pathlib import Path

import pytest

from git_skillmesh.gate.change import between
from git_skillmesh.gate.check import check
from git_skillmesh.gate.model import Related
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import State
from testing.learnings import files_of, literal
from testing.linking import commit, link, remember, wrote
from testing.repos import Repo, make_repo

WROTE = "def first():\n    return compute(everything)\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path, files={"app.py": "import everything\n", "other.py": "x = 1\n"})
    remember(repo, "s-1", wrote(1, "app.py", None, WROTE))
    commit(repo, 2, {"app.py": f"import everything\n{WROTE}"})
    link(repo)
    return repo


def notes(repo: Repo, base: str) -> tuple[Related, ...]:
    return check(between(discover(repo.path), base, "HEAD"), related=True).related


def test_a_conversation_whose_lines_are_replaced(repo: Repo) -> None:
    base = repo.head
    repo.commit("other", {"app.py": f"import everything\n{WROTE}".replace("compute", "count")})
    assert notes(repo, base) == (
        Related(
            "conversation", "s-1-1", "do it", "made the line 3, which this change replaces",
            "app.py", 3,
        ),
    )  # fmt: skip
    base = repo.head
    repo.commit("nothing of theirs", {"other.py": "x = 2\n"})
    assert notes(repo, base) == ()


def test_learnings_about_the_paths_and_from_the_commits(repo: Repo) -> None:
    made = repo.head
    repo.commit(
        "learn",
        files_of(
            literal("by-path", "nowhere", State.PROPOSED, paths=("app.*", "!*.md")),
            literal("by-commit", "nowhere", State.RETIRED, source_commits=(made[:12],)),
            literal("elsewhere", "nowhere", State.WARN, paths=("lib/**",)),
            literal("found", "count(", State.WARN, paths=("app.py",)),
        ),
    )
    base = repo.head
    repo.commit("other", {"app.py": f"import everything\n{WROTE}".replace("compute", "count")})
    told = [(one.kind, one.id, one.title, one.why) for one in notes(repo, base)]
    assert told == [
        ("conversation", "s-1-1", "do it", "made the line 3, which this change replaces"),
        ("learning", "by-commit", "About by-commit [retired]",
         "it comes from the commit that made the line 3"),
        ("learning", "by-path", "About by-path [proposed]", "it is about app.*, !*.md"),
    ]  # fmt: skip


def test_a_clone_without_memory_says_less_and_fails_nothing(repo: Repo, tmp_path: Path) -> None:
    base = repo.head
    repo.commit("other", {"app.py": "import everything\n"})
    clone = tmp_path / "clone"
    repo.git("clone", "--quiet", str(repo.path), str(clone))
    assert notes(Repo(clone), base) == ()
