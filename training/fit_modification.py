"""Fit the weights that tell kinds of changes; check them on repositories they were not fitted on.

In: clones whose commits name their type (benchmarks/modification_types.py). Out:
sessions/modification.json.

    python -m training.fit_modification CLONE… [--write]

A linear model with a softmax over the kinds (multinomial logistic regression) with a pull to zero.
Each commit counts three times: with its subject, without it, and less as a subject alone, since
edits and words may each be missing from an exchange.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.modification_types import Labelled, labelled_in
from git_skillmesh.sessions import modification
from git_skillmesh.sessions.modification import KINDS, Weights, chances_of
from git_skillmesh.sessions.modification_features import (
    Features,
    diff_features,
    text_features,
)

Matrix = NDArray[np.float64]
FOLDS = 6
LEAST, LEAST_BY_WORDS = 0.4, 0.6
_PULL = 2e-4
# Rare kinds are named a little sooner than their share would have it: macro F1 gains by it.
_RAISE = 0.3
_ROUNDS = 150
SHARES = {"both": 1.0, "diff": 0.5, "text": 0.3}


@dataclass(frozen=True, slots=True)
class Sample:
    """A change: where it is from, its kind as a place in `KINDS`, what speaks in each case."""

    project: str
    kind: int
    views: dict[str, Features]


def sample_of(one: Labelled) -> Sample:
    """Return what speaks for the kind of a labelled commit."""
    text, diff = text_features(one.text), diff_features(one.changes)
    views = {"both": {**text, **diff}, "diff": diff, "text": text}
    return Sample(one.project, KINDS.index(one.label), views)


def fit(samples: Sequence[Sample]) -> Weights:
    """Return the weights that fit the samples and stay small."""
    from scipy.optimize import minimize  # takes longer to import than many a caller needs

    names = sorted({name for one in samples for name in one.views["both"]})
    place = {name: n for n, name in enumerate(names)}
    rows = [(view, one.kind, SHARES[v]) for one in samples for v, view in one.views.items()]
    features = np.zeros((len(rows), len(names) + 1), np.float32)
    features[:, -1] = 1.0
    for row, (view, _, _) in zip(features, rows, strict=True):
        row[[place[name] for name in view]] = list(view.values())
    right = np.eye(len(KINDS), dtype=np.float32)[[kind for _, kind, _ in rows]]
    shares = np.array([share for _, _, share in rows], np.float32)
    shares /= shares.sum()

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(len(names) + 1, len(KINDS)).astype(np.float32)
        scores = features @ weights
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(axis=1, keepdims=True)
        value = -float(shares @ np.log((chances * right).sum(axis=1) + np.float32(1e-12)))
        slope = features.T @ ((chances - right) * shares[:, None])
        pulled = weights.copy()
        pulled[-1] = 0.0
        slope += 2 * _PULL * pulled
        return value + _PULL * float((pulled**2).sum()), slope.ravel().astype(np.float64)

    start = np.zeros((len(names) + 1) * len(KINDS))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    table = found.x.reshape(len(names) + 1, len(KINDS))
    common = np.bincount([one.kind for one in samples], minlength=len(KINDS)) / len(samples)
    table[-1] -= _RAISE * np.log(np.maximum(common, 1e-3))
    table = table.round(2) + 0.0
    return Weights(
        {name: table[n].tolist() for name, n in place.items()},
        table[-1].tolist(),
        LEAST,
        LEAST_BY_WORDS,
    )


def cross_validate(
    samples: Sequence[Sample], views: Sequence[str], seed: int = 0
) -> dict[str, list[list[float]]]:
    """Return view → how likely each kind is, by weights fitted without the sample's repository."""
    projects = sorted({one.project for one in samples})
    np.random.default_rng(seed).shuffle(projects)
    found: dict[str, list[list[float]]] = {view: [[]] * len(samples) for view in views}
    for fold in range(min(FOLDS, len(projects))):
        held = set(projects[fold::FOLDS])
        weights = fit([one for one in samples if one.project not in held])
        for number, one in enumerate(samples):
            if one.project in held:
                for view in views:
                    found[view][number] = chances_of(one.views[view], weights)
    return found


def write(weights: Weights, path: Path) -> None:
    """Write weights for people to read."""
    about = "Weights of the kinds of changes, written by training/fit_modification.py."
    rows = [f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in weights.values.items()]
    document = {"about": about, "kinds": list(KINDS), "least": weights.least}
    document["least_by_words"] = weights.least_by_words
    head = json.dumps(document, indent=1).removesuffix("\n}")
    start = f' "start": {json.dumps(list(weights.start))},\n "weights": {{\n'
    path.write_text(f"{head},\n{start}" + ",\n".join(rows) + "\n }\n}\n", encoding="utf-8")


def main() -> int:
    """Cross-validate, fit on everything, write."""
    parser = argparse.ArgumentParser(description="fit the weights of the kinds of changes")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--write", action="store_true", help="replace the shipped weights")
    args = parser.parse_args()
    samples = [sample_of(one) for one in labelled_in(args.clones)]
    for view, chances in cross_validate(samples, list(SHARES)).items():
        pairs = zip(samples, chances, strict=True)
        right = sum(one.kind == int(np.argmax(row)) for one, row in pairs)
        print(f"{view}: {right / len(samples):.3f} of {len(samples)} right, cross-validated")
    if args.write:
        write(fit(samples), Path(modification.__file__).with_name("modification.json"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
