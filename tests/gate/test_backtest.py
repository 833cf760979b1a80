"""Verdicts of history on what a learning flags, for every fate that a line can have."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from git_skillmesh.errors import UsageError
from git_skillmesh.gate.backtest import (
    YOUNG_COMMITS,
    Tried,
    Verdict,
    Whose,
    backtest,
    flagged,
    one_line,
    summary,
)
from git_skillmesh.gate.estimate import Share
from git_skillmesh.gate.fates import Fate
from git_skillmesh.gate.past import Window
from git_skillmesh.gate.replay import Fired
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import Backtest, Learning
from testing.pasts import CHANGELOG, LEARNINGS, PRINTED, TIMEOUT, Past

BAD = "x = requests.get(u)\n"
BODY = "".join(f"value_{number} = {number}\n" for number in range(12))


@pytest.fixture
def past(tmp_path: Path) -> Past:
    made = Past(tmp_path)
    made.commit(400, {"other.txt": "x\n"}, "first")
    return made


def tried(past: Past, learning: Learning = TIMEOUT, window: "Window | None" = None) -> Tried:
    """Return the backtest of one learning."""
    (tested,) = backtest(discover(past.repo.path), [learning], window or Window())
    return tested


def told(tested: Tried) -> "list[tuple[str, str, list[str]]]":
    """Return subject, verdict and the fates of the lines, oldest first."""
    return [
        (each.fired.commit.subject, str(each.verdict), [str(line.fate) for line in each.lines])
        for each in reversed(tested.judged)
    ]


def test_a_line_that_lives_on_was_a_mistake(past: Past) -> None:
    past.commit(300, {"a.py": BAD}, "bad")
    past.quiet(YOUNG_COMMITS)
    assert told(tried(past)) == [("bad", "mistaken", ["kept"])]


def test_a_line_that_was_changed_later_was_right(past: Past) -> None:
    past.commit(300, {"a.py": BAD}, "bad")
    past.commit(200, {"a.py": "x = requests.get(u, timeout=3)\n"}, "mend")
    past.quiet(YOUNG_COMMITS)
    assert told(tried(past)) == [("bad", "right", ["changed"])]


def test_one_changed_line_of_several_is_enough(past: Past) -> None:
    past.commit(300, {"a.py": BAD, "b.py": "y = requests.get(v)\n"}, "bad")
    past.commit(200, {"a.py": "\n"}, "mend")
    past.quiet(YOUNG_COMMITS)
    assert told(tried(past)) == [("bad", "right", ["changed", "kept"])]


def test_a_renamed_file_takes_its_lines_along(past: Past) -> None:
    past.commit(300, {"a.py": BODY + BAD}, "bad")
    past.repo.git("mv", "a.py", "b.py")
    past.commit(250, {}, "rename")
    past.quiet(YOUNG_COMMITS)
    assert told(tried(past)) == [("bad", "mistaken", ["kept"])]


def test_a_deleted_file_tells_nothing(past: Past) -> None:
    past.commit(300, {"a.py": BAD}, "bad")
    past.commit(250, {"a.py": None}, "delete")
    past.quiet(YOUNG_COMMITS)
    assert told(tried(past)) == [("bad", "unknown", ["gone"])]


@pytest.mark.parametrize(("days", "later"), [(29, YOUNG_COMMITS), (300, YOUNG_COMMITS - 2)])
def test_a_young_line_tells_nothing(past: Past, days: int, later: int) -> None:
    past.commit(days, {"a.py": BAD}, "bad")
    past.commit(days, {"a.py": "\n"}, "mend")
    past.quiet(later)
    assert told(tried(past)) == [("bad", "unknown", ["young"])]


def test_a_merged_branch_is_judged_by_what_became_of_it(past: Past) -> None:
    past.repo.git("checkout", "--quiet", "-b", "side")
    past.commit(300, {"a.py": BAD}, "bad")
    past.commit(299, {"b.py": BAD}, "bad too")
    past.repo.git("checkout", "--quiet", "main")
    past.commit(298, {"c.txt": "x\n"}, "main")
    past.on(297, "merge", "--quiet", "--no-ff", "-m", "merge", "side")
    past.commit(290, {"a.py": "\n"}, "mend")
    past.quiet(YOUNG_COMMITS)
    assert told(tried(past)) == [
        ("bad", "right", ["changed"]),
        ("bad too", "mistaken", ["kept"]),
    ]
    assert told(tried(past, window=Window(first_parent=True))) == [
        ("merge", "right", ["changed", "kept"])
    ]


def test_a_merge_resolved_by_hand_changes_lines(past: Past) -> None:
    past.commit(310, {"a.py": "x = 1\n"}, "start")
    past.repo.git("checkout", "--quiet", "-b", "side")
    past.commit(300, {"a.py": BAD}, "bad")
    past.repo.git("checkout", "--quiet", "main")
    past.commit(298, {"a.py": "x = 2\n"}, "main")
    past.repo.run("merge", "--quiet", "--no-commit", "side")
    past.commit(297, {"a.py": "x = requests.get(u, timeout=2)\n"}, "merge")
    past.quiet(YOUNG_COMMITS)
    assert told(tried(past)) == [("bad", "right", ["changed"])]


def test_paths_and_messages_have_no_lines_to_judge_by(past: Past) -> None:
    past.commit(300, {"src/a.py": "x\n"}, "bad")
    past.quiet(YOUNG_COMMITS)
    tested = tried(past, CHANGELOG)
    assert told(tested) == [("bad", "unknown", [])]
    assert one_line(tested) == "fired in 1 of 22 commits; whether rightly, lines cannot tell"


def test_figures(past: Past) -> None:
    """Four commits fire: one right, two mistaken, one too young; lines beside them are counted."""
    past.commit(300, {"a.py": BODY + BAD}, "right")
    past.commit(299, {"b.py": BAD}, "mistaken")
    past.commit(298, {"c.py": BAD}, "mistaken too")
    past.commit(200, {"a.py": BODY.replace("value_3 ", "other ")}, "mend")
    past.quiet(YOUNG_COMMITS)
    past.commit(1, {"d.py": BAD}, "young")
    tested = tried(past)
    assert (len(tested.commits), len(tested.judged)) == (26, 4)
    assert [tested.count(verdict) for verdict in Verdict] == [1, 2, 1]
    assert (tested.false_positives.hits, tested.false_positives.total) == (2, 25)
    assert (tested.precision.hits, tested.precision.total) == (1, 3)
    assert (tested.changed.hits, tested.changed.total) == (1, 3)
    # Every second line of the twelve is looked at: 1, 3, 5 ... and value_3 stands in the fourth.
    assert tested.others == {Fate.KEPT: 6}
    assert one_line(tested) == (
        "fired in 4 of 26 commits: 1 right, 2 mistaken, 1 unknown; "
        "false positives 8.00 % (2.22 to 25 %)"
    )
    # All lines beside lived: nothing hides an error (7 of 8, as nobody is sure of six lines).
    assert tested.corrected == (2 / 25 * 8 / 7, min(tested.false_positives.high * 8 / 7, 1))
    assert tested.record("2026-06-01") == Backtest(26, 4, 2, 1, past.repo.head, "2026-06-01")


def test_errors_that_later_changes_hide_are_reckoned_with(past: Past) -> None:
    """Where the lines beside are all changed too, being changed tells nothing."""
    past.commit(300, {"a.py": BODY + BAD}, "flagged")
    past.commit(290, {"a.py": "nothing = 0\n"}, "all of it is written anew")
    past.quiet(YOUNG_COMMITS)
    tested = tried(past)
    assert told(tested) == [("flagged", "right", ["changed"])]
    assert (tested.false_positives.value, tested.base.value) == (0, 1)
    # No more than it fires on, and that is all that can be said.
    assert tested.corrected == (0, Share(1, 23).high)


def test_a_report_tells_it_in_a_line(past: Past) -> None:
    commit = past.commit(300, {"a.py": BAD}, "bad")
    past.commit(299, {"b.py": BAD}, "bad too")
    past.quiet(YOUNG_COMMITS)
    repository = discover(past.repo.path)
    assert summary(repository, TIMEOUT) == (
        "fired in 2 of 23 commits: 2 mistaken; false positives 8.70 % (2.42 to 27 %)"
    )
    assert summary(repository, TIMEOUT, commit) == (
        "fired in 1 of 2 commits: 1 unknown; false positives 0.00 % (0.00 to 79 %)"
    )
    assert summary(repository, PRINTED, commits=5) == (
        "never fired in 5 commits; false positives 0.00 % (0.00 to 43 %)"
    )


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for processes")
def test_whoever_stops_it_leaves_no_process_behind(past: Past) -> None:
    past.commit(300, {"a.py": "print(1)\n"}, "git reads its files")
    past.quiet(16)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = children()
    with pytest.raises(KeyboardInterrupt) as caught:  # it keeps all that was going on alive
        backtest(discover(past.repo.path), [TIMEOUT, PRINTED], Window(), progress=stop)
    assert {name_of(child) for child in children() - before} <= {"python", ""}
    assert caught.type is KeyboardInterrupt


def children() -> "set[str]":
    """Return the processes that this one has started and that have not ended."""
    tasks = Path("/proc/self/task").iterdir()
    return {child for task in tasks for child in (task / "children").read_text().split()}


def name_of(process: str) -> str:
    """Return the name of a process: the parser is a Python, and stays for the next file."""
    return Path(f"/proc/{process}/comm").read_text().rstrip("\n").rstrip("0123456789.")


def test_whose_lines(past: Past) -> None:
    one = past.commit(300, {"a.py": BAD + BAD.replace("x", "y")}, "linked")
    past.commit(299, {"b.py": BAD}, "not linked")
    past.quiet(YOUNG_COMMITS)

    def makers(commits: Iterable[str]) -> "Mapping[str, frozenset[tuple[str, int]]]":
        assert one in commits
        return {one: frozenset({("a.py", 2)})}

    (tested,) = backtest(discover(past.repo.path), [TIMEOUT], Window(), makers)
    assert dict(tested.whose) == {Whose.AGENT: 1, Whose.PERSON: 1, Whose.UNKNOWN: 1}


def test_windows(past: Past) -> None:
    first = past.commit(300, {"a.py": BAD}, "old")
    past.commit(200, {"b.py": BAD}, "newer")
    past.commit(100, {"c.py": BAD}, "newest")

    def subjects(window: Window) -> "list[str]":
        return [subject for subject, _, _ in told(tried(past, window=window))]

    assert subjects(Window()) == ["old", "newer", "newest"]
    assert subjects(Window(count=2)) == ["newer", "newest"]
    assert subjects(Window(since="2025-10-01")) == ["newer", "newest"]
    assert subjects(Window(until=first)) == ["old"]
    for wrong in ("nonsense", "--all", "HEAD~100"):
        with pytest.raises(UsageError, match="no commits up to"):
            tried(past, window=Window(until=wrong))


def test_no_commits_are_no_figures(past: Past) -> None:
    tested = tried(past, window=Window(since="2030-01-01"))
    assert (tested.commits, tested.judged) == ((), ())
    assert one_line(tested) == "never fired in 0 commits"


def test_the_end_of_a_shallow_clone_is_no_commit_that_added_everything(
    past: Past, tmp_path: Path
) -> None:
    past.commit(300, {"a.py": BAD}, "old")
    past.commit(200, {"b.py": BAD}, "newer")
    clone = past.repo.clone(tmp_path / "shallow", "--depth=2")
    (tested,) = backtest(discover(clone.path), [TIMEOUT], Window())
    assert told(tested) == [("newer", "unknown", ["young"])]


def test_several_learnings_are_told_apart_in_one_go(past: Past) -> None:
    past.commit(300, {"src/a.py": BAD + "print(1)\n"}, "wip")
    past.quiet(YOUNG_COMMITS)
    seen: list[tuple[int, int]] = []
    tested = backtest(
        discover(past.repo.path),
        LEARNINGS,
        Window(),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [(each.learning.learning_id, len(each.judged)) for each in tested] == [
        ("timeout", 1), ("printed", 1), ("changelog", 1), ("unfinished", 1),
    ]  # fmt: skip
    alone = [tried(past, learning) for learning in LEARNINGS]
    assert [told(each) for each in alone] == [told(each) for each in tested]
    assert seen == [(16, 22)]


def test_what_it_would_have_flagged(past: Past) -> None:
    past.commit(300, {"a.py": "print(1)\n"}, "one")
    past.commit(299, {"b.py": "print(2)\nprint(3)\n"}, "two")

    def lines(found: Iterable[Fired]) -> list[str]:
        return [line.text.decode() for each in found for line in each.lines]

    repository = discover(past.repo.path)
    assert lines(flagged(repository, PRINTED, 10)) == ["print(2)", "print(3)", "print(1)"]
    assert lines(flagged(repository, PRINTED, 1)) == ["print(2)", "print(3)"]
