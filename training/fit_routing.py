"""Fit registry/data/routing.json: how skills are ranked, and when a question is answered at all.

    python -m training.fit_routing [--write] [--cache FILE]

In: the registry, the halves `tune` of benchmarks/skills. Out: weights for the sentence model, the
static model and words alone. Three kinds of questions are ranked: those of the half `tune`, those
of the cards' authors, and the cards' own examples, each asked of a registry without it (five
folds). What people say in other words (everyday.txt) was written by somebody who had read the half
`tune`, so phrases that are close to one of its questions are left out of the index while it is
fitted; so are questions that no skill is about (elsewhere.txt) and that are close to an off-topic
one.

Whether a question is answered is fitted to more registries than ours: to parts of it, of 3, 10 and
30 cards with the right card and without it, and to cards that have nothing but a description, as
most public skills are.
"""

import argparse
import json
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import yaml
from numpy.typing import NDArray

from git_skillmesh.embedding.protocol import Embedder
from git_skillmesh.embedding.sentence import SentenceEmbedder
from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.registry import elsewhere, everyday
from git_skillmesh.registry.background import background
from git_skillmesh.registry.index import empty, update
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.ranking import EVIDENCE, FITTED, Kind, evidence_of
from git_skillmesh.registry.signals import NAMES, Reader, Signals
from git_skillmesh.registry.vectors import LocalVectors

ROOT = Path(__file__).parents[1]
QUESTIONS = ROOT / "benchmarks" / "skills"
FOLDS = 5
THINNED = 15  # of so many examples the first five are asked
# A line of everyday.txt as close as this to a question of the half `tune` is left out.
CLOSE = 0.62
# The same for questions that no skill is about and off-topic ones.
STRANGELY_CLOSE = 0.5
SIZES = (3, 10, 30)
# How many off-topic questions of the half `tune` may be answered, cross-validated.
ANSWERED = 2

Floats = NDArray[np.float64]


class Remembering:
    """An embedder that embeds each text once."""

    def __init__(self, model: Embedder, cache: Path | None) -> None:
        self._model, self._cache = model, cache
        self.model_id, self.dimension = model.model_id, model.dimension
        self._known: dict[str, Floats] = {}
        if cache and cache.exists():
            self._known = pickle.loads(cache.read_bytes())  # noqa: S301 - written by this script

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        missing = sorted({text for text in texts if text not in self._known})
        if missing:
            rows = self._model.embed_documents(missing)
            self._known.update(zip(missing, rows, strict=True))
            if self._cache and len(missing) > 20:
                self._cache.write_bytes(pickle.dumps(self._known))
        found = [self._known[text] for text in texts]
        return np.array(found, np.float32).reshape(len(texts), self.dimension)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        row: NDArray[np.float32] = self.embed_documents([text])[0]
        return row


@dataclass
class Case:
    """A question's signals over all cards, and the right one's number; None for no card."""

    text: str
    right: int | None
    signals: Signals
    reader: Reader


def asked_of(reader: Reader, model: Embedder | None, text: str, right: int | None) -> Case:
    vector = None if model is None else model.embed_query(text)
    return Case(text, right, reader.signals(text, vector), reader)


def reader_of(cards: Sequence[Card], model: Embedder | None) -> Reader:
    used = model or NoModel()
    index = update(empty(used.dimension), cards, used)
    return Reader(index, AllOf(index), used, background())


class AllOf(LocalVectors):
    """Every card is looked at, by words alone too: places are numbers of cards."""


class NoModel:
    model_id, dimension = "none", 0

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.zeros((len(texts), 0), np.float32)


def spread(case: Case, count: int) -> Floats:
    """Return the signals of all cards `[count, NAMES]`, zero for those that were not looked at."""
    values = np.zeros((count, len(NAMES)))
    values[case.signals.cards] = case.signals.values
    return values


