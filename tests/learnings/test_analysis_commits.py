"""What commits say: reverts, fixes that come soon, rules that were written down."""

from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.analysis_commits import Commits, commits_say
from git_skillmesh.learnings.candidates import Change, Evidence, Kind
from testing.repos import Repo, make_repo

SLOW = "def scan(url):\n    answer = requests.get(url)\n    return answer.json()\n"
FAST = "def scan(url):\n    answer = httpx.get(url, timeout=3)\n    return answer.body()\n"


def clean(text: str) -> str:
    return text.replace("hunter2", "REDACTED")


def say(repo: Repo, most: int = 500) -> Commits:
    return commits_say(discover(repo.path), repo.head, clean, most)


def told(found: Commits) -> list[tuple[Kind, str, tuple[str, ...], tuple[str, ...]]]:
    return [(one.kind, one.excerpt, one.paths, one.commits) for one in found.evidence]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"README.md": "# Depots\n"})


def test_a_revert_names_what_it_took_back_and_why(repo: Repo) -> None:
    bad = repo.commit("scan depots", {"scan.py": SLOW})
    repo.git("revert", "--no-edit", bad)
    message = repo.git("log", "-1", "--format=%B")
    why = "The depot does not answer hunter2 twice."
    repo.git("commit", "--amend", "-q", "-m", f"{message}\n\n{why}")
    found = say(repo)
    said = 'Reverted "scan depots": The depot does not answer REDACTED twice.'
    assert told(found) == [(Kind.REVERT, said, ("scan.py",), (repo.head, bad))]
    assert found.reverted == {bad}


def test_a_squash_that_quotes_a_revert_is_none(repo: Repo) -> None:
    bad = repo.commit("scan depots", {"scan.py": SLOW})
    repo.commit(
        f"Depots (#3)\n\n* scan depots\n\n* Revert\n\nThis reverts commit {bad}.",
        {"a.py": "x = 1\n"},
    )
    assert say(repo) == Commits()


def test_a_fix_of_what_had_just_been_written(repo: Repo) -> None:
    bad = repo.commit("scan depots", {"scan.py": SLOW})
    fix = repo.commit("fix: give the scan a timeout", {"scan.py": FAST})
    (found,) = say(repo).evidence
    assert found == Evidence(
        found.id, Kind.FOLLOW_UP, "fix: give the scan a timeout", 0.44, found.time,
        signs=("fixed soon",),
        changes=(
            Change("scan.py", tuple(SLOW.splitlines()[1:]), tuple(FAST.splitlines()[1:]), 2),
        ),
        paths=("scan.py",), commits=(fix, bad),
    )  # fmt: skip


def test_what_is_no_such_fix(repo: Repo) -> None:
    repo.commit("scan depots", {"scan.py": SLOW, "notes.md": "one line of text\nand another\n"})
    repo.commit("give the scan a timeout", {"scan.py": FAST})
    repo.commit("fix the notes", {"notes.md": "other lines of text\nand others\n"})
    repo.commit("fix: one more", {"other.py": "one_more = 1\n"})
    assert say(repo) == Commits()


def test_a_fix_that_comes_late_is_new_work(repo: Repo) -> None:
    early = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z"}
    repo.write("scan.py", SLOW)
    repo.git("add", "--all")
    repo.git("commit", "-qm", "scan depots", env=early)
    repo.commit("fix: give the scan a timeout", {"scan.py": FAST})
    assert say(repo) == Commits()


def test_rules_in_a_file_for_agents(repo: Repo) -> None:
    text = "# Rules\n\n- **Always** give requests a timeout.\n- Depots are in the north.\n"
    commit = repo.commit("rules", {"docs/CLAUDE.md": text, "docs/other.md": text})
    said = "Always give requests a timeout."
    assert told(say(repo)) == [(Kind.RULE, said, ("docs/CLAUDE.md",), (commit,))]


def test_only_so_many_commits_are_looked_at(repo: Repo) -> None:
    repo.commit("scan depots", {"scan.py": SLOW})
    repo.commit("fix: give the scan a timeout", {"scan.py": FAST})
    assert say(repo, most=1) == Commits()
    repo.commit("all at once", {"AGENTS.md": "- Never use global state.\n" + "x\n" * 30_000})
    assert [one.kind for one in say(repo).evidence] == [Kind.FOLLOW_UP]
