"""Means with their uncertainty: a bootstrap over groups of lines that belong together.

In: sums and counts of lines, the group of each. Out: `Interval`. Lines of one conversation are
alike, so whole groups are drawn, with replacement; a mean is the sum over the drawn lines by their
count (a ratio estimate; Cochran, Sampling Techniques, chapter 6; percentile intervals: Efron and
Tibshirani, An Introduction to the Bootstrap, chapter 13). Differences are drawn in pairs: both
models on the same lines.
"""

from collections.abc import Sequence

import numpy as np

from .model import Interval

RESAMPLES = 1_000
_BLOCK = 4_000_000


def interval(
    sums: Sequence[float], counts: Sequence[int], groups: Sequence[str], seed: int = 0
) -> Interval:
    """Return the mean of sums by counts, and where 95 % of the resampled means lie.

    With a single group nothing can be drawn, and the interval is the mean.
    """
    names = {name: place for place, name in enumerate(dict.fromkeys(groups))}
    total, number = np.zeros(len(names)), np.zeros(len(names))
    places = [names[group] for group in groups]
    np.add.at(total, places, np.asarray(sums, dtype=float))
    np.add.at(number, places, np.asarray(counts, dtype=float))
    if not number.sum():
        raise ValueError("nothing was counted")
    mean = float(total.sum() / number.sum())
    random = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    rows = max(1, _BLOCK // len(names))
    for first in range(0, RESAMPLES, rows):
        drawn = random.integers(0, len(names), (min(rows, RESAMPLES - first), len(names)))
        found.append(total[drawn].sum(axis=1) / np.maximum(number[drawn].sum(axis=1), 1))
    low, high = np.quantile(np.concatenate(found), (0.025, 0.975))
    return Interval(mean, float(low), float(high))
