"""How well learnings are found by questions that mean them in other words.

    python -m benchmarks.learning_queries

In: made_learnings.py. Out: mean reciprocal rank and success at 1 and 3, by the real search and by
single signals. Weights were chosen on the questions `TUNED_ON`, never on the others.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.made_learnings import CASES, TUNED_ON
from benchmarks.program import common_arguments
from benchmarks.results import Recorder, table
from git_skillmesh.git.repository import discover
from git_skillmesh.index.learning_view import LearningView, open_learnings
from git_skillmesh.index.vectors import SentenceSource, sentence_source
from git_skillmesh.index.view import Scope
from git_skillmesh.learnings.writing import write_learning
from git_skillmesh.retrieval.features import NAMES
from git_skillmesh.retrieval.learnings import LearningOptions, LearningSearcher
from git_skillmesh.retrieval.search import Options, Searcher
from testing.repos import make_repo

Ranking = Callable[[str], list[str]]


def rankings(view: LearningView, source: SentenceSource) -> dict[str, Ranking]:
    """Return name → how learnings are ranked, the best first."""
    searcher, raw = LearningSearcher(view), Searcher(view, "")

    def ours(vectors: bool) -> Ranking:
        def ranked(text: str) -> list[str]:
            vector = source.embed_query(text) if vectors else None
            answer = searcher.answer(text, LearningOptions(limit=100), vector)
            return [hit.learning.learning_id for hit in answer.hits]

        return ranked

    def dense(text: str) -> list[str]:
        found = raw.candidates(text, Options(least_cosine=0.001), source.embed_query(text))
        owners, _ = raw.places(found)
        scores = found.features[:, NAMES.index("dense")]
        kept = [n for n in np.argsort(-scores, kind="stable").tolist() if scores[n] > 0]
        files = dict.fromkeys(owners[n] for n in kept)
        return [Path(found.files[owner].path).stem for owner in files]

    return {"both: query --in learnings": ours(True), "words only": ours(False),
            "vectors only": dense}  # fmt: skip


def measured(ranking: Ranking, questions: Mapping[str, str]) -> dict[str, float]:
    """Return MRR and the shares of questions answered in the first place and the first three."""
    places = []
    for wanted, question in questions.items():
        found = ranking(question)
        places.append(found.index(wanted) + 1 if wanted in found else 0)
    count = len(places)
    return {
        "mrr": round(sum(1 / place for place in places if place) / count, 3),
        "first": round(sum(place == 1 for place in places) / count, 3),
        "in 3": round(sum(0 < place <= 3 for place in places) / count, 3),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = common_arguments("measure the search of learnings").parse_args(argv)
    recorder, source = Recorder("learning-queries", args.results), sentence_source()
    with tempfile.TemporaryDirectory() as folder:
        held_out = {case.learning_id: case.question for case in CASES}
        learnings = [case.learning() for case in CASES]
        repo = make_repo(Path(folder), files={one.path: write_learning(one) for one in learnings})
        view = open_learnings(discover(repo.path), source, Scope.COMMITTED)
        rows = [
            {"questions": told, "method": name, **measured(ranking, questions)}
            for told, questions in (("held out", held_out), ("tuned on", TUNED_ON))
            for name, ranking in rankings(view, source).items()
        ]
        view.close()
    head = ("questions", "method", "mrr", "first", "in 3")
    print(table(head, [[row[name] for name in head] for row in rows]))
    recorder.write(rows=rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
