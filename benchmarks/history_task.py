"""Questions out of history: does a commit's message find the code that the commit changed?

    python -m benchmarks.history_task CLONE…

For each of some commits the parent is searched for the commit's subject; the answers are the lines
that the commit changed or removed. Nobody wrote these questions for a search, and nothing is fitted
on them. Compared: our ranking, plain BM25 over the text of chunks, and files ranked by how many of
the query's words they hold, as one would with ripgrep.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.annotations import Result, Target, found_at
from benchmarks.metrics import NAMES as MEASURES
from benchmarks.metrics import Scores, interval, mean, scores
from benchmarks.results import Recorder, table
from git_skillmesh.chunking.exclusion import skip_path
from git_skillmesh.config import load
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.store import Store
from git_skillmesh.index.update import update
from git_skillmesh.index.vectors import VectorSource, source_of
from git_skillmesh.index.view import Scope, open_view
from git_skillmesh.retrieval.features import NAMES
from git_skillmesh.retrieval.ranker import fill_page
from git_skillmesh.retrieval.search import Options, Searcher
from training.pairs import cleaned_subject

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? ")
_NOT_ASKED = re.compile(
    r"(^|/)(tests?|specs?|docs?|examples?|bench\w*|\.\w+)(/|$)|\.(md|rst|txt|json|ya?ml|toml|lock)$",
    re.IGNORECASE,
)
_MOST_FILES, _MOST_HUNKS = 3, 6
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Change:
    """A commit as a question: `parent` is searched, `targets` are lines of it."""

    parent: str
    subject: str
    targets: tuple[Target, ...]


def changes(repository: Repository, count: int, among: int = 1_500) -> list[Change]:
    """Return up to `count` small changes of code, spread evenly over the newest commits."""
    out = repository.git.run("log", f"--max-count={among}", "--no-merges", "--format=%H %P %s")
    found = []
    for line in out.decode(errors="replace").splitlines():
        commit, _, rest = line.partition(" ")
        parent, _, subject = rest.partition(" ")
        query = cleaned_subject(subject)
        if query and re.fullmatch(r"[0-9a-f]{40,64}", parent):
            targets = tuple(_changed_lines(repository, parent, commit))
            if 1 <= len(targets) <= _MOST_HUNKS:
                found.append(Change(parent, query, targets))
    return found[:: max(1, len(found) // count)][:count]


def _changed_lines(repository: Repository, parent: str, commit: str) -> Iterator[Target]:
    """Yield the lines of the parent that a commit changes, one target for each hunk of code."""
    diff = repository.git.run("diff-tree", "-r", "-p", "-U0", "--no-renames", parent, commit)
    path, files = "", set()
    for line in diff.decode(errors="replace").splitlines():
        if line.startswith("--- "):
            path = line[6:] if line.startswith("--- a/") else ""
        hunk = _HUNK.match(line)
        if hunk and path and skip_path(path) is None and not _NOT_ASKED.search(path):
            files.add(path)
            first, length = int(hunk[1]), int(hunk[2] or 1)
            if len(files) > _MOST_FILES:
                return
            yield Target(path, max(first, 1), max(first + length - 1, first, 1))


class Ways:
    """The ways to answer, at one commit."""

    def __init__(self, searcher: Searcher, source: VectorSource) -> None:
        self._searcher = searcher
        self._source = source

    def answers(self, text: str) -> dict[str, list[Result]]:
        """Return the first ten places by each way."""
        vector = self._source.embed_query(text)
        answer = self._searcher.answer(text, Options(_DEPTH), vector)
        found = self._searcher.candidates(text, Options(), vector)
        owners, chunks = self._searcher.places(found)
        columns = dict(zip(NAMES, found.features.T, strict=True))
        ties = [(found.files[n].path, c.start_line) for n, c in zip(owners, chunks, strict=True)]

        def page(values: Any) -> list[Result]:
            rows = fill_page(np.asarray(values), owners, ties.__getitem__, _DEPTH)
            return [Result(ties[r][0], chunks[r].start_line, chunks[r].end_line) for r, _ in rows]

        return {
            "git skillmesh": [Result(h.path, h.start_line, h.end_line) for h in answer.hits],
            "BM25 of chunks": page(columns["body"] * 20),
            "words in a file": page(columns["file_coverage"] * 20 + columns["chunk_coverage"]),
            "vectors alone": page(columns["dense"] * 20),
        }


def ask(clone: Path, count: int) -> dict[str, list[Scores]]:
    """Return way → scores of every change of a clone."""
    repository = discover(clone)
    config = load(repository, {"chroma.impl": "off"})
    store = Store(repository)
    source = source_of(config, store.embeddings_path)
    found: dict[str, list[Scores]] = {}
    for change in changes(repository, count):
        update(repository, config, change.parent)
        view = open_view(repository, config, store, source, Scope.REVISION, change.parent)
        for way, results in (
            Ways(Searcher(view, clone.name), source).answers(change.subject).items()
        ):
            ranks = found_at(results, change.targets)
            found.setdefault(way, []).append(scores(ranks, len(change.targets)))
        view.close()
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Ask all clones."""
    parser = argparse.ArgumentParser(description="ask for changed code by commit messages")
    parser.add_argument("clones", type=Path, nargs="+", metavar="CLONE")
    parser.add_argument("--commits", type=int, default=40, help="of each clone (40)")
    parser.add_argument("--results", type=Path, metavar="DIR", help="where the JSON goes")
    args = parser.parse_args(argv)
    recorder = Recorder("history-task", args.results)
    ways: dict[str, dict[str, list[Scores]]] = {}
    for clone in args.clones:
        for way, values in ask(clone, args.commits).items():
            ways.setdefault(way, {})[clone.name] = values
        print(f"{clone.name}: {len(next(iter(ways.values()))[clone.name])} commits", flush=True)
    found = {way: _summary(groups) for way, groups in ways.items()}
    rows = [
        [way, one["questions"], *(f"{one[m]:.3f}" for m in MEASURES),
         "{:.3f} to {:.3f}".format(*one["interval"])]
        for way, one in found.items()
    ]  # fmt: skip
    print(table(("", "commits", *MEASURES, "95 % of ndcg@10"), rows))
    recorder.write(ways=found)
    return 0


def _summary(groups: dict[str, list[Scores]]) -> dict[str, Any]:
    every = [scored for group in groups.values() for scored in group]
    found: dict[str, Any] = {"questions": len(every), "repositories": len(groups)}
    for measure in MEASURES:
        found[measure] = round(mean([scored[measure] for scored in every]), 4)
    parts = {name: [s["ndcg@10"] for s in group] for name, group in groups.items()}
    found["interval"] = [round(value, 4) for value in interval(parts)]
    return found


if __name__ == "__main__":
    raise SystemExit(main())
