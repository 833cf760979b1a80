"""The fit of kinds of changes finds what tells them, and checks itself on other repositories."""

import json
from pathlib import Path

import pytest

from benchmarks.modification_types import Labelled
from git_skillmesh.sessions.edits_as_diff import FileChange, Place
from git_skillmesh.sessions.modification import KINDS, Modification, chances_of
from training.fit_modification import LEAST, Sample, cross_validate, fit, sample_of, write

PATHS = {
    Modification.TEST: "tests/test_a.py",
    Modification.DOCUMENTATION: "README.md",
    Modification.CONFIG: "package.json",
}


def commits(project: str) -> list[Labelled]:
    return [
        Labelled(project, kind, "change it", (FileChange(path, 1, 1, (Place(("a",), ("b",), 1),)),))
        for kind, path in PATHS.items()
        for _ in range(20)
    ]


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [sample_of(one) for name in "abcd" for one in commits(name)]


def test_what_tells_a_kind_gets_its_weight(samples: list[Sample]) -> None:
    weights = fit(samples)
    test = KINDS.index(Modification.TEST)
    assert max(range(len(KINDS)), key=weights.values["only test"].__getitem__) == test
    for one in samples[::20]:
        chances = chances_of(one.views["both"], weights)
        assert chances.index(max(chances)) == one.kind


def test_a_repository_is_asked_by_weights_of_the_others(samples: list[Sample]) -> None:
    odd = [Sample("odd", KINDS.index(Modification.STYLE), one.views) for one in samples[:20]]
    chances = cross_validate([*samples, *odd], ["both", "diff"])
    assert set(chances) == {"both", "diff"}
    told = [row.index(max(row)) for row in chances["both"]]
    assert told[: len(samples)] == [one.kind for one in samples]
    # What only one repository calls style is not known from the others.
    assert KINDS.index(Modification.STYLE) not in told[len(samples) :]


def test_weights_are_written_for_people(samples: list[Sample], tmp_path: Path) -> None:
    weights = fit(samples)
    write(weights, tmp_path / "w.json")
    text = (tmp_path / "w.json").read_text()
    document = json.loads(text)
    assert document["kinds"] == list(KINDS)
    assert document["least"] == LEAST
    assert document["weights"] == weights.values
    assert len(text.splitlines()) > len(weights.values)
