"""From signals to hits: the order of cards, and how probable it is that one of them is meant.

In: `Signals`. Out: `Ranked`. The weights and the calibration are in data/routing.json, with where
they come from; training/fit_routing.py fits them. A set for each model, and one for words alone.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from ..embedding.protocol import Embedder
from ..embedding.static import StaticEmbedder
from .signals import NAMES, Floats, Signals

FITTED = Path(__file__).parent / "data" / "routing.json"

Mode = Literal["ranked", "rrf"]

Kind = Literal["sentence", "static", "sparse"]

# What the probability of an answer is estimated from: most of it of the best card, then the weight
# of the question's words, how near it is to questions that no skill is about, and whether it is
# about a known field at all, where the card is of one.
EVIDENCE = (
    "score", "margin", "dense", "dense_few", "dense_many", "dense_whole", "dense_body", "coverage",
    "lexical", "rarity", "elsewhere", "dense_soft", "ahead", "rarest",
    "field", "has_field",
)  # fmt: skip
_MOST_RARITY = 60.0


class Besides(Protocol):
    """What else speaks for or against an answer, as `Reader` has it."""

    def elsewhere(self, signals: Signals, best: int) -> float:
        """Return how near the question is to one that no skill is about."""

    def known(self, signals: Signals, best: int) -> float | None:
        """Return how much the question is about a known field."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """`weights` of the signals, in the order of NAMES; `evidence` of EVIDENCE and a constant.

    `sharpness` turns differences of scores into shares. Below `threshold` nothing is answered.
    """

    weights: Floats
    evidence: Floats
    sharpness: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """`order` places cards of the signals, best first; `scores` their probabilities.

    `confidence` is the probability that any of them is meant, `threshold` what it has to reach.
    """

    order: tuple[int, ...]
    scores: Floats
    confidence: float
    threshold: float


def kind_of(embedder: Embedder | None) -> Kind:
    """Return which weights belong to a model; None is none. An unknown one is a sentence model."""
    if embedder is None:
        return "sparse"
    return "static" if isinstance(embedder, StaticEmbedder) else "sentence"


@cache
def fitted(kind: Kind) -> Fitted:
    """Return what was fitted: read once a process."""
    found: dict[str, Any] = json.loads(FITTED.read_bytes())[kind]
    weights = np.array([found["weights"].get(name, 0.0) for name in NAMES])
    evidence = np.array([found["evidence"].get(name, 0.0) for name in (*EVIDENCE, "constant")])
    return Fitted(weights, evidence, found["sharpness"], found["threshold"])


def scores_of(signals: Signals, known: Fitted) -> Floats:
    """Return the score of each card, rounded: the last bits of a sum must not order equal cards."""
    return np.round(signals.values @ known.weights, 9)


def evidence_of(signals: Signals, scores: Floats, best: int, reader: Besides) -> Floats:
    """Return EVIDENCE and 1, for the card at the place `best`."""
    field = reader.known(signals, best)
    values = dict(zip(NAMES, signals.values[best].tolist(), strict=True))
    others = np.delete(scores, best)
    second = float(others.max()) if len(others) else 0.0
    mean = float(others.mean()) if len(others) else 0.0
    values |= {
        "ahead": float(scores[best]) - mean,
        "score": float(scores[best]),
        "margin": min(float(scores[best]) - second, 1.0),
        "rarity": min(signals.rarity, _MOST_RARITY) / _MOST_RARITY,
        "elsewhere": reader.elsewhere(signals, best),
        "field": field or 0.0,
        "has_field": float(field is not None),
    }
    return np.array([*(values[name] for name in EVIDENCE), 1.0])


def rank(signals: Signals, kind: Kind, mode: Mode, reader: Besides) -> Ranked:
    """Put the cards in order and estimate how probable each is; equal ones as they are numbered.

    `reader` is the one that gave the signals.
    """
    known = fitted(kind)
    if not len(signals.cards):
        return Ranked((), np.zeros(0), 0.0, known.threshold)
    scores = scores_of(signals, known)
    best = int(np.argmax(scores))
    evidence = evidence_of(signals, scores, best, reader)
    confidence = _logistic(float(evidence @ known.evidence))
    shares = np.exp((scores - scores.max()) * known.sharpness)
    shares *= confidence / shares.sum()
    by = signals.values[:, NAMES.index("fusion")] if mode == "rrf" else scores
    by = np.round(by, 9)
    heard = (signals.sparse > 0) | (signals.dense > 0)
    order = [n for n in np.argsort(-by, kind="stable").tolist() if heard[n]]
    return Ranked(tuple(order), shares, confidence, known.threshold)


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-min(max(value, -30.0), 30.0)))
