"""What git tells of learnings: came, promoted, weakened, gone; by whom, reviewed by whom."""

from dataclasses import replace
from pathlib import Path

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import Learning, State
from git_skillmesh.monitoring.report.learned import changes_of_learnings
from testing.learnings import files_of, literal
from testing.linking import commit
from testing.repos import Repo, make_repo
from testing.rewards import DAY

NOON = 1_709_294_400
ONE = literal("one", "print(", State.WARN)


def told(repo: Repo, since: float = -1, until: float = 99) -> list[tuple[str, ...]]:
    first, last = (NOON + int(day * 86_400) for day in (since, until))
    found = changes_of_learnings(discover(repo.path), repo.head, first, last)
    return [(one.learning_id, one.what, one.before, one.after, *one.reviewers) for one in found]


def learn(repo: Repo, day: float, *learnings: Learning, message: str = "learn") -> None:
    commit(repo, day * DAY, files_of(*learnings), message)


def test_every_turn_of_a_life(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    learn(repo, 0, ONE, literal("two", "TODO", State.BLOCK))
    learn(repo, 1, replace(ONE, state=State.BLOCK))
    learn(repo, 2, replace(ONE, state=State.WARN))
    learn(repo, 3, literal("one", "print (", State.WARN))
    learn(repo, 4, replace(literal("one", "print (", State.WARN), title="Another title"))
    commit(repo, 5 * DAY, {".skillmesh/learnings/one.yaml": "learning_id: [broken\n"}, "break")
    commit(repo, 6 * DAY, {".skillmesh/learnings/two.yaml": None, "a.py": "x\n"}, "remove")
    assert told(repo) == [
        ("one", "new", "", "warn"),
        ("two", "new", "", "block"),
        ("one", "promoted", "warn", "block"),
        ("one", "weakened", "block", "warn"),
        ("one", "rule changed", "warn", "warn"),
        ("one", "edited", "warn", "warn"),
        ("two", "removed", "block", ""),
    ]
    assert told(repo, 1.5, 2.5) == [("one", "weakened", "block", "warn")]
    assert told(repo, 50) == []


def test_a_merge_counts_once_and_names_who_merged(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    repo.git("checkout", "--quiet", "-b", "topic")
    learn(repo, 1, ONE, message="learn\n\nAcked-by: Ack Er <a@example.org>")
    learn(repo, 2, replace(ONE, state=State.BLOCK))
    repo.git("checkout", "--quiet", "main")
    who = {
        "GIT_AUTHOR_NAME": "Merger", "GIT_COMMITTER_NAME": "GitHub",
        "GIT_COMMITTER_DATE": "2024-03-04T12:00:00Z",
    }  # fmt: skip
    message = "merge\n\nReviewed-by: Rea Viewer <r@example.org>"
    repo.git("merge", "--quiet", "--no-ff", "-m", message, "topic", env=who)
    assert told(repo) == [("one", "new", "", "block", "Rea Viewer", "Ack Er", "Merger")]
    (found,) = changes_of_learnings(discover(repo.path), repo.head, NOON, NOON + 9 * 86_400)
    assert found.author == repo.git("log", "-1", "--format=%aN", "main^2")


def test_names_are_whatever_somebody_has_typed(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    odd = {"GIT_AUTHOR_NAME": "A\x1fB\x1eC", "GIT_COMMITTER_NAME": "D\x1fE"}
    repo.write(ONE.path, files_of(ONE)[ONE.path] or "")
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "learn\n\nAcked-by: F\x1fG <f@example.org>", env=odd)
    found = changes_of_learnings(discover(repo.path), repo.head, 0, 1 << 40)
    assert [(one.author, one.reviewers) for one in found] == [("A\x1fB\x1eC", ("F\x1fG", "D\x1fE"))]


def test_no_learnings_no_commits_in_the_period(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    assert told(repo) == []
