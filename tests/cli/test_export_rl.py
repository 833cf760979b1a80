"""`git skillmesh export-rl`: what it prints, its exit codes, and mistakes."""

import json
from pathlib import Path

import pytest

from testing.commands import call
from testing.datasets import tell_the_depots
from testing.repos import make_repo


def test_a_data_set_from_the_command_line(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path)
    done = call(repo.path, "export-rl", "--format", "kto", "--date", "20260401", "--output", "out")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith("12 lines (10 train, 1 validation, 1 test), ")
    assert lines[1:] == [
        "out/rl_dataset_20260401.jsonl",
        "out/rl_dataset_20260401.manifest.json",
        "out/rl_dataset_20260401.md",
    ]
    assert sorted(path.name for path in (repo.path / "out").iterdir()) == [
        "rl_dataset_20260401.jsonl", "rl_dataset_20260401.manifest.json", "rl_dataset_20260401.md",
    ]  # fmt: skip
    checked = call(repo.path, "export-rl", "--check", "out/rl_dataset_20260401.jsonl")
    assert (checked.returncode, checked.stdout) == (0, "")
    assert checked.stderr == "12 lines, 0 problems\n"


def test_json_of_a_dry_run_by_its_other_name(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path, 3)
    done = call(repo.path, "export-rl-dataset", "--dry-run", "--json", "--min-score", "0.95")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["paths"] == {"data": None, "manifest": None, "card": None}
    assert document["left_out"] == {"a lower score than asked for": 2}
    assert not (repo.state_dir / "datasets").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--min-score", "2"], "--min-score must be from 0 to 1"),
        (["--context-tokens", "-1"], "--context-tokens must be at least 0"),
        (["--date", "2026-1-1"], "not a date: 2026-1-1: as in 20260221"),
        (["--date", "20261399"], "not a date: 20261399: as in 20260221"),
        (["--since", "x"], "not a date: x: as git takes them: 2026-02-21, 2 weeks ago"),
        (["--tokenizer", "no"], "no tokenizer: no: name a tokenizer.json or its folder"),
        (["--check", "no"], "cannot read no: No such file or directory"),
    ],
)  # fmt: skip
def test_mistakes(arguments: list[str], said: str, tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "a\n"})
    done = call(repo.path, "export-rl", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"git-skillmesh: {said}\n"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "a\n"})
    done = call(repo.path, "export-rl", "--output", "a")
    assert (done.returncode, done.stderr) == (9, "git-skillmesh: cannot write a: File exists\n")
