"""Which commit brought each file version, however HEAD came to where it is."""

import random
import shutil
from pathlib import Path

import pytest

from git_skillmesh.index.maintenance import prune
from git_skillmesh.index.store import Store
from testing.indexing import ask, index, opened
from testing.repos import Repo, make_repo


def function(name: str, number: int) -> str:
    return f"def {name}(value):\n    return value + {number}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"a.py": function("first", 1), "b.py": function("second", 1)})


def commits(repo: Repo) -> dict[str, str | None]:
    answer = ask(repo, "value return first second third")
    return {hit.path: hit.commit for hit in answer.hits}


def test_each_file_names_the_commit_that_made_it(repo: Repo) -> None:
    first = repo.head
    second = repo.commit("edit", {"b.py": function("second", 2)})
    index(repo)
    assert commits(repo) == {"a.py": first, "b.py": second}
    third = repo.commit("more", {"c.py": function("third", 1)})
    index(repo)
    assert commits(repo) == {"a.py": first, "b.py": second, "c.py": third}


def test_a_rewritten_commit_replaces_the_one_it_was(repo: Repo) -> None:
    first = repo.head
    old = repo.commit("edit", {"b.py": function("second", 2)})
    index(repo)
    repo.git("commit", "--quiet", "--amend", "-m", "another message")
    assert repo.head != old
    index(repo)
    assert commits(repo) == {"a.py": first, "b.py": repo.head}


def test_a_revert_names_the_revert(repo: Repo) -> None:
    first = repo.head
    repo.commit("edit", {"b.py": function("second", 2)})
    index(repo)
    repo.git("revert", "--no-edit", "HEAD")
    index(repo)
    assert commits(repo) == {"a.py": first, "b.py": repo.head}


def test_a_commit_that_head_does_not_reach_any_more(repo: Repo) -> None:
    first = repo.head
    repo.commit("edit", {"b.py": function("second", 2)})
    repo.commit("back again", {"b.py": function("second", 1)})
    index(repo)
    repo.git("checkout", "--quiet", "--detach", first)
    index(repo)
    assert commits(repo) == {"a.py": first, "b.py": first}


def test_history_that_is_gone(repo: Repo) -> None:
    repo.commit("edit", {"b.py": function("second", 2)})
    index(repo)
    repo.git("checkout", "--quiet", "--orphan", "fresh")
    repo.git("commit", "--quiet", "-m", "all at once")
    repo.git("branch", "-D", "main")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "--quiet", "--prune=now")
    index(repo)
    assert commits(repo) == {"a.py": repo.head, "b.py": repo.head}


@pytest.mark.parametrize("seed", range(2))
def test_the_answer_depends_on_head_alone(repo: Repo, seed: int) -> None:
    """Contents come back, branches part and meet; the index that saw it all equals a new one."""
    dice = random.Random(seed)
    for number in range(20):
        date = {"GIT_COMMITTER_DATE": f"{1_800_000_000 + 60 * number} +0000"}
        branches = repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        step = dice.choice(["commit", "commit", "commit", "branch", "switch", "merge", "reset"])
        if step == "commit":
            path, content = dice.choice("ab"), function("value", dice.randrange(4))
            repo.write(f"{path}.py", content)
            repo.git("add", "--all")
            repo.git("commit", "--quiet", "--allow-empty", "-m", f"c{number}", env=date)
        elif step == "branch":
            repo.git("checkout", "--quiet", "-b", f"b{number}")
        elif step == "switch":
            repo.git("checkout", "--quiet", dice.choice(branches))
        elif step == "merge":
            repo.git("merge", "--quiet", "-X", "ours", "-m", f"m{number}", dice.choice(branches),
                     env=date)  # fmt: skip
        elif len(repo.git("log", "--format=%H").split()) > 2:
            repo.git("reset", "--quiet", "--hard", "HEAD~1")
        index(repo)
        if number % 3 and number < 19:
            continue
        kept = commits(repo)
        aside = repo.state_dir.with_name("aside")
        repo.state_dir.rename(aside)
        index(repo)
        assert commits(repo) == kept, (number, step)
        shutil.rmtree(repo.state_dir)
        aside.rename(repo.state_dir)


def test_each_worktree_has_commits_of_its_own(repo: Repo, tmp_path: Path) -> None:
    first = repo.head
    linked = repo.worktree(tmp_path / "linked", "topic")
    second = repo.commit("edit", {"b.py": function("second", 2)})
    third = linked.commit("the same edit", {"b.py": function("second", 2)})
    for _ in range(2):
        for place in (repo, linked):
            index(place)
        assert commits(repo) == {"a.py": first, "b.py": second}
        assert commits(linked) == {"a.py": first, "b.py": third}
    repo.git("worktree", "remove", "--force", linked.path.as_posix())
    repository, _ = opened(repo)
    with Store(repository).writing(1) as catalogue:
        assert catalogue.rows("SELECT DISTINCT worktree FROM commits") == [("",), ("linked",)]
        prune(repository, catalogue, Store(repository))
        assert catalogue.rows("SELECT DISTINCT worktree FROM commits") == [("",)]
        assert catalogue.meta("history linked") is None
