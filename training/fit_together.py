"""Fit the likelihoods by which kinds of hits share a page (retrieval/together.py).

In: annotated questions and checkouts (benchmarks/retrieval.py), a clone with its conversations
(benchmarks/chat_queries.py). Out: the constants, and what mixing costs, cross-validated in three
parts, code by whole repositories.

    python -m training.fit_together --annotations FILE --checkouts DIR --conversations CLONE

Every question is asked of code, conversations and learnings at once; a hit is right where its kind
has the answer. Questions about code are most of what is asked, so they have most of the weight.
"""

import argparse
import math
import random
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.annotations import Result, counts_for
from benchmarks.chat_queries import masked, questions_of
from benchmarks.made_learnings import CASES, TUNED_ON
from benchmarks.metrics import mean
from benchmarks.retrieval import open_projects
from git_skillmesh.config import load
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.exchange_view import open_exchanges
from git_skillmesh.index.exchanges import sync_exchanges
from git_skillmesh.index.learning_view import open_learnings
from git_skillmesh.index.store import Store
from git_skillmesh.index.vectors import builtin_source, sentence_source
from git_skillmesh.index.view import Scope, open_view
from git_skillmesh.learnings.model import FOLDER
from git_skillmesh.learnings.writing import write_learning
from git_skillmesh.retrieval.chats import ChatOptions, ChatSearcher
from git_skillmesh.retrieval.features import NAMES
from git_skillmesh.retrieval.learnings import LearningOptions, LearningSearcher
from git_skillmesh.retrieval.ranker import weights
from git_skillmesh.retrieval.search import Options, Searcher
from git_skillmesh.retrieval.together import MOST_LEARNINGS
from git_skillmesh.sessions.importers.source import read_source
from git_skillmesh.sessions.store import MemoryStore
from testing.repos import make_repo

KINDS = ("learning", "code", "chat")  # in the order of the page where likelihoods are equal
WEIGHTS = {"code": 0.85, "chat": 0.075, "learning": 0.075}
LEAST = {"code": 0.0, "chat": 0.04, "learning": 0.05}
_PER_PROJECT = 9
_FOLDS = 3
_PULL = 1e-3
_ROUNDS = 80
_PAGE = 10

Numbers = NDArray[np.float64]
Models = dict[str, Numbers]


