"""What becomes of findings over several checks of a change, told by ids and hashes alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.gate.change import between, nothing, staged, worktree
from git_skillmesh.gate.check import check
from git_skillmesh.gate.matchers.message import CommitMessage
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import Matcher, MatcherKind, State
from git_skillmesh.monitoring.findings import note_findings
from git_skillmesh.monitoring.journal import read_journal
from git_skillmesh.monitoring.record import FOLDER
from testing.learnings import files_of, literal, made
from testing.repos import Repo, make_repo

RULES = files_of(
    literal("no-print", "print(", languages=("python",)),
    literal("no-todo", "TODO", State.WARN),
    made("subject", Matcher(MatcherKind.MESSAGE, regex=r"\bwip\b"), State.WARN),
)
CANARY = "canary_zx81"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path, files={**RULES, "a.py": "x = 1\n", "b.py": "y = 1\n"})
    made.state_dir.mkdir()
    return made


def look(repo: Repo, **files: str | None) -> None:
    """Write files, stage everything, and check it as the hook does."""
    for name, text in files.items():
        path = f"{name}.py"
        if text is None:
            (repo.path / path).unlink()
        else:
            repo.write(path, text)
    repo.git("add", "--all")
    change = staged(discover(repo.path))
    note_findings(change, check(change), "staged")


def told(repo: Repo) -> dict[str, int]:
    ever = read_journal(repo.state_dir).ever
    return {f"{key.label} {key.outcome}": tally.count for key, tally in ever.items()}


def test_fired_once_then_fixed(repo: Repo) -> None:
    look(repo, a="x = 2\n")
    assert not (repo.state_dir / FOLDER).exists()
    look(repo, a="print(1)\nTODO\n")
    look(repo, a="\n\nprint(1)\nTODO\nz = 3\n")  # the same findings, in other lines
    assert told(repo) == {"no-print fired": 1, "no-todo fired": 1}
    look(repo, a="log(1)\nTODO\n")
    assert told(repo) == {"no-print fired": 1, "no-print fixed": 1, "no-todo fired": 1}
    look(repo, a="print(1)\nTODO\n")  # and back again
    assert told(repo) == {"no-print fired": 2, "no-print fixed": 1, "no-todo fired": 1}


def test_what_goes_away_with_its_file_is_not_fixed(repo: Repo) -> None:
    look(repo, a="print(1)\n")
    look(repo, a="x = 1\n", b="y = 2\n")  # as it was: the file is no part of the change
    assert told(repo) == {"no-print fired": 1}
    look(repo, a="print(1)\n")
    assert told(repo) == {"no-print fired": 1}
    look(repo, a=None)  # deleting it is a change of it
    assert told(repo) == {"no-print fired": 1, "no-print fixed": 1}


def test_what_was_committed_is_not_fixed(repo: Repo) -> None:
    look(repo, a="TODO\n")
    repo.commit("with it")
    look(repo, a="TODO\nx = 5\n")
    assert told(repo) == {"no-todo fired": 1}


def test_excused_with_a_reason_is_suppressed_once(repo: Repo) -> None:
    look(repo, a="print(1)\n")
    excused = "print(1)  # skillmesh: ignore[no-print] it is a script\n"
    look(repo, a=excused)
    look(repo, a=excused + "x = 1\n")
    # The line reads otherwise now, so the first finding is gone, and an excused one is there.
    assert told(repo) == {"no-print fired": 1, "no-print fixed": 1, "no-print suppressed": 1}


def test_other_branches_and_worktrees_are_other_changes(repo: Repo, tmp_path: Path) -> None:
    look(repo, a="print(1)\n")
    repo.git("stash", "--quiet")
    repo.git("checkout", "--quiet", "-b", "other")
    look(repo, a="x = 7\n")
    other = repo.worktree(tmp_path / "tree", "third")
    look(other, a="x = 8\n")
    assert told(repo) == {"no-print fired": 1}


def test_a_range_keeps_its_name_while_commits_are_added(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "topic")

    def ranged() -> None:
        change = between(discover(repo.path), "main", "HEAD")
        note_findings(change, check(change), "main..HEAD", message=True)

    repo.commit("wip: one", {"a.py": "print(1)\n"})
    ranged()
    assert told(repo) == {"no-print fired": 1, "subject fired": 1}
    repo.commit("two", {"a.py": "log(1)\n"})
    ranged()
    assert told(repo) == {"no-print fired": 1, "no-print fixed": 1, "subject fired": 1}
    repo.git("reset", "--quiet", "--soft", "main")
    repo.git("commit", "--quiet", "-m", "one, said better")
    ranged()
    assert told(repo)["subject fixed"] == 1


def test_a_message_and_the_content_are_looked_at_by_two_hooks(repo: Repo) -> None:
    def message(text: str) -> None:
        change = nothing(discover(repo.path))
        report = check(change, message=CommitMessage("", text, merge=False), content=False)
        note_findings(change, report, "staged", content=False, message=True)

    look(repo, a="print(1)\n")
    message("wip")
    look(repo, a="print(1)\n")
    assert told(repo) == {"no-print fired": 1, "subject fired": 1}
    message("a subject")
    assert told(repo) == {"no-print fired": 1, "subject fired": 1, "subject fixed": 1}


def test_the_working_tree_is_a_change_as_well(repo: Repo) -> None:
    for text in ("print(1)\n", "log(1)\n"):
        repo.write("a.py", text)
        with worktree(discover(repo.path)) as change:
            note_findings(change, check(change), "worktree")
    assert told(repo) == {"no-print fired": 1, "no-print fixed": 1}


def test_no_text_and_no_path_is_kept(repo: Repo) -> None:
    repo.write(f"{CANARY}/{CANARY}.py", f"print('{CANARY}')\n")
    repo.git("checkout", "--quiet", "-b", CANARY)
    look(repo)
    kept = {path.name: path.read_bytes() for path in (repo.state_dir / FOLDER).iterdir()}
    assert sorted(kept) == ["events", "findings.lock", "open.json"]
    assert [name for name, data in kept.items() if CANARY.encode() in data] == []


@pytest.mark.parametrize("broken", [b"", b"{", b'{"findings": {"a": [1]}}', b"[1]"])
def test_what_cannot_be_read_is_begun_anew(repo: Repo, broken: bytes) -> None:
    look(repo, a="print(1)\n")
    (repo.state_dir / FOLDER / "open.json").write_bytes(broken)
    look(repo, a="print(1)\n")
    assert told(repo) == {"no-print fired": 2}


@pytest.mark.parametrize(
    "hinder",
    [
        lambda state: (state / FOLDER).touch(),
        lambda state: (state / FOLDER / "open.json").mkdir(parents=True),
        lambda state: (state / FOLDER / "findings.lock").mkdir(parents=True),
    ],
    ids=["no folder", "no file", "no lock"],
)
def test_a_check_goes_on_where_nothing_can_be_written(
    repo: Repo, hinder: Callable[[Path], None]
) -> None:
    hinder(repo.state_dir)
    look(repo, a="print(1)\n")
