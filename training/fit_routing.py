"""Fit registry/data/routing.json: how skills are ranked, and when a question is answered at all.

    python -m training.fit_routing [--write] [--cache FILE]

In: the registry, the paraphrases of the half `tune` of benchmarks/skills, off_topic.txt. Out:
weights for the sentence model, the static model and words alone, and registry/data/known.vec. Three
kinds of questions are ranked: those of the half `tune`, those of the cards' authors, and the cards'
own examples, each asked of a registry without it (five folds). What people say in other words
(everyday.txt) was written by somebody who had read the half `tune`, so phrases and examples that
are close to one of its questions are left out of the index while it is asked.

Whether a question is about any known field (registry/known.py) is fitted to all texts of the cards
and to off-topic questions. What a question says of itself there comes from a fit without its fold
of examples, without what is close to the half `tune`, without its whole topic.

Whether a question is answered is fitted to more registries than ours: to parts of it, of 3, 10 and
30 cards with the right card and without it, and to cards that have nothing but a description, as
most public skills are.
"""

import argparse
import json
import pickle
from collections.abc import Iterator, Sequence
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
from git_skillmesh.registry.known import told, write_known
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.ranking import EVIDENCE, FITTED, Kind, evidence_of
from git_skillmesh.registry.routing import Field, routed
from git_skillmesh.registry.signals import NAMES, Reader, Signals
from git_skillmesh.registry.vectors import LocalVectors

ROOT = Path(__file__).parents[1]
QUESTIONS = ROOT / "benchmarks" / "skills"
OFF_TOPIC = Path(__file__).parent / "off_topic.txt"
FOLDS = 5
THINNED = 15  # of so many examples the first five are asked
# What is as close as this to a question of the half `tune` is left out when that is asked.
CLOSE = 0.62
LONG = 12  # words
RIDGE, STEPS = 0.03, 150
SIZES = (3, 10, 30)
# The share of off-topic questions that may be answered, if so many of them are everyday ones.
ANSWERED = 0.02
FAR = 0.75
# The same share where probabilities are fitted: the near ones are those to learn from.
FAR_LEARNT = 0.6

Entries = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
Floats = NDArray[np.float64]


