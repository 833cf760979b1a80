"""What is pasted and what the docs answer: `python -m benchmarks.other_queries CLONE…`.

The annotated questions (retrieval.py) ask for code. These ask for the rest: stack traces, failures
of compilers and tests, messages of errors, words in quotes, keys of configuration, and questions
that the documentation answers. They are made of the clones themselves (made_questions.py,
made_traces.py), the same ones each time, and go through the code that `git skillmesh query` runs.

`first`: how often the first result is the first answer, for a trace the innermost of its functions
that the repository has.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.annotations import Question, Result, counts_for, found_at
from benchmarks.made_questions import questions
from benchmarks.made_traces import failures, traces
from benchmarks.metrics import Scores, interval, mean, scores
from benchmarks.results import Recorder, table
from git_skillmesh.chunking.exclusion import skip_path
from git_skillmesh.config import load
from git_skillmesh.git.objects import BlobReader
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.store import Store
from git_skillmesh.index.update import update
from git_skillmesh.index.vectors import source_of
from git_skillmesh.index.view import Scope, open_view
from git_skillmesh.retrieval.search import Options, Searcher

_DEPTH = 10
_LARGEST = 300_000
MEASURES = ("ndcg@10", "mrr", "recall@10", "first")


@dataclass
class Asked:
    """A question of a clone with its scores, and what was found."""

    clone: str
    question: Question
    scores: Scores
    found: list[Result]


def texts_at(repository: Repository, revision: str) -> dict[str, str]:
    """Return path → text of the files of a revision that an index reads."""
    wanted = []
    for entry in repository.git.run("ls-tree", "-r", "-l", "-z", revision).split(b"\0"):
        about, _, raw = entry.partition(b"\t")
        if about.startswith(b"100"):
            _, _, blob, size = about.split()
            path = raw.decode(errors="replace")
            if int(size) <= _LARGEST and skip_path(path) is None:
                wanted.append((path, blob.decode()))
    reader = BlobReader(repository)
    blobs = reader.read_many(blob for _, blob in wanted)
    texts = {}
    for (path, _), data in zip(wanted, blobs, strict=True):
        if data is not None and b"\0" not in data[:8_000]:
            texts[path] = data.decode(errors="replace").replace("\r\n", "\n")
    reader.close()
    return texts


def made(repository: Repository, name: str, count: int, back: int) -> list[Question]:
    """Return the questions of a repository; traces are those of `back` commits ago."""
    new = texts_at(repository, "HEAD")
    log = repository.git.run("rev-list", f"--max-count={back}", "HEAD").split()
    old = texts_at(repository, log[-1].decode())
    return [
        *traces(name, old, new, count + count // 2),
        *failures(name, old, new, count),
        *questions(name, new, count),
    ]


def ask(clone: Path, count: int, back: int) -> list[Asked]:
    """Ask all questions of a clone."""
    repository = discover(clone)
    config = load(repository, {"chroma.impl": "off"})
    update(repository, config, "HEAD")
    store = Store(repository)
    source = source_of(config, store.embeddings_path)
    view = open_view(repository, config, store, source, Scope.REVISION, "HEAD")
    searcher = Searcher(view, clone.name)
    asked = []
    for question in made(repository, clone.name, count, back):
        vector = source.embed_query(question.text)
        answer = searcher.answer(question.text, Options(_DEPTH), vector)
        found = [Result(hit.path, hit.start_line, hit.end_line) for hit in answer.hits]
        scored = scores(found_at(found, question.targets), len(question.targets))
        scored["first"] = float(bool(found) and counts_for(found[0], question.targets[0]))
        asked.append(Asked(clone.name, question, scored, found))
    view.close()
    return asked


def summary(asked: Sequence[Asked]) -> dict[str, dict[str, Any]]:
    """Return kind → means, with the interval of NDCG over repositories."""
    kinds = list(dict.fromkeys(one.question.category for one in asked))
    return {kind: _group([a for a in asked if a.question.category == kind]) for kind in kinds} | {
        "all": _group(asked)
    }


def _group(asked: Sequence[Asked]) -> dict[str, Any]:
    groups: dict[str, list[float]] = {}
    for one in asked:
        groups.setdefault(one.clone, []).append(one.scores["ndcg@10"])
    found: dict[str, Any] = {"questions": len(asked), "repositories": len(groups)}
    for measure in MEASURES:
        found[measure] = round(mean([one.scores[measure] for one in asked]), 4)
    found["interval"] = [round(value, 4) for value in interval(groups)]
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Ask all clones."""
    parser = argparse.ArgumentParser(description="ask for what is pasted, and for documentation")
    parser.add_argument("clones", type=Path, nargs="+", metavar="CLONE")
    parser.add_argument("--count", type=int, default=6, help="questions of a kind, each clone (6)")
    parser.add_argument("--back", type=int, default=300, help="age of traces in commits (300)")
    parser.add_argument("--kind", help="only this kind in --misses")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="show the N worst")
    parser.add_argument("--results", type=Path, metavar="DIR", help="where the JSON goes")
    args = parser.parse_args(argv)
    recorder = Recorder("other-queries", args.results)
    asked: list[Asked] = []
    begun = time.perf_counter()
    for clone in args.clones:
        asked += ask(clone, args.count, args.back)
        print(f"{clone.name}: {len(asked)} questions so far", file=sys.stderr, flush=True)
    found = summary(asked)
    rows = [
        [kind, one["questions"], *(f"{one[m]:.3f}" for m in MEASURES),
         "{:.3f} to {:.3f}".format(*one["interval"])]
        for kind, one in found.items()
    ]  # fmt: skip
    print(table(("", "questions", *MEASURES, "95 % of ndcg@10"), rows))
    print(f"{time.perf_counter() - begun:.0f} s")
    worst = [one for one in asked if args.kind in (None, one.question.category)]
    for one in sorted(worst, key=lambda one: one.scores["ndcg@10"])[: args.misses]:
        print(f"\n{one.scores['ndcg@10']:.2f} {one.clone} [{one.question.category}]")
        print("  asked ", one.question.text.replace("\n", "\n        "))
        print("  wanted", ", ".join(f"{t.path}:{t.start_line}" for t in one.question.targets))
        for result in one.found[:4]:
            print(f"  got    {result.path}:{result.start_line}-{result.end_line}")
    recorder.write(kinds=found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
