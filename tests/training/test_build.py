"""The driver: clones at listed commits, and the commands that follow."""

import json
from pathlib import Path

import pytest

from testing.judged import JUDGED
from testing.repos import make_repo
from training.build import fetch, steps


def test_a_repository_is_cloned_at_its_commit_and_taken_as_it_is_afterwards(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"one.py": "x = 1\n"})
    commit = repo.git("rev-parse", "HEAD").strip()
    repo.commit("more", {"two.py": "y = 2\n"})
    entry = {"repo": "someone/thing", "commit": commit, "url": str(repo.path)}
    fetch(entry, tmp_path / "clones")
    clone = tmp_path / "clones" / "someone+thing" / "repo"
    assert (clone / "HEAD").read_text().strip() == commit
    fetch({**entry, "url": "nowhere"}, tmp_path / "clones")
    with pytest.raises(SystemExit, match=f"is at {commit}, not at 0000"):
        fetch({**entry, "commit": "0000"}, tmp_path / "clones")


def test_the_steps_name_what_they_read_and_write() -> None:
    found = steps(Path("list"), Path("work"), Path("out"), Path("weights"))
    assert {name: " ".join(command) for name, command in found.items()} == {
        "pairs": "training.pairs list work/clones work/pairs",
        "start": "scripts.build_static_model weights --out work/start",
        "train": "training.static_model list work/pairs work/start out",
    }


def test_the_list_has_a_hundred_repositories_with_commit_and_licence() -> None:
    entries = json.loads((Path(__file__).parents[2] / "training/repositories.json").read_text())
    names = [entry["repo"].lower() for entry in entries]
    assert len(names) == len(set(names))
    assert not {name.split("/")[1] for name in names} & JUDGED
    assert sum(not entry.get("held_out") for entry in entries) >= 100
    permissive = {"MIT", "BSD", "Apache-2.0", "ISC", "BSL-1.0", "Unlicense"}
    for entry in entries:
        assert len(entry["commit"]) == 40
        assert set(entry["licence"].split(" and ")) <= permissive


def test_the_repositories_of_the_history_task_are_not_trained_on() -> None:
    entries = json.loads((Path(__file__).parents[2] / "training/repositories.json").read_text())
    asked = {"Polly", "commons-io", "puma", "hyper", "echo", "urllib3", "PHP-Parser"}
    held = {entry["repo"].split("/")[1] for entry in entries if entry.get("held_out")}
    assert asked <= held