class Remembering:
    """An embedder that embeds each text once."""

    def __init__(self, model: Embedder, cache: Path | None) -> None:
        self._model, self._cache = model, cache
        self.model_id, self.dimension = model.model_id, model.dimension
        self._rows = getattr(model, "depths", model.embed_documents)
        self._known: dict[str, NDArray[np.float32]] = {}
        if cache and cache.exists():
            self._known = pickle.loads(cache.read_bytes())  # noqa: S301 - written by this script

    def rows(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return what the layers make of texts, of the sentence model; else their vectors."""
        missing = sorted({text for text in texts if text not in self._known})
        if missing:
            self._known.update(zip(missing, self._rows(missing), strict=True))
            if self._cache and len(missing) > 20:
                self._cache.write_bytes(pickle.dumps(self._known))
        return np.array([self._known[text] for text in texts], np.float32)

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = self.rows(texts) if texts else np.zeros((0, self.dimension), np.float32)
        return rows[:, -self.dimension :]

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


def asked_of(
    reader: Reader, model: Embedder | None, text: str, right: int | None, about: Floats
) -> Case:
    """Return a question's signals; `about` are weights of known.py that were fitted without it."""
    vector = None if model is None else model.embed_query(text)
    field = None
    if isinstance(model, Remembering) and len(about) == len(model.rows([text])[0]) + 1:
        field = told(model.rows([text])[0], about)
    return Case(text, right, reader.signals(text, vector, field), reader)


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


def without_close(
    cards: Sequence[Card], questions: Sequence[str], sentences: Embedder
) -> tuple[list[Card], Entries]:
    """Return cards and the entries of everyday.txt without what is close to a question."""
    asked = sentences.embed_documents(questions)

    def kept(texts: Sequence[str]) -> tuple[str, ...]:
        near = (sentences.embed_documents(texts) @ asked.T).max(axis=1, initial=0)
        return tuple(text for text, cosine in zip(texts, near, strict=True) if cosine < CLOSE)

    less = [replace(card, examples=kept(card.examples)) for card in cards]
    return less, tuple((names, kept(phrases)) for names, phrases in everyday.entries())


def texts_of(cards: Sequence[Card]) -> list[str]:
    """Return what is known of cards, but for their instructions."""
    found = [routed(card) for card in cards]
    return list(
        dict.fromkeys(
            text
            for one in found
            for text, kind in zip(one.texts, one.kinds, strict=True)
            if kind != Field.BODY
        )
    )


def fit_known(model: Remembering, known: Sequence[str], off: Sequence[str]) -> Floats:
    """Fit which texts are about a known field: logistic, by accelerated gradients."""
    others = elsewhere.questions()
    long = np.array([1.0 + 2.0 * (len(text.split()) >= LONG) for text in off])
    # Off-topic questions tend to be short, and length is no topic: the long ones count more.
    weight = np.r_[
        np.full(len(known), 0.5 / len(known)),
        np.full(len(others), 0.125 / len(others)),
        0.375 * long / long.sum(),
    ]
    rows = model.rows([*known, *others, *off])
    truth = np.r_[np.ones(len(known)), np.zeros(len(others) + len(off))]
    mean, width = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    scaled = np.c_[(rows - mean) / width, np.ones(len(rows), np.float32)].astype(np.float32)
    probe = np.ones(scaled.shape[1], np.float32)
    for _ in range(20):  # the largest curvature, by which a step must not be too long
        probe = scaled.T @ (weight * (scaled @ probe))
        largest = float(np.sqrt(probe @ probe))
        probe = (probe / largest).astype(np.float32)
    penalty = np.r_[np.full(scaled.shape[1] - 1, RIDGE), 0.0]
    found = ahead = np.zeros(scaled.shape[1])
    for step in range(STEPS):
        guess = 1 / (1 + np.exp(-(scaled @ ahead.astype(np.float32)).astype(np.float64)))
        slope = scaled.T @ (weight * (guess - truth)).astype(np.float32) + penalty * ahead
        fresh = ahead - slope / (largest / 4 + RIDGE)
        ahead = fresh + step / (step + 3) * (fresh - found)
        found = fresh
    raw = found[:-1] / width
    result: Floats = np.r_[raw, found[-1] - float((raw * mean).sum())]
    return result


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
    return evidence_of(signals, scores, best, case.reader)


def logistic(rows: Floats, truth: Floats, weight: Floats, ridge: float = 0.005) -> Floats:
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


@dataclass(frozen=True)
class OffTopic:
    text: str
    topic: int
    far: bool


def off_topic() -> list[OffTopic]:
    found, topic, far = [], -1, False
    for line in OFF_TOPIC.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            topic, far = topic + 1, line.startswith("## far")
        elif line and not line.startswith("#"):
            found.append(OffTopic(line, topic, far))
    return found


@dataclass
class Sample:
    rows: list[Floats]
    truth: list[float]
    weight: list[float]
    group: list[int]

    def add(self, row: Floats, truth: bool, weight: float, group: int) -> None:
        self.rows.append(row)
        self.truth.append(float(truth))
        self.weight.append(weight)
        self.group.append(group)


@dataclass
class Asked:
    """All that is asked, and `known`: weights of known.py fitted without each fold."""

    cards: Sequence[Card]
    clean: Sequence[Card]  # without what is close to the half `tune`
    entries: Entries  # the same
    tune: Sequence[tuple[str, int]]
    by_authors: Sequence[tuple[str, int]]
    off: Sequence[OffTopic]
    known: Sequence[Floats]  # without each fold of examples and of topics
    known_clean: Floats

    def without(self, fold: int) -> list[Card]:
        return [
            replace(
                card, examples=tuple(e for n, e in enumerate(card.examples) if n % FOLDS != fold)
            )
            for card in self.cards
        ]


def fold_of(topic: int) -> int:
    return topic * 7 % FOLDS


def fit_all_known(sentences: Remembering, asked: Asked) -> tuple[list[Floats], Floats, Floats]:
    """Return weights of known.py without each fold, without what is close to `tune`, and of all."""
    folds = [
        fit_known(
            sentences, texts_of(asked.without(fold)),
            [one.text for one in asked.off if fold_of(one.topic) != fold],
        )
        for fold in range(FOLDS)
    ]  # fmt: skip
    every = [one.text for one in asked.off]
    with mock.patch.object(everyday, "entries", return_value=asked.entries):
        clean = fit_known(sentences, texts_of(asked.clean), every)
    return folds, clean, fit_known(sentences, texts_of(asked.cards), every)


def fit(model: Embedder | None, asked: Asked) -> dict[str, Any]:
    cards, count = asked.cards, len(asked.cards)
    folds: list[Case] = []
    for fold in range(FOLDS):
        reader = reader_of(asked.without(fold), model)
        folds += [
            asked_of(reader, model, example, number, asked.known[fold])
            for number, card in enumerate(cards)
            for place, example in enumerate(card.examples)
            if place % FOLDS == fold and place % THINNED < FOLDS
        ]

    def ask(reader: Reader, questions: Sequence[tuple[str, int]]) -> list[Case]:
        return [asked_of(reader, model, text, n, asked.known_clean) for text, n in questions]

    def ask_strange(reader: Reader) -> list[Case]:
        return [
            asked_of(reader, model, one.text, None, asked.known[fold_of(one.topic)])
            for one in asked.off
        ]

    whole = reader_of(cards, model)
    jargon, strange = ask(whole, asked.by_authors), ask_strange(whole)
    with mock.patch.object(everyday, "entries", return_value=asked.entries):
        plain = ask(reader_of(asked.clean, model), asked.tune)
        bare = reader_of([replace(c, examples=(), tags=(), tool_hints=(), aliases=())
                          for c in cards], model)  # fmt: skip
        poor, strange_poor = ask(bare, asked.tune), ask_strange(bare)
    # Cards of fields that nobody here has heard of.
    with mock.patch.object(everyday, "entries", return_value=()):
        foreign = reader_of(asked.clean, model)
        other, strange_other = ask(foreign, asked.tune), ask_strange(foreign)

    weights = fit_weights([*folds, *plain, *jargon], count)
    sharpness = fit_sharpness([*folds, *plain, *jargon], weights, count)
    chance = np.random.RandomState(6)
    sample = Sample([], [], [], [])
    for group, case in enumerate(plain):
        sample.add(evidence(case, weights), True, 1.0, group)
        for among, has in parts_of(case, cards, chance):
            sample.add(evidence(case, weights, among), has, 0.4 if has else 0.03, group)
    for cases, share in ((poor, 0.4), (other, 0.4)):
        for group, case in enumerate(cases):
            if int(np.argmax(spread(case, count) @ weights)) == case.right:
                sample.add(evidence(case, weights), True, share, group)
            for among, has in parts_of(case, cards, chance):
                if not has:
                    sample.add(evidence(case, weights, among), False, 0.015, group)
    for group, case in enumerate([*folds, *jargon]):
        share_of = 0.3 if group < len(folds) else 3.0
        sample.add(evidence(case, weights), True, share_of, 1_000 + group)
    first = len(sample.rows)
    far = np.array([one.far for one in asked.off])
    learnt = np.where(far, FAR_LEARNT / far.sum(), (1 - FAR_LEARNT) / (~far).sum())
    for cases, total in ((strange, 400.0), (strange_poor, 80.0), (strange_other, 80.0)):
        for case, one, part in zip(cases, asked.off, learnt, strict=True):
            sample.add(evidence(case, weights), False, total * part, 50_000 + one.topic)

    rows, truth, weight = np.array(sample.rows), np.array(sample.truth), np.array(sample.weight)
    groups = np.array(sample.group)
    found = logistic(rows, truth, weight)
    guesses = np.zeros(len(rows))
    for repeat in range(5):
        folded = np.random.RandomState(repeat).randint(0, FOLDS, int(groups.max()) + 1)[groups]
        for fold in range(FOLDS):
            kept = folded != fold
            part_of = logistic(rows[kept], truth[kept], weight[kept])
            guesses[~kept] += rows[~kept] @ part_of / 5
    share = np.where(far, FAR / far.sum(), (1 - FAR) / (~far).sum())
    strangers = guesses[first : first + len(strange)]
    order = np.argsort(-strangers)
    limit = float(strangers[order][int(np.searchsorted(np.cumsum(share[order]), ANSWERED))])
    # What the authors of the cards ask has to be answered.
    certain = [float(evidence(case, weights) @ found) for case in jargon]
    threshold = round(1 / (1 + np.exp(-min(limit, *certain))) - 0.0005, 3)
    for name, cases in (("examples, folds", folds), ("tune", plain), ("tune, bare cards", poor),
                        ("tune, strange cards", other), ("asked by authors", jargon)):  # fmt: skip
        scores = [(np.round(spread(case, count) @ weights, 9), case.right) for case in cases]
        ranks = np.array([int((values > values[right]).sum()) for values, right in scores])
        print(f"  {name:19} top-1 {np.mean(ranks == 0):.3f}  top-3 {np.mean(ranks < 3):.3f}")
    answers = guesses[: 3 * len(plain) : 3]
    for answered in (0.005, 0.01, ANSWERED, 0.02, 0.03, 0.05):
        line = strangers[order][int(np.searchsorted(np.cumsum(share[order]), answered))]
        print(
            f"  off-topic {answered:.1%} (far {np.mean(strangers[far] > line):.1%}, "
            f"near {np.mean(strangers[~far] > line):.1%}): "
            f"of tune {np.mean(answers > line):.1%} answered"
        )
    return {
        "weights": {n: float(w) for n, w in zip(NAMES, weights, strict=True) if w},
        "evidence": dict(zip((*EVIDENCE, "constant"), np.round(found, 3).tolist(), strict=True)),
        "sharpness": sharpness,
        "threshold": threshold,
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--registry", type=Path, default=ROOT / "registry")
    parser.add_argument("--cache", type=Path, help="keep what the sentence model says here")
    parser.add_argument("--write", action="store_true", help="replace what is shipped")
    parser.add_argument("--only", help="leave the weights of the other models as they are")
    args = parser.parse_args(argv)
    cards = sorted(load_registry(args.registry).cards, key=lambda card: card.id)
    number = {card.id: place for place, card in enumerate(cards)}
    asked = yaml.safe_load((QUESTIONS / "paraphrases.yaml").read_text())
    tune = [(q["text"], number[q["expert"]]) for q in asked
            if q["half"] == "tune" and q["expert"] in number]  # fmt: skip
    by_authors = [
        (text, number[card])
        for path in sorted((QUESTIONS / "asked").glob("*.yaml"))
        for card, texts in yaml.safe_load(path.read_text()).items()
        if card in number
        for text in texts
    ]
    sentences = Remembering(SentenceEmbedder.load(), args.cache)
    clean, entries = without_close(cards, [text for text, _ in tune], sentences)
    questions = Asked(cards, clean, entries, tune, by_authors, off_topic(), (), np.zeros(0))
    folds, known_clean, known = fit_all_known(sentences, questions)
    questions = replace(questions, known=folds, known_clean=known_clean)
    models: dict[Kind, Embedder | None] = {
        "sentence": sentences, "static": Remembering(StaticEmbedder.load(), None), "sparse": None,
    }  # fmt: skip
    found: dict[str, Any] = {
        "provenance": {
            "by": "training/fit_routing.py", "cards": len(cards), "tune": len(tune),
            "off_topic": len(questions.off), "asked": len(by_authors),
            "examples": sum(len(card.examples) for card in cards),
            "recipe": everyday.everyday_digest(),
        }
    }  # fmt: skip
    before = json.loads(FITTED.read_bytes())
    for kind, model in models.items():
        if args.only not in {None, kind}:
            found[kind] = before[kind]
            continue
        print(kind, flush=True)
        found[kind] = fit(model, questions)
    if args.write:
        FITTED.write_text(json.dumps(found, indent=1) + "\n")
        write_known(known, sentences.model_id)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
