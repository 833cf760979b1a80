"""Shares of lines that stood, of a history of which they are known."""

from pathlib import Path

import pytest

from git_skillmesh.git.notes import REF
from git_skillmesh.git.refs import read_ref
from git_skillmesh.git.repository import discover
from git_skillmesh.monitoring.report.survival import Area, Kept, Survival, is_counted, survival_of
from git_skillmesh.training.rewards.cache import Cache
from git_skillmesh.training.rewards.history import read_history
from git_skillmesh.training.rewards.lines import read_notes
from testing.linking import commit, link, remember, wrote
from testing.repos import Repo, make_repo
from testing.rewards import DAY, PARSER, REPORT

NOON = 1_709_294_400
SECONDS = 86_400


def followed(repo: Repo, since: float, until: float) -> Survival:
    repository = discover(repo.path)
    with Cache(repository) as cache:
        read_notes(repository, cache, read_ref(repository, REF))
        history = read_history(repository, cache, repo.head, 1 << 60)
        first, last = (NOON + int(day * SECONDS) for day in (since, until))
        return survival_of(repository, history, cache, first, last)


def counts(kept: tuple[Kept, ...]) -> list[tuple[int, int, int, int]]:
    return [(one.days, one.lines, one.alive, one.groups) for one in kept]


def test_every_line_is_where_it_should_be(known: Repo) -> None:
    found = followed(known, -1, 60)
    # Twelve conversations of ten lines: on day 3 twelve of them went, on day 20 sixteen.
    assert counts(found.agents) == [(7, 120, 108, 12), (30, 120, 92, 12), (90, 0, 0, 0)]
    # 120 lines by hand, and 12 and 16 that took the place of agents' lines; of the last nobody
    # knows after 30 days, since the branch ends on day 45.
    assert counts(found.others) == [(7, 148, 148, 14), (30, 132, 132, 13), (90, 0, 0, 0)]
    assert (found.agents_new, found.others_new, found.young) == (120, 148, 0)
    assert found.areas == (Area("lib", 120, 0), Area("src", 120, 92))
    share = found.agents[0].share
    assert share is not None
    assert share.mean == 0.9
    assert 0.75 < share.low < 0.9 < share.high <= 1
    # All stood: nothing can be drawn, and 14 of 14 commits leave room for one in five.
    share = found.others[0].share
    assert share is not None
    assert (share.mean, round(share.low, 3), share.high) == (1.0, 0.785, 1.0)
    assert found.agents[2].share is None


@pytest.mark.parametrize(
    ("since", "until", "agents"),
    [
        (6, 60, [(7, 120, 108, 12), (30, 120, 92, 12), (90, 0, 0, 0)]),
        (8, 60, [(7, 0, 0, 0), (30, 120, 92, 12), (90, 0, 0, 0)]),
        (-1, 21, [(7, 120, 108, 12), (30, 0, 0, 0), (90, 0, 0, 0)]),
        (-1, 2, [(7, 0, 0, 0), (30, 0, 0, 0), (90, 0, 0, 0)]),
        (31, 60, [(7, 0, 0, 0), (30, 0, 0, 0), (90, 0, 0, 0)]),
    ],
)
def test_a_line_counts_in_the_period_in_which_it_gets_so_old(
    known: Repo, since: float, until: float, agents: list[tuple[int, int, int, int]]
) -> None:
    found = followed(known, since, until)
    assert counts(found.agents) == agents
    assert found.young == (120 if until == 2 else 0)


def test_what_a_merge_brings_moves_and_renames(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    commit(repo, 0, {"src/old.py": REPORT}, "first")
    repo.git("checkout", "--quiet", "-b", "topic")
    remember(repo, "talk", wrote(10, "src/new.py", None, PARSER, whole=True, line=1))
    commit(repo, 20, {"src/new.py": PARSER}, "by an agent")
    link(repo)
    commit(repo, 30, {"src/hand.py": "by_hand = first_value(1)\n"}, "by hand")
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "topic",
             env={"GIT_COMMITTER_DATE": "2024-03-02T12:00:00Z"})  # fmt: skip
    (repo.path / "src/new.py").rename(repo.path / "src/named.py")
    commit(repo, 3 * DAY, None, "rename")
    lines = PARSER.splitlines(keepends=True)
    # Indented anew, and half of it moved to another file.
    commit(
        repo, 4 * DAY,
        {"src/named.py": "".join(f"    {line}" for line in lines[:3]),
         "src/moved.py": "".join(lines[3:])},
        "move",
    )  # fmt: skip
    commit(repo, 9 * DAY, {"notes": "nothing\n"}, "later")
    found = followed(repo, -1, 20)
    telling = len(lines)
    assert counts(found.agents)[0] == (7, telling, telling, 1)
    assert (found.agents_new, found.agents[0].share) == (telling, None)


def test_what_counts_as_code() -> None:
    paths = ["a.py", "README.md", "vendor/a.py", "package-lock.json", ".skillmesh/learnings/a.yaml"]
    assert [is_counted(path) for path in paths] == [True, False, False, False, False]


def test_where_a_shallow_clone_ends_nothing_is_new(known: Repo, tmp_path: Path) -> None:
    clone = known.clone(tmp_path / "clone", "--depth=4", "--quiet")
    found = followed(clone, -1, 60)
    assert (found.agents_new, found.others_new) == (0, 0)
    assert followed(known, -1, 60).others_new == 148
