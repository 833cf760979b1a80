"""The figures on corrections: how they are counted, and that the labels hold no text."""

import json
import re
from pathlib import Path

from benchmarks.corrections import LABELS, Score, measure, score
from testing.corrections import tell_of_corrections
from testing.repos import make_repo


def test_strata_weigh_by_their_size() -> None:
    sample = {
        "strata": {"cue": 4, "plain": 10},
        "prompts": [
            ["a", "cue", "c"], ["b", "cue", "n"], ["c", "plain", "r"], ["d", "plain", "n"],
        ],
    }  # fmt: skip
    heard = {"a": True, "b": True, "c": False, "d": False}
    assert score(sample, heard) == Score(1, 1, 1, round(2 / 4, 2), round(2 / 7, 2))
    assert score(sample, {}) == Score(0, 0, 2, 0.0, 0.0)


def test_the_labels_are_ids_and_letters() -> None:
    labels = json.loads(LABELS.read_text())
    for sample in labels["samples"]:
        assert set(sample) == {"repository", "sample", "strata", "prompts"}
        for exchange, stratum, label in sample["prompts"]:
            assert re.fullmatch(r"[0-9a-f-]{32,36}", exchange)
            assert (stratum in sample["strata"], label in "crvfn") == (True, True)
    for said in labels["candidates"].values():
        assert all(re.fullmatch(r"c-[0-9a-f]{12}", name) for name in said)
        assert set(said.values()) <= set("gmx")


def test_a_clone_is_measured(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, name="owner+name")
    tell_of_corrections(repo)
    labels = {
        "samples": [
            {
                "repository": "owner/name",
                "sample": "fresh",
                "strata": {"cue": 2},
                "prompts": [["one-2", "cue", "c"], ["one-3", "cue", "n"]],
            }
        ],
        "candidates": {"owner/name": {"c-4aa7a8971f4a": "g"}},
    }
    found = measure(repo.path, labels)
    assert found["samples"] == {"fresh sample": [1, 0, 0, 1.0, 1.0]}
    assert (found["exchanges"], found["first twenty"]) == (6, {"g": 1})
