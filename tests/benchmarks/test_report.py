"""The tables of the README say what the results say."""

import json
from pathlib import Path

from benchmarks import report
from benchmarks.results import RESULTS
from testing.docs_pages import ROOT


def test_the_pages_show_the_stored_results() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition(report.START)[2].partition(report.END)[0]
    assert shown == report.summary(RESULTS)
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page == report.details(RESULTS)


def test_a_missed_budget_is_called_missed(tmp_path: Path) -> None:
    for path in RESULTS.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / "hook-latency.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "difference": 0.031}))
    (line,) = [line for line in report.summary(tmp_path).splitlines() if "post-commit" in line]
    assert line == "| post-commit hook, what the user waits for | ≤ 15 ms | 31 ms | **missed** |"


def test_the_chart_is_the_one_of_the_results() -> None:
    """Its time stamp is left out, so equal results give an equal picture."""
    svg = (ROOT / "docs" / "growth.svg").read_text(encoding="utf-8")
    assert svg.startswith("<?xml")
    for name in ("first index, CPU", "cold query, CPU", "warm query of a tree kept open"):
        assert f"<!-- {name} -->" in svg