@contextmanager
def without_close_phrases(
    questions: Sequence[str], off: Sequence[str], sentences: Embedder
) -> Iterator[None]:
    asked, strange = sentences.embed_documents(questions), sentences.embed_documents(off)
    others = elsewhere.questions()
    near = (sentences.embed_documents(others) @ strange.T).max(axis=1)
    left = tuple(other for other, n in zip(others, near, strict=True) if n < STRANGELY_CLOSE)
    kept = []
    for names, phrases in everyday.entries():
        near = (sentences.embed_documents(phrases) @ asked.T).max(axis=1)
        kept.append((names, tuple(p for p, n in zip(phrases, near, strict=True) if n < CLOSE)))
    with (
        mock.patch.object(everyday, "entries", return_value=tuple(kept)),
        mock.patch.object(elsewhere, "questions", return_value=left),
        mock.patch.object(elsewhere, "VECTORS", Path("none")),
        mock.patch.dict(elsewhere._known, clear=True),
    ):
        yield


def fit_weights(cases: Sequence[Case], count: int, ridge: float = 0.1) -> Floats:
    """Fit a softmax over cards, all weights at least 0 (Adam, projected)."""
    values = np.array([spread(case, count) for case in cases])
    right = np.array([case.right for case in cases])
    rows = np.arange(len(cases))
    weights, mean, square = np.full(len(NAMES), 0.3), np.zeros(len(NAMES)), np.zeros(len(NAMES))
    for step in range(1, 401):
        scores = 8 * (values @ weights)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        slope = 8 * ((scores[:, :, None] * values).sum(axis=1) - values[rows, right]).mean(axis=0)
        slope += ridge * weights
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        change = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-9)
        weights = np.maximum(weights - 0.03 * change, 0)
    return np.round(weights, 3)


def fit_sharpness(cases: Sequence[Case], weights: Floats, count: int) -> float:
    """Return the factor of scores under which the right cards are likeliest."""
    scores = np.array([spread(case, count) @ weights for case in cases])
    right = np.array([case.right for case in cases])
    best = (np.inf, 1.0)
    for sharpness in np.arange(1, 30, 0.5):
        logs = sharpness * (scores - scores.max(axis=1, keepdims=True))
        logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
        best = min(best, (-float(logs[np.arange(len(cases)), right].mean()), float(sharpness)))
    return best[1]


def evidence(case: Case, weights: Floats, among: NDArray[np.intp] | None = None) -> Floats:
    """Return the evidence of a question, of all cards or of a registry of some of them."""
    signals = case.signals
    if among is not None:
        places = np.flatnonzero(np.isin(signals.cards, among))
        signals = replace(
            signals, cards=signals.cards[places], values=signals.values[places],
            sparse=signals.sparse[places], dense=signals.dense[places],
        )  # fmt: skip
    if not len(signals.cards):
        return np.array([*np.zeros(len(EVIDENCE)), 1.0])
    scores = np.round(signals.values @ weights, 9)
    best = int(np.argmax(scores))
    return evidence_of(signals, scores, best, case.reader.elsewhere(signals, best))


def logistic(rows: Floats, truth: Floats, weight: Floats, ridge: float = 0.05) -> Floats:
    """Fit by Newton's method on columns of unit variance; return weights of the raw columns."""
    mean, width = rows[:, :-1].mean(axis=0), rows[:, :-1].std(axis=0) + 1e-9
    scaled = np.c_[(rows[:, :-1] - mean) / width, np.ones(len(rows))]
    found = np.zeros(scaled.shape[1])
    penalty = ridge * np.r_[np.ones(len(found) - 1), 0]
    for _ in range(60):
        guess = 1 / (1 + np.exp(-scaled @ found))
        slope = scaled.T @ (weight * (guess - truth)) / weight.sum() + penalty * found
        curve = (scaled * (weight * guess * (1 - guess))[:, None]).T @ scaled / weight.sum()
        found -= np.linalg.solve(curve + np.diag(penalty + 1e-9), slope)
    raw = found[:-1] / width
    result: Floats = np.r_[raw, found[-1] - float((raw * mean).sum())]
    return result


