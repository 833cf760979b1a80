"""What is looked up for a change, and how often."""

from pathlib import Path

import pytest

from git_skillmesh.config import load
from git_skillmesh.gate.change import between
from git_skillmesh.git.repository import discover
from git_skillmesh.training.advising.advise import Limits, plan
from git_skillmesh.training.advising.model import Part, Piece, Source
from git_skillmesh.training.advising.sources import Memory
from testing.advising import CLEANER
from testing.learnings import files_of, learning
from testing.repos import Repo, make_repo


def opened(repo: Repo, base: str) -> Memory:
    repository = discover(repo.path)
    change = between(repository, base, "HEAD")
    return Memory(change, load(repository, {}, environ={}), CLEANER)


def test_all_learnings_of_a_commit_are_told_where_its_lines_change(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "total = 1\nrest = 2\n"})
    learned = {"languages": ("python",), "source_commits": (repo.head[:12],)}
    repo.commit("learned", files_of(*(learning(name, name, **learned) for name in ("one", "two"))))
    base = repo.head
    repo.commit("change", {"a.py": "total = 1\nrest = 3\n"})
    with opened(repo, base) as memory:
        found = memory.sources(Part((Piece("a.py", (("+", 2, "rest = 3"),)),)))
    assert {(one.id, one.why) for one in found} == {
        (name, "learned from a commit that made a.py") for name in ("one", "two")
    }


def test_nothing_is_looked_up_once_the_tokens_are_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path, files=files_of(learning("one", "one", languages=("python",))))
    code = "".join(f"value_{n} = compute({n})\n" for n in range(200))
    repo.commit("change", {f"m{n}.py": code for n in range(3)})
    asked: list[Part] = []
    look_up = Memory.sources

    def counted(memory: Memory, part: Part) -> list[Source]:
        asked.append(part)
        return look_up(memory, part)

    monkeypatch.setattr(Memory, "sources", counted)
    repository = discover(repo.path)
    change = between(repository, "HEAD~1", "HEAD")
    made = plan(change, load(repository, {}, environ={}), Limits(tokens=3_000, context=2_000))
    assert (len(made.requests), len(asked)) == (2, 3)
    assert {(one.path, one.why) for one in made.left_out} == {
        (f"m{n}.py", "not sent: 3,000 tokens are spent") for n in range(3)
    }
