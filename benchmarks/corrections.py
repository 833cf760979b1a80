"""Does analysis hear corrections, and are its best candidates worth a reviewer's time?

    python -m benchmarks.corrections CLONE…

In: clones whose conversations were imported (`git skillmesh import entire`), and the labels in
corrections.json: ids of exchanges and candidates with what a person said of them, no text. Out:
precision and recall of what is heard in follow-up prompts, each sample weighted by how many
prompts its strata have; the precision of the first twenty candidates; the time that it took. Work
on copies: analysing adds events to the memory.
"""

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.modification_types import name_of
from benchmarks.results import Recorder, table
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.analysis import analyze
from git_skillmesh.learnings.analysis_changes import Thread
from git_skillmesh.learnings.analysis_prompts import statements
from git_skillmesh.sessions.redaction import Redactor
from git_skillmesh.sessions.store import MemoryStore

LABELS = Path(__file__).with_name("corrections.json")
# Corrects, states a rule, passes on the finding of a review.
_POSITIVE = frozenset("crv")
_FIRST = 20


@dataclass(frozen=True, slots=True)
class Score:
    """What was heard of a sample: counts of prompts, and shares weighted by stratum."""

    heard: int
    mistaken: int
    missed: int
    precision: float
    recall: float


def score(sample: dict[str, Any], heard: dict[str, bool]) -> Score:
    """Return how what was heard compares with the labels of a sample."""
    sizes = Counter(stratum for _, stratum, _ in sample["prompts"])
    counts, weights = Counter[str](), Counter[str]()
    for exchange, stratum, label in sample["prompts"]:
        is_one, found = label in _POSITIVE, heard.get(exchange, False)
        if is_one or found:
            fate = "heard" if is_one and found else "mistaken" if found else "missed"
            counts[fate] += 1
            weights[fate] += sample["strata"][stratum] / sizes[stratum]
    right = weights["heard"]
    return Score(
        counts["heard"],
        counts["mistaken"],
        counts["missed"],
        round(right / (right + weights["mistaken"]), 2) if right else 0.0,
        round(right / (right + weights["missed"]), 2) if right else 0.0,
    )


def heard_in(store: MemoryStore) -> dict[str, bool]:
    """Return exchange → whether its prompt corrects or states a rule."""
    found: dict[str, bool] = {}
    for summary in store.sessions():
        thread = Thread()
        for number, exchange in enumerate(store.exchanges(summary.head.session_id), 1):
            follows = thread.follows_edit
            thread.take(exchange)
            said = statements(exchange.prompt, follows_edit=follows, is_first=number == 1)
            found.setdefault(exchange.exchange_id, bool(said))
    return found


def measure(clone: Path, labels: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a clone."""
    redactor = Redactor()
    store = MemoryStore(discover(clone), lambda exchange: redactor.redact_exchange(exchange)[0])
    name = name_of(clone)
    heard = heard_in(store)
    samples = {
        f"{one['sample']} sample": score(one, heard)
        for one in labels["samples"]
        if one["repository"] == name
    }
    times = []
    for again in (True, False):
        start = time.process_time()
        found = analyze(store, lambda text: redactor.redact(text).text, again=again)
        times.append(round(time.process_time() - start, 2))
    said = labels["candidates"].get(name, {})
    first = Counter(said.get(one.id, "unlabelled") for one in found.candidates[:_FIRST])
    return {
        "clone": name,
        "exchanges": found.exchanges,
        "candidates": len(found.candidates),
        "samples": {
            key: [getattr(one, n) for n in Score.__slots__] for key, one in samples.items()
        },
        "first twenty": dict(first),
        "seconds of processor": times,
    }


def main() -> int:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description="what analysis hears, and what its best are worth")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    args = parser.parse_args()
    labels = json.loads(LABELS.read_text())
    recorder = Recorder("corrections", None)
    found = [measure(clone, labels) for clone in args.clones]
    rows = [
        [one["clone"], sample, *map(str, values)]
        for one in found
        for sample, values in one["samples"].items()
    ]
    print(table(["clone", "sample", *Score.__slots__], rows))
    for one in found:
        print(one["clone"], one["first twenty"], one["seconds of processor"])
    recorder.write(clones=found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
