"""Put candidates in order and fill the page.

In: features. Out: (candidate, score) best first. Weights stand in ranker.json, so that a person
can read what counts.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..index.sets import distinct
from .corpus import Floats
from .features import NAMES

# Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion" (2009).
_RRF_K = 60


@dataclass(frozen=True, slots=True)
class Weights:
    """`values` float64[features] in the order of features.NAMES."""

    values: NDArray[np.float64]
    second_hit_penalty: float


@cache
def weights() -> Weights:
    """Read the shipped weights."""
    document = json.loads(Path(__file__).with_name("ranker.json").read_bytes())
    values = np.array([document["weights"][name] for name in NAMES])
    return Weights(values, document["second_hit_penalty"])


def linear(features: NDArray[np.float64]) -> Floats:
    """Return the weighted sum of each row.

    Summed feature by feature: a matrix product may round differently from run to run.
    """
    total = np.zeros(len(features))
    for column, weight in zip(features.T, weights().values, strict=True):
        total += weight * column
    return total


def reciprocal_ranks(rankings: Sequence[Floats]) -> Floats:
    """Fuse several scores of the same candidates by their ranks; 0 is no rank at all."""
    total = np.zeros(len(rankings[0]))
    for scores in rankings:
        # Equal scores share the best rank, so that their order in memory does not matter.
        levels = distinct(scores[scores > 0])
        above = len(levels) - np.searchsorted(levels, scores)
        total += np.where(scores > 0, 1.0 / (_RRF_K + above), 0.0)
    return total


def fill_page(
    scores: Floats, files: Sequence[int], ties: Callable[[int], tuple[str, int]], size: int
) -> list[tuple[int, float]]:
    """Return the best (row, score) with each further hit of one file pushed down.

    `ties` orders rows with equal scores.
    """
    rounded = np.round(scores, 9)
    best_first = np.argsort(-rounded, kind="stable")
    count = 6 * size
    while True:
        # Rows with the score of the last one come along: ties decide among them all.
        edge = rounded[best_first[min(count, len(scores)) - 1]]
        rows = best_first[: int(np.count_nonzero(rounded >= edge))].tolist()
        page = _lower(rounded, rows, files, ties)[:size]
        # What was left out scores less than the edge, and is never raised.
        if len(rows) == len(scores) or (len(page) == size and page[-1][1] >= edge):
            return page
        count *= 4


def _lower(
    scores: Floats,
    rows: Sequence[int],
    files: Sequence[int],
    ties: Callable[[int], tuple[str, int]],
) -> list[tuple[int, float]]:
    """Return rows, which come best first, with their scores after the lowering, best first."""
    values = scores[rows]
    if (values[1:] < values[:-1]).all():
        # Nothing to decide, unless the second hit of a file meets another there.
        lowered = sorted(_lowered(values.tolist(), rows, files))
        if len({value for value, _ in lowered}) == len(lowered):
            return [(row, -negative) for negative, row in lowered]
    named = {row: ties(row) for row in rows}
    known = dict(zip(rows, values.tolist(), strict=True))
    order = sorted(rows, key=lambda row: (-known[row], named[row]))
    lowered = _lowered([known[row] for row in order], order, files)
    lowered.sort(key=lambda one: (one[0], named[one[1]], one[1]))
    return [(row, -negative) for negative, row in lowered]


def _lowered(
    values: Sequence[float], rows: Sequence[int], files: Sequence[int]
) -> list[tuple[float, int]]:
    """Return (negative score, row) of rows in this order, each further one of a file lowered."""
    penalty = weights().second_hit_penalty
    seen: dict[int, int] = {}
    found = []
    for value, row in zip(values, rows, strict=True):
        before = seen.get(files[row], 0)
        seen[files[row]] = before + 1
        found.append((round(penalty * before - value, 9), row))
    return found
