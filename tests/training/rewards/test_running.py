"""Rewards as events of the memory: appended where they are new, the same in every clone."""

import sqlite3
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.events import Event, Status, statuses
from git_skillmesh.training.model import Verdict
from git_skillmesh.training.rewards.judging import Age
from git_skillmesh.training.rewards.running import reward
from git_skillmesh.training.rewards.stored import scores_of, stored_rewards
from testing.linking import commit
from testing.memory import open_memory
from testing.repos import Repo
from testing.rewards import AGE, DAY, OTHER, PARSER, REPORT, Deeds


@pytest.fixture(scope="module")
def done(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Deeds:
    made = Deeds(tmp_path_factory.mktemp("done"))
    made.write("e", 0, "a.py", PARSER)
    made.commit(0.1)
    made.write("f", 0.2, "b.py", REPORT)
    made.commit(0.3)
    made.commit(1, {"b.py": "import re\n"}, "away with it")
    made.quiet(4)
    return made


@pytest.fixture
def deeds(done: Deeds, tmp_path: Path) -> Deeds:
    return done.copied(tmp_path)


def rewarding(repo: Repo) -> list[Event]:
    return [one for one in open_memory(repo).events("s") if one.kind in ("reward", "status")]


def test_events(deeds: Deeds) -> None:
    first = deeds.outcome(write=True)
    assert (first.changed, first.fresh) == ((("s", "e"), ("s", "f")), True)
    events = rewarding(deeds.repo)
    time = "2024-03-05T12:00:00Z"
    assert [(one.kind, one.exchange_id, one.time) for one in events] == [
        ("reward", "e", time), ("status", "e", time), ("reward", "f", time), ("status", "f", time),
    ]  # fmt: skip
    made = deeds.reward("e")
    assert events[0].value == {
        "verdict": "rewarded_implemented", "score": 0.943, "parts": {"alive": 1.0}, "linked": 6,
        "alive": 6, "in_substance": 0, "commits": list(made.commits), "replaced_by": [],
        "formula": 2, "commit": deeds.repo.head, "time": time,
    }  # fmt: skip
    assert statuses(events) == {"e": Status.IMPLEMENTED, "f": Status.IGNORED}
    assert stored_rewards(discover(deeds.repo.path)) == {
        pair: one.reward for pair, one in first.judged.items()
    }
    assert scores_of(events) == {"e": 0.943, "f": deeds.reward("f").score}


def test_a_second_run_reads_nothing_and_adds_nothing(deeds: Deeds) -> None:
    first = deeds.outcome(write=True)
    tip = deeds.repo.git("rev-parse", "refs/skillmesh/memory")
    again = deeds.outcome(write=True)
    assert (again.fresh, again.changed, again.judged) == (False, (), first.judged)
    deeds.quiet(5, commits=1)  # nothing that matters
    later = deeds.outcome(write=True)
    assert (later.fresh, later.changed) == (True, ())
    assert deeds.repo.git("rev-parse", "refs/skillmesh/memory") == tip


def test_what_changed_is_added_and_what_came_first_stays(deeds: Deeds) -> None:
    deeds.outcome(write=True)
    before = rewarding(deeds.repo)
    deeds.repo.git(
        "revert", "--no-edit", "HEAD~3", env={"GIT_COMMITTER_DATE": "2024-03-07T12:00:00Z"}
    )
    deeds.quiet(9)
    later = deeds.outcome(write=True)
    assert later.changed == (("s", "f"),)
    after = rewarding(deeds.repo)
    assert set(map(str, before)) < set(map(str, after))
    assert statuses(after)["f"] is Status.IMPLEMENTED
    assert stored_rewards(discover(deeds.repo.path))["s", "f"].verdict is Verdict.IMPLEMENTED


def test_an_older_commit_says_nothing_after_a_later_one(deeds: Deeds) -> None:
    deeds.outcome(write=True)
    before = rewarding(deeds.repo)
    old = deeds.outcome(at="HEAD~2", write=True)
    assert old.judged["s", "f"].reward.verdict is Verdict.TOO_YOUNG
    assert (old.changed, rewarding(deeds.repo)) == ((), before)


def test_another_age_at_the_same_commit_counts(deeds: Deeds) -> None:
    deeds.outcome(write=True)
    deeds.outcome(Age(9, 2), write=True)
    assert {one.verdict for one in stored_rewards(discover(deeds.repo.path)).values()} == {
        Verdict.TOO_YOUNG
    }


def test_a_dry_run_writes_no_event(deeds: Deeds) -> None:
    tip = deeds.repo.git("rev-parse", "refs/skillmesh/memory")
    assert len(deeds.outcome().changed) == 2
    assert deeds.repo.git("rev-parse", "refs/skillmesh/memory") == tip
    assert len(deeds.outcome(write=True).changed) == 2


def test_one_session_only(deeds: Deeds) -> None:
    deeds.write("g", 4.1, "c.py", OTHER, session="t")
    deeds.commit(4.2)
    store = open_memory(deeds.repo)
    done = reward(store, deeds.repo.head, AGE, session="t")
    assert (list(done.judged), done.changed) == ([("t", "g")], (("t", "g"),))
    assert rewarding(deeds.repo) == []
    assert reward(store, deeds.repo.head, AGE, session="t").fresh is False
    assert len(reward(store, deeds.repo.head, AGE).changed) == 2


def test_two_clones_add_the_same(deeds: Deeds, tmp_path: Path) -> None:
    other = deeds.repo.clone(tmp_path / "other")
    other.git(
        "fetch", "-q", "origin", "+refs/skillmesh/*:refs/skillmesh/*", "+refs/notes/*:refs/notes/*"
    )
    deeds.outcome(write=True)
    reward(open_memory(other), other.head, AGE)
    assert rewarding(other) == rewarding(deeds.repo)
    assert other.git("rev-parse", "refs/skillmesh/memory^{tree}") == deeds.repo.git(
        "rev-parse", "refs/skillmesh/memory^{tree}"
    )
    # One goes on, and they unite: what was judged later counts in both.
    commit(other, 6 * DAY, {"a.py": "import re\n"})
    reward(open_memory(other), other.head, AGE)
    other.git("fetch", "-q", "origin", "refs/skillmesh/memory:refs/theirs")
    open_memory(other).merge("refs/theirs")
    assert stored_rewards(discover(other.path))["s", "e"].commit == other.head


@pytest.mark.parametrize("damage", [b"no database", b""])
def test_the_cache_may_be_deleted_or_damaged(deeds: Deeds, damage: bytes) -> None:
    first = deeds.outcome()
    path = deeds.repo.state_dir / "training.db"
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(damage)
    assert deeds.outcome().judged == first.judged


def test_the_cache_never_changes_the_answer(deeds: Deeds) -> None:
    """Judged commit by commit, or at once; forward, backward, and on a branch."""
    # Of three commits that go by, one shows as much.
    commits = deeds.repo.git("rev-list", "HEAD").split()[2:]
    answers = {at: deeds.outcome(at=at).judged for at in [*reversed(commits), *commits]}
    deeds.repo.git("checkout", "-q", "-b", "topic", "HEAD~3")
    side = commit(deeds.repo, 3 * DAY, {"b.py": REPORT, "a.py": PARSER.replace("raw", "data")})
    answers[side] = deeds.outcome(at=side).judged
    answers[commits[0]] = deeds.outcome(at=commits[0]).judged
    for at, judged in answers.items():
        (deeds.repo.state_dir / "training.db").unlink()
        assert deeds.outcome(at=at).judged == judged


def test_events_of_another_form_are_left_out(deeds: Deeds) -> None:
    store = open_memory(deeds.repo)
    for value in ("text", {"verdict": "praised"}, {"verdict": "undecided", "score": "x"}, None):
        store.append_event("s", Event("reward", value, "e", "2024-01-01T00:00:00Z"))
    assert stored_rewards(discover(deeds.repo.path)) == {}
    assert len(deeds.outcome(write=True).changed) == 2


def test_the_cache_is_of_this_version(deeds: Deeds) -> None:
    deeds.outcome()
    path = deeds.repo.state_dir / "training.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    assert len(deeds.outcome().judged) == 2


def test_paths_that_are_no_text(tmp_path: Path) -> None:
    deeds = Deeds(tmp_path)
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    (deeds.repo.path / "a.py").rename(deeds.repo.path / "a\udce9.py")
    commit(deeds.repo, 1 * DAY)
    deeds.quiet(4)
    assert deeds.outcome(write=True).judged["s", "e"].evidence.alive == 6
    commit(deeds.repo, 5 * DAY, {"a\udce9.py": REPORT})
    assert deeds.outcome(write=True).judged["s", "e"].evidence.alive == 0
