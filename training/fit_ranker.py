"""Fit the weights of the ranker, and say how good they are on repositories they were not fitted on.

In: annotated questions and checkouts (benchmarks/retrieval.py). Out: retrieval/ranker.json.

    python -m training.fit_ranker --annotations FILE --checkouts DIR --own-checkouts DIR [--write]

A linear score for each chunk; a file scores as its best chunks do (log-sum-exp), and the files of
a question compete in a softmax, as in ListNet (Cao and others, "Learning to Rank: From Pairwise
Approach to Listwise Approach", 2007). Features are scaled by their spread. Weights are fitted to
this project's own questions (questions.json) with a pull to zero, then to FILE with a pull to what
the first fit found: few questions of one style do not make up all the weights. Folds hold whole
repositories.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.annotations import Result, found_at
from benchmarks.metrics import interval, mean, ndcg
from benchmarks.results import Recorder
from benchmarks.retrieval import Opened, open_projects
from git_skillmesh.retrieval import ranker
from git_skillmesh.retrieval.features import NAMES
from git_skillmesh.retrieval.ranker import fill_page
from git_skillmesh.retrieval.search import Options

Matrix = NDArray[np.float64]
FOLDS = 9
_SOFTNESS = 0.5
_PULL_TO_ZERO = 1e-2
_PULL_TO_OWN = 3e-2
_PENALTY = 4.0
# The questions ask for code alone; fitted freely, documentation would never be found.
_FIXED = {"documentation": -1.0, "configuration": -1.0}
# More of what matches a name never counts against a chunk, whatever few questions say.
_NEVER_AGAINST = (
    "defines_query",
    "name_exact",
    "name_joined",
    "defined_exact",
    "defined_joined",
)
_ROUNDS = 150
_OWN = Path(__file__).with_name("questions.json")


@dataclass(frozen=True)
class Asked:
    """One question: `features` [c, f] sorted by file, `starts` where each file begins.

    `places` are the candidates' lines, `right` bool[files] says which files answer; `ranks_of`
    finds the ranks of the targets in a page.
    """

    project: str
    category: str
    features: Matrix
    owners: list[int]
    ties: list[tuple[str, int]]
    starts: NDArray[np.int64]
    places: list[Result]
    right: NDArray[np.bool_]
    targets: int
    ranks_of: Callable[[Sequence[Result]], list[int]]


def ask_all(opened: Opened) -> list[Asked]:
    """Return the candidates of every question of a project."""
    return [_ask(opened, number) for number in range(len(opened.project.questions))]


def _ask(opened: Opened, number: int) -> Asked:
    question = opened.project.questions[number]
    vector = opened.source.embed_query(question.text)
    found = opened.searcher.candidates(question.text, Options(), vector)
    owners, chunks = opened.searcher.places(found)
    root = f"{opened.project.root}/" if opened.project.root else ""
    order = np.argsort(np.array(owners), kind="stable")
    files = [owners[n] for n in order]
    places = [
        Result(root + found.files[owners[n]].path, chunks[n].start_line, chunks[n].end_line)
        for n in order
    ]
    starts = np.flatnonzero(np.append(True, np.diff(files) != 0))
    ranks_of = partial(found_at, targets=question.targets)
    hit = np.array([bool(ranks_of([place])) for place in places])
    return Asked(
        project=opened.project.name,
        category=question.category,
        features=found.features[order],
        owners=files,
        ties=[(place.path, place.start_line) for place in places],
        starts=starts,
        places=places,
        right=np.logical_or.reduceat(hit, starts),
        targets=len(question.targets),
        ranks_of=ranks_of,
    )


def fit(asked: Sequence[Asked], towards: Matrix | None = None) -> Matrix:
    """Return the weights float64[f] that fit these questions and stay near `towards`, or zero."""
    from scipy.optimize import minimize  # takes longer to import than many a caller needs

    spread = _spread(asked)
    scaled = [one.features / spread for one in asked]
    centre = np.zeros(len(spread)) if towards is None else towards * spread
    strength = _PULL_TO_ZERO if towards is None else _PULL_TO_OWN

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        total, gradient = 0.0, np.zeros_like(weights)
        for one, features in zip(asked, scaled, strict=True):
            value, part = _loss_of_one(one, features, weights)
            total += value
            gradient += part
        away = weights - centre
        slope = gradient / len(asked) + 2 * strength * away
        slope[fixed] = 0.0
        return total / len(asked) + strength * float(away @ away), slope

    fixed = [NAMES.index(name) for name in _FIXED]
    begin = centre.copy()
    begin[fixed] = centre[fixed] = np.array(list(_FIXED.values())) * spread[fixed]
    least = [0.0 if name in _NEVER_AGAINST else None for name in NAMES]
    best = minimize(
        loss,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=[(bound, None) for bound in least],
        options={"maxiter": _ROUNDS},
    )
    fitted: Matrix = best.x / spread
    return fitted


def _spread(asked: Sequence[Asked]) -> Matrix:
    """Return the standard deviation of each feature over all candidates, 1 where it is constant."""
    count = sum(len(one.features) for one in asked)
    mean_of = np.sum([one.features.sum(axis=0) for one in asked], axis=0) / count
    squares = np.sum([((one.features - mean_of) ** 2).sum(axis=0) for one in asked], axis=0)
    spread: Matrix = np.sqrt(squares / count)
    spread[spread < 1e-6] = 1.0
    return spread


def _loss_of_one(one: Asked, features: Matrix, weights: Matrix) -> tuple[float, Matrix]:
    """Return cross entropy and gradient: right files share the whole probability equally."""
    if not one.right.any():
        return 0.0, np.zeros_like(weights)
    sizes = np.diff(np.append(one.starts, len(features)))
    scores = features @ weights / _SOFTNESS
    highest = np.maximum.reduceat(scores, one.starts)
    parts = np.exp(scores - np.repeat(highest, sizes))
    sums = np.add.reduceat(parts, one.starts)
    files = _SOFTNESS * (highest + np.log(sums))
    chances = np.exp(files - files.max())
    chances /= chances.sum()
    wanted = one.right / one.right.sum()
    value = -float(wanted[one.right] @ np.log(chances[one.right]))
    share = parts / np.repeat(sums, sizes) * np.repeat(chances - wanted, sizes)
    return value, features.T @ share


def quality(one: Asked, weights: Matrix) -> float:
    """Return NDCG@10 of the page that these weights fill."""
    page = fill_page(one.features @ weights, one.owners, one.ties.__getitem__, 10)
    return ndcg(one.ranks_of([one.places[row] for row, _ in page]), one.targets, 10)


def cross_validate(
    asked: Sequence[Asked], fit_without: Callable[[set[str]], Matrix], seed: int = 0
) -> list[float]:
    """Return NDCG@10 of each question, by weights that are fitted without its repository.

    `fit_without` takes the names of the repositories of a fold.
    """
    projects = sorted({one.project for one in asked})
    np.random.default_rng(seed).shuffle(projects)
    found = dict.fromkeys(range(len(asked)), 0.0)
    for fold in range(FOLDS):
        held = set(projects[fold::FOLDS])
        weights = fit_without(held)
        for number, one in enumerate(asked):
            if one.project in held:
                found[number] = quality(one, weights)
    return list(found.values())


def without(asked: Sequence[Asked], projects: set[str]) -> list[Asked]:
    """Return the questions about other repositories."""
    return [one for one in asked if one.project not in projects]


def report(asked: Sequence[Asked], values: Sequence[float]) -> dict[str, object]:
    """Print and return means by category, and the interval of all."""
    groups: dict[str, list[float]] = {}
    by_project: dict[str, list[float]] = {}
    for one, value in zip(asked, values, strict=True):
        groups.setdefault(one.category, []).append(value)
        by_project.setdefault(one.project, []).append(value)
    found = {"all": mean(list(values)), **{n: mean(v) for n, v in sorted(groups.items())}}
    low, high = interval(by_project)
    shown = "  ".join(f"{name} {value:.4f}" for name, value in found.items())
    print(f"{shown}  95 % of all: {low:.4f} to {high:.4f}")
    return {
        **{name: round(value, 4) for name, value in found.items()},
        "interval": [round(low, 4), round(high, 4)],
    }


def write(weights: Matrix, path: Path, about: str) -> None:
    """Write weights for people to read."""
    rounded = {name: round(float(w), 3) for name, w in zip(NAMES, weights, strict=True)}
    document = {"about": about, "second_hit_penalty": _PENALTY, "weights": rounded}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _asked(annotations: Path, checkouts: Path) -> list[Asked]:
    opened = open_projects(annotations, checkouts, None)
    return [one for project in opened for one in ask_all(project)]


def main() -> int:
    """Cross-validate, fit on everything, write."""
    parser = argparse.ArgumentParser(description="fit the weights of the ranker")
    parser.add_argument("--annotations", type=Path, required=True, metavar="FILE")
    parser.add_argument("--checkouts", type=Path, required=True, metavar="DIR")
    parser.add_argument("--own-checkouts", type=Path, required=True, metavar="DIR",
                        help="clones of the repositories of questions.json")  # fmt: skip
    parser.add_argument("--write", action="store_true", help="replace the shipped weights")
    args = parser.parse_args()
    recorder = Recorder("ranker", None)
    asked = _asked(args.annotations, args.checkouts)
    own = _asked(_OWN, args.own_checkouts)
    general = fit(own)
    print(f"{len(asked)} questions; NDCG@10, cross-validated by repository:")
    checked = report(asked, cross_validate(asked, lambda held: fit(without(asked, held), general)))
    print("by weights of our own questions alone, none of these repositories among them:")
    alone = report(asked, [quality(one, general) for one in asked])
    print(f"{len(own)} questions of our own, cross-validated:")
    checked_own = report(own, cross_validate(own, lambda held: fit(asked, fit(without(own, held)))))
    weights = fit(asked, general)
    print("fitted on all of them, which says little:")
    fitted = report(asked, [quality(one, weights) for one in asked])
    if args.write:
        about = "Weights of the linear ranker (features.py), written by training/fit_ranker.py."
        write(weights, Path(ranker.__file__).with_name("ranker.json"), about)
        recorder.write(
            questions=len(asked),
            cross_validated=checked,
            own_questions=len(own),
            own_cross_validated=checked_own,
            by_own_alone=alone,
            fitted=fitted,
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