def parts_of(
    case: Case, cards: Sequence[Card], chance: np.random.RandomState
) -> Iterator[tuple[NDArray[np.intp], bool]]:
    """Yield registries of a few cards with the right one, and without it and its neighbours."""
    if case.right is None:
        return
    right = cards[case.right]
    strange = [
        number
        for number, card in enumerate(cards)
        if card.domain != right.domain
        and card.id not in {*right.composability.related, *right.composability.before,
                            *right.composability.after}
        and right.id not in {*card.composability.related, *card.composability.before,
                             *card.composability.after}
    ]  # fmt: skip
    size = SIZES[chance.randint(len(SIZES))]
    chosen = chance.permutation(strange)[:size]
    yield np.append(chosen[1:], case.right), True
    yield chosen, False


@dataclass
class Sample:
    rows: list[Floats]
    truth: list[float]
    weight: list[float]
    group: list[int]
    off_topic: list[bool]

    def add(self, row: Floats, truth: bool, weight: float, group: int, off: bool = False) -> None:
        self.rows.append(row)
        self.truth.append(float(truth))
        self.weight.append(weight)
        self.group.append(group)
        self.off_topic.append(off)


def fit(
    model: Embedder | None, cards: Sequence[Card], tune: Sequence[tuple[str, int]],
    off: Sequence[str], by_authors: Sequence[tuple[str, int]],
) -> dict[str, Any]:  # fmt: skip
    folds: list[Case] = []
    for fold in range(FOLDS):
        less = [
            replace(
                card, examples=tuple(e for n, e in enumerate(card.examples) if n % FOLDS != fold)
            )
            for card in cards
        ]
        reader = reader_of(less, model)
        folds += [
            asked_of(reader, model, example, number)
            for number, card in enumerate(cards)
            for place, example in enumerate(card.examples)
            if place % FOLDS == fold and place % THINNED < FOLDS
        ]
    reader = reader_of(cards, model)
    plain = [asked_of(reader, model, text, right) for text, right in tune]
    jargon = [asked_of(reader, model, text, right) for text, right in by_authors]
    bare = reader_of([replace(c, examples=(), tags=(), tool_hints=(), aliases=())
                      for c in cards], model)  # fmt: skip
    poor = [asked_of(bare, model, text, right) for text, right in tune]
    strange = [asked_of(reader, model, text, None) for text in off]
    strange_poor = [asked_of(bare, model, text, None) for text in off]

    weights = fit_weights([*folds, *plain, *jargon], len(cards))
    sharpness = fit_sharpness([*folds, *plain, *jargon], weights, len(cards))
    chance = np.random.RandomState(6)
    sample = Sample([], [], [], [], [])
    for group, case in enumerate(plain):
        sample.add(evidence(case, weights), True, 1.0, group)
        for among, has in parts_of(case, cards, chance):
            sample.add(evidence(case, weights, among), has, 0.4 if has else 0.1, group)
    for group, case in enumerate(poor):
        right = int(np.argmax(spread(case, len(cards)) @ weights)) == case.right
        if right:
            sample.add(evidence(case, weights), True, 0.4, group)
        for among, has in parts_of(case, cards, chance):
            if not has:
                sample.add(evidence(case, weights, among), False, 0.05, group)
    for group, case in enumerate([*folds, *jargon]):
        sample.add(evidence(case, weights), True, 0.3, 1_000 + group)
    for group, (case, other) in enumerate(zip(strange, strange_poor, strict=True)):
        sample.add(evidence(case, weights), False, 3.0, 50_000 + group, True)
        sample.add(evidence(other, weights), False, 0.6, 50_000 + group)

    rows, truth, weight = np.array(sample.rows), np.array(sample.truth), np.array(sample.weight)
    groups, is_off = np.array(sample.group), np.array(sample.off_topic)
    found = logistic(rows, truth, weight)
    guesses = np.zeros(len(rows))
    for repeat in range(5):
        fold_of = np.random.RandomState(repeat).randint(0, FOLDS, int(groups.max()) + 1)[groups]
        for fold in range(FOLDS):
            kept = fold_of != fold
            one = logistic(rows[kept], truth[kept], weight[kept])
            guesses[~kept] += rows[~kept] @ one / 5
    limit = float(np.sort(guesses[is_off])[-1 - ANSWERED])
    threshold = round(1 / (1 + np.exp(-limit)) + 0.005, 3)
    report(cards, folds, plain, poor, jargon, weights, guesses, limit, len(plain))
    return {
        "weights": {n: float(w) for n, w in zip(NAMES, weights, strict=True) if w},
        "evidence": dict(zip((*EVIDENCE, "constant"), np.round(found, 3).tolist(), strict=True)),
        "sharpness": sharpness,
        "threshold": threshold,
    }