@dataclass(frozen=True, slots=True)
class Hit:
    """What a model looks at, and whether the hit answers."""

    numbers: tuple[float, ...]
    right: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a `kind`, and what every kind answered; `answers` of its kind are right."""

    kind: str
    fold: int
    answers: int
    found: dict[str, list[Hit]]


class Others:
    """The conversations and learnings that are asked beside code."""

    def __init__(self, clone: Repository, folder: Path) -> None:
        self.source, self.sentences = builtin_source(), sentence_source()
        sessions = read_source("entire", clone).sessions
        self.questions = questions_of(clone, sessions)
        copy = discover(make_repo(folder / "chats").path)
        MemoryStore(copy, masked(self.questions)).add(replace(one, title="") for one in sessions)
        sync_exchanges(copy, self.source)
        self.chats = ChatSearcher(open_exchanges(copy, self.source))
        learnings = [case.learning() for case in CASES]
        files = {one.path: write_learning(one) for one in learnings}
        kept = discover(make_repo(folder / "learnings", files=files).path)
        self.learnings = LearningSearcher(open_learnings(kept, self.sentences, Scope.COMMITTED))

    def ask(
        self, kind: str, text: str, fold: int, code: Searcher, right: Callable[[Any], bool],
        answers: int = 0,
    ) -> Asked:  # fmt: skip
        """Ask all kinds; hits of `kind` are `right` or not, those of the others are not."""
        vector = self.source.embed_query(text)
        found: dict[str, Sequence[Any]] = {
            "code": code.answer(text, Options(_PAGE, without=f"{FOLDER}/"), vector).hits,
            "chat": self.chats.answer(text, ChatOptions(_PAGE), vector).hits,
            "learning": self.learnings.answer(
                text, LearningOptions(MOST_LEARNINGS), self.sentences.embed_query(text)
            ).hits,
        }
        hits = {
            name: [Hit(_NUMBERS[name](hit), name == kind and right(hit)) for hit in listed]
            for name, listed in found.items()
        }
        return Asked(kind, fold, answers or max(1, sum(hit.right for hit in hits[kind])), hits)


def _feature(hit: Any, name: str) -> float:
    return float(hit.features.get(name, 0.0)) / float(weights().values[NAMES.index(name)])


_NUMBERS: dict[str, Callable[[Any], tuple[float, ...]]] = {
    "code": lambda h: (math.log(h.rank), _feature(h, "dense"), _feature(h, "file_coverage")),
    "chat": lambda h: (math.log(h.rank), h.score),
    "learning": lambda h: (math.log(h.rank), h.cosine),
}


def gather(args: argparse.Namespace, folder: Path) -> list[Asked]:
    """Ask all questions."""
    clone = discover(args.conversations)
    others = Others(clone, folder)
    config = load(clone, {"chroma.impl": "off"})
    view = open_view(clone, config, Store(clone), others.source, Scope.REVISION, "HEAD")
    code = Searcher(view, "clone")
    asked = [
        others.ask("chat", one.subject, _fold(one.subject), code,
                   _is_of(one.answers))
        for one in others.questions
    ]  # fmt: skip
    told = [(case.learning_id, case.question) for case in CASES] + list(TUNED_ON.items())
    asked += [
        others.ask("learning", text, _fold(text), code,
                   _is_named(name))
        for name, text in told
    ]  # fmt: skip
    chosen = random.Random(1)  # the same questions each time
    for number, opened in enumerate(open_projects(args.annotations, args.checkouts, None)):
        project = opened.project
        root = f"{project.root}/" if project.root else ""
        for question in chosen.sample(project.questions, min(_PER_PROJECT, len(project.questions))):
            left = list(question.targets)

            def right(hit: Any, root: str = root, left: list[Any] = left) -> bool:
                place = Result(root + hit.path, hit.start_line, hit.end_line)
                target = next((one for one in left if counts_for(place, one)), None)
                if target is not None:
                    left.remove(target)
                return target is not None

            count = len(question.targets)
            fold = number % _FOLDS
            asked.append(others.ask("code", question.text, fold, opened.searcher, right, count))
    return asked


def _is_of(answers: frozenset[tuple[str, str]]) -> Callable[[Any], bool]:
    return lambda hit: (hit.session, hit.exchange) in answers


def _is_named(name: str) -> Callable[[Any], bool]:
    return lambda hit: hit.learning.learning_id == name


def _fold(text: str) -> int:
    return zlib.crc32(text.encode()) % _FOLDS


def fit(asked: Sequence[Asked]) -> Models:
    """Return a logistic model of each kind: the constant, then a weight for each number."""
    counts = Counter(one.kind for one in asked)
    models = {}
    for kind in KINDS:
        rows = [(hit, WEIGHTS[one.kind] / counts[one.kind] * len(asked))
                for one in asked for hit in one.found[kind]]  # fmt: skip
        table = np.array([(1.0, *hit.numbers) for hit, _ in rows])
        right = np.array([hit.right for hit, _ in rows], float)
        models[kind] = _logistic(table, right, np.array([weight for _, weight in rows]))
    return models


def _logistic(table: Numbers, right: Numbers, weight: Numbers) -> Numbers:
    """Fit by Newton's method, with a small pull to zero on all but the constant."""
    found = np.zeros(table.shape[1])
    pulled = np.array([0.0, *[1.0] * (len(found) - 1)])
    for _ in range(_ROUNDS):
        likely = 1 / (1 + np.exp(-table @ found))
        slope = table.T @ (weight * (likely - right)) + _PULL * pulled * found
        bend = (table.T * (weight * likely * (1 - likely) + 1e-12)) @ table
        found = found - np.linalg.solve(bend + _PULL * np.eye(len(found)), slope)
    return found


def page(one: Asked, models: Models) -> list[bool]:
    """Return which places of the common page hold a right hit."""
    places = []
    for order, kind in enumerate(KINDS):
        least = 1.0
        for rank, hit in enumerate(one.found[kind]):
            value = float(models[kind] @ np.array((1.0, *hit.numbers)))
            least = min(least, 1 / (1 + math.exp(-max(-30.0, min(value, 30.0)))))
            if least >= LEAST[kind]:
                places.append((-least, order, rank, hit.right))
    return [right for *_, right in sorted(places)[:_PAGE]]


def ndcg(right: Sequence[bool], answers: int) -> float:
    """Return NDCG@10 of a page where `answers` hits could be right."""
    gains = [1 / math.log2(place + 2) for place in range(_PAGE)]
    best = sum(gains[:answers])
    return sum(gain for gain, one in zip(gains, right, strict=False) if one) / best


def report(asked: Sequence[Asked]) -> list[str]:
    """Return what mixing costs each kind, by models that have not seen the question."""
    models = [fit([one for one in asked if one.fold != fold]) for fold in range(_FOLDS)]
    lines = []
    for kind in ("code", "chat", "learning"):
        own = [one for one in asked if one.kind == kind]
        pages = [page(one, models[one.fold]) for one in own]
        alone = mean([ndcg([hit.right for hit in one.found[kind]], one.answers) for one in own])
        mixed = mean([ndcg(right, one.answers) for right, one in zip(pages, own, strict=True)])
        first = mean([float(any(right[:4])) for right in pages])
        lines.append(f"{kind} ({len(own)}): alone {alone:.3f}, together {mixed:.3f}, "
                     f"among the first four {first:.2f}")  # fmt: skip
    return lines


def main() -> None:
    """Ask, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--checkouts", type=Path, required=True)
    parser.add_argument("--conversations", type=Path, required=True)
    with tempfile.TemporaryDirectory() as folder:
        asked = gather(parser.parse_args(), Path(folder))
    print("\n".join(report(asked)))
    for kind, model in fit(asked).items():
        print(kind, ", ".join(f"{value:.2f}" for value in model))


if __name__ == "__main__":
    main()
