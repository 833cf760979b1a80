"""Measures of a ranking, and how sure they are.

In: the ranks at which targets were found. Out: numbers between 0 and 1. Gains are binary.

Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002).
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

NAMES = ("ndcg@10", "ndcg@5", "mrr", "recall@10")
Scores = dict[str, float]


def scores(ranks: Sequence[int], targets: int) -> Scores:
    """Return every measure for one question with so many targets."""
    return {
        "ndcg@10": ndcg(ranks, targets, 10),
        "ndcg@5": ndcg(ranks, targets, 5),
        "mrr": max((1 / rank for rank in ranks if rank <= 10), default=0.0),
        "recall@10": sum(rank <= 10 for rank in ranks) / targets,
    }


def ndcg(ranks: Sequence[int], targets: int, depth: int) -> float:
    """Return the normalised discounted cumulative gain."""
    gained = sum(1 / math.log2(rank + 1) for rank in ranks if rank <= depth)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(depth, targets) + 1))
    return gained / best


def mean(values: Sequence[float]) -> float:
    """Return the mean, 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def interval(
    groups: Mapping[str, Sequence[float]], rounds: int = 2_000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean over all values.

    Whole groups are drawn: questions about one repository stand or fall together, and single
    questions would make the interval too narrow (cluster bootstrap; Field and Welsh, 2007).
    """
    sums = np.array([sum(values) for values in groups.values()])
    counts = np.array([len(values) for values in groups.values()])
    drawn = np.random.default_rng(seed).integers(0, len(sums), (rounds, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