def report(
    cards: Sequence[Card], folds: Sequence[Case], plain: Sequence[Case], poor: Sequence[Case],
    jargon: Sequence[Case], weights: Floats, guesses: Floats, limit: float, count: int,
) -> None:  # fmt: skip
    for name, cases in (("examples, folds", folds), ("tune", plain), ("tune, bare cards", poor),
                        ("asked by authors", jargon)):  # fmt: skip
        places = [
            int((scores > scores[case.right]).sum())
            for case in cases
            for scores in [np.round(spread(case, len(cards)) @ weights, 9)]
        ]
        ranks = np.array(places)
        print(f"  {name:18} top-1 {np.mean(ranks == 0):.3f}  top-3 {np.mean(ranks < 3):.3f}")
    answered = guesses[: 3 * count : 3] > limit
    print(f"  answered of tune, cross-validated {answered.mean():.3f}, at {ANSWERED} of off-topic")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--registry", type=Path, default=ROOT / "registry")
    parser.add_argument("--cache", type=Path, help="keep what the sentence model says here")
    parser.add_argument("--write", action="store_true", help="replace what is shipped")
    args = parser.parse_args(argv)
    cards = sorted(load_registry(args.registry).cards, key=lambda card: card.id)
    number = {card.id: place for place, card in enumerate(cards)}
    asked = yaml.safe_load((QUESTIONS / "paraphrases.yaml").read_text())
    tune = [(q["text"], number[q["expert"]]) for q in asked
            if q["half"] == "tune" and q["expert"] in number]  # fmt: skip
    off = [q["text"] for q in yaml.safe_load((QUESTIONS / "off-topic.yaml").read_text())
           if q["half"] == "tune"]  # fmt: skip
    by_authors = [
        (text, number[card])
        for path in sorted((QUESTIONS / "asked").glob("*.yaml"))
        for card, texts in yaml.safe_load(path.read_text()).items()
        if card in number
        for text in texts
    ]
    sentences = Remembering(SentenceEmbedder.load(), args.cache)
    models: dict[Kind, Embedder | None] = {
        "sentence": sentences, "static": Remembering(StaticEmbedder.load(), None), "sparse": None,
    }  # fmt: skip
    found: dict[str, Any] = {
        "provenance": {
            "by": "training/fit_routing.py", "cards": len(cards), "tune": len(tune),
            "off_topic": len(off), "asked": len(by_authors),
            "examples": sum(len(card.examples) for card in cards),
            "recipe": everyday.everyday_digest(),
        }
    }  # fmt: skip
    for kind, model in models.items():
        print(kind)
        with without_close_phrases([text for text, _ in tune], off, sentences):
            found[kind] = fit(model, cards, tune, off, by_authors)
    if args.write:
        FITTED.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
