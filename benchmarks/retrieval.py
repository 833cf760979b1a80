"""How good the answers are: `python -m benchmarks.retrieval --annotations FILE --checkouts DIR`.

DIR holds a clone of each project of FILE (annotations.py), named like it. Each is indexed at its
revision and root, and every question goes through the code that `git skillmesh query` runs.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.annotations import Project, Question, Result, found_at, read_annotations
from benchmarks.metrics import NAMES, Scores, interval, mean, scores
from benchmarks.results import Recorder, table
from git_skillmesh.config import Config, load
from git_skillmesh.errors import SkillmeshError
from git_skillmesh.git.repository import discover
from git_skillmesh.index.store import Store
from git_skillmesh.index.update import update
from git_skillmesh.index.vectors import VectorSource, source_of
from git_skillmesh.index.view import Scope, open_view
from git_skillmesh.retrieval.search import Options, Searcher

_DEPTH = 10


@dataclass(frozen=True)
class Opened:
    """A project ready to be asked."""

    project: Project
    searcher: Searcher
    source: VectorSource

    def ask(self, text: str, options: Options) -> list[Result]:
        """Return what `git skillmesh query` would show, with paths from the repository's top."""
        answer = self.searcher.answer(text, options, self.source.embed_query(text))
        root = f"{self.project.root}/" if self.project.root else ""
        return [Result(root + hit.path, hit.start_line, hit.end_line) for hit in answer.hits]


@dataclass
class Outcome:
    """Scores of every question, with what is needed to group them."""

    project: Project
    questions: list[tuple[Question, Scores]] = field(default_factory=list)
    seconds: float = 0.0


def open_project(project: Project, checkouts: Path) -> Opened:
    """Index a project at its revision and root. Raises `SkillmeshError`."""
    repository = discover(checkouts / project.name)
    config: Config = load(repository, {"chroma.impl": "off"})
    revision = f"{project.revision}:{project.root}"
    update(repository, config, revision)
    store = Store(repository)
    source = source_of(config, store.embeddings_path)
    view = open_view(repository, config, store, source, Scope.REVISION, revision)
    return Opened(project, Searcher(view, project.name), source)


def open_projects(annotations: Path, checkouts: Path, only: str | None) -> list[Opened]:
    """Open all projects of a file, or one; say which are absent."""
    opened = []
    for project in read_annotations(annotations):
        if only not in (None, project.name):
            continue
        if not (checkouts / project.name).is_dir():
            print(f"{project.name} is left out: there is no checkout", file=sys.stderr)
            continue
        opened.append(open_project(project, checkouts))
        if sys.stderr.isatty():
            print(f"\r{len(opened)} projects are indexed", end="", file=sys.stderr, flush=True)
    print(f"\r{len(opened)} projects are indexed", file=sys.stderr)
    return opened


def evaluate(opened: Opened, ask: Callable[[Opened, str], Sequence[Result]]) -> Outcome:
    """Ask all questions of a project."""
    outcome = Outcome(opened.project)
    for question in opened.project.questions:
        begun = time.perf_counter()
        results = ask(opened, question.text)
        outcome.seconds += time.perf_counter() - begun
        ranks = found_at(results, question.targets)
        outcome.questions.append((question, scores(ranks, len(question.targets))))
    return outcome


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return means with intervals: of all, by category, by language, by project."""
    found: dict[str, Any] = {"all": _group(outcomes, lambda _: "all")["all"]}
    found["category"] = _group(outcomes, lambda item: item[1].category)
    found["language"] = _group(outcomes, lambda item: item[0].language)
    found["project"] = _group(outcomes, lambda item: item[0].name)
    return found


def _group(
    outcomes: Sequence[Outcome], key: Callable[[tuple[Project, Question]], str]
) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, list[Scores]]] = {}
    for outcome in outcomes:
        for question, scored in outcome.questions:
            name = key((outcome.project, question))
            values.setdefault(name, {}).setdefault(outcome.project.name, []).append(scored)
    found: dict[str, dict[str, Any]] = {}
    for name, groups in sorted(values.items()):
        every = [scored for group in groups.values() for scored in group]
        found[name] = {"questions": len(every)}
        for measure in NAMES:
            found[name][measure] = round(mean([scored[measure] for scored in every]), 4)
        if len(groups) > 1:
            parts = {n: [s["ndcg@10"] for s in group] for n, group in groups.items()}
            found[name]["interval"] = [round(value, 4) for value in interval(parts)]
    return found


def rows(found: dict[str, Any]) -> list[list[object]]:
    """Return the lines of the table."""
    lines = [_row("all", found["all"])]
    for kind in ("category", "language", "project"):
        lines += [_row(f"{kind} {name}", group) for name, group in found[kind].items()]
    return lines


def _row(name: str, group: dict[str, Any]) -> list[object]:
    low, high = group.get("interval", (None, None))
    shown = f"{low:.3f} to {high:.3f}" if low is not None else ""
    return [name, group["questions"], *(f"{group[m]:.3f}" for m in NAMES), shown]


HEAD = ("", "questions", *NAMES, "95 % of ndcg@10")


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate."""
    parser = argparse.ArgumentParser(description="measure the quality of answers")
    parser.add_argument("--annotations", type=Path, required=True, metavar="FILE")
    parser.add_argument("--checkouts", type=Path, required=True, metavar="DIR")
    parser.add_argument("--repo", metavar="NAME", help="only this project")
    parser.add_argument("--rank", choices=("ranker", "rrf"), default="ranker")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="show the N worst")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--results", type=Path, metavar="DIR", help="where the JSON goes")
    args = parser.parse_args(argv)
    recorder = Recorder("retrieval", args.results)
    try:
        opened = open_projects(args.annotations, args.checkouts, args.repo)
    except SkillmeshError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    options = Options(_DEPTH, mode=args.rank)
    outcomes = [evaluate(one, lambda o, text: o.ask(text, options)) for one in opened]
    found = summary(outcomes)
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        print(table(HEAD, rows(found)))
        asked = sum(len(outcome.questions) for outcome in outcomes)
        print(f"{1000 * sum(o.seconds for o in outcomes) / asked:.1f} ms a question")
    _show_misses(opened, outcomes, options, args.misses)
    if not args.repo:
        recorder.write(rank=args.rank, **found)
    return 0


def _show_misses(
    opened: Sequence[Opened], outcomes: Sequence[Outcome], options: Options, count: int
) -> None:
    pairs = [
        (scored["ndcg@10"], one, question)
        for one, outcome in zip(opened, outcomes, strict=True)
        for question, scored in outcome.questions
    ]
    for value, one, question in sorted(pairs, key=lambda pair: pair[0])[:count]:
        print(f"\n{value:.2f} {one.project.name} [{question.category}] {question.text}")
        print("  wanted", ", ".join(target.path for target in question.targets))
        for result in one.ask(question.text, options)[:5]:
            print(f"  got    {result.path}:{result.start_line}")


if __name__ == "__main__":
    raise SystemExit(main())
