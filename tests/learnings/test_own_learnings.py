"""The learnings of this very repository."""

from pathlib import Path

from git_skillmesh.gate.trial import try_learning
from git_skillmesh.learnings.model import FOLDER
from git_skillmesh.learnings.reading import read_learning

ROOT = Path(__file__).parents[2]


def test_they_are_in_order() -> None:
    files = sorted((ROOT / FOLDER).iterdir())
    assert [file.stem for file in files] == [
        "finished-commits",
        "git-room",
        "no-shell",
        "print-in-cli",
    ]
    for file in files:
        read = read_learning(f"{FOLDER}/{file.name}", file.read_bytes())
        assert (read.problems, try_learning(read)) == ((), [])
