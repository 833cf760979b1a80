"""The stored figures of the backtests: shown as they are, kept in the files, under their limit."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.backtests import LEARNINGS, TIPS, markdown, part, read
from benchmarks.results import RESULTS
from git_skillmesh.gate.backtest import Verdict, backtest
from git_skillmesh.gate.past import Window
from git_skillmesh.gate.trial import try_learning
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import State
from git_skillmesh.learnings.reading import read_learning
from testing.pasts import TIMEOUT, Past

STORED: "dict[str, Any]" = json.loads((RESULTS / "backtests.json").read_text())
PAGE = (Path(__file__).parents[2] / "docs" / "backtest.md").read_text()


def test_the_page_shows_the_stored_figures() -> None:
    assert markdown(STORED).strip() in PAGE, "python -m benchmarks.backtests --table"


@pytest.mark.parametrize("name", TIPS)
def test_ten_learnings_each_of_which_four_may_block(name: str) -> None:
    found = STORED["repositories"][name]
    assert found["tip"] == TIPS[name]
    learnings = {each.learning_id: each for each in read(LEARNINGS / name)}
    rows = {row["learning_id"]: row for row in found["learnings"]}
    assert rows.keys() == learnings.keys()
    assert len(rows) == 10
    blocking = [row for row in rows.values() if learnings[row["learning_id"]].state is State.BLOCK]
    assert len(blocking) >= 4
    for row in blocking:
        assert row["false_positives"]["total"] >= 1_000
        assert row["false_positives"]["share"] < 0.01
        assert learnings[row["learning_id"]].source_commits


@pytest.mark.parametrize(
    "place",
    sorted(LEARNINGS.glob("*/*.yaml")),
    ids=lambda place: f"{place.parent.name} {place.stem}",
)
def test_each_file_is_in_order_and_holds_its_figures(place: Path) -> None:
    found = read_learning(place.name, place.read_bytes())
    assert try_learning(found) == []
    assert found.learning is not None
    rows = STORED["repositories"][place.parent.name]["learnings"]
    (row,) = (row for row in rows if row["learning_id"] == place.stem)
    kept = found.learning.backtest
    assert kept is not None
    assert (kept.commits, kept.fired, kept.mistaken, kept.unknown, kept.until) == (
        row["commits"], row["fired"], row["mistaken"], row["unknown"], TIPS[place.parent.name],
    )  # fmt: skip


def test_some_of_the_commits(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(300, {"a.py": "requests.get(u)\n"}, "old")
    past.quiet(5)
    past.commit(200, {"b.py": "requests.get(u)\n"}, "newer")
    past.quiet(20)
    (tried,) = backtest(discover(past.repo.path), [TIMEOUT], Window())
    newer, older = part(tried, 0, 21), part(tried, 21, 27)
    assert [each.count(Verdict.MISTAKEN) for each in (tried, newer, older)] == [2, 1, 1]
    assert [len(each.commits) for each in (tried, newer, older)] == [27, 21, 6]
    assert [each.fired.commit.subject for each in older.judged] == ["old"]
