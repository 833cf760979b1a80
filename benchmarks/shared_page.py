"""The order of a page of two repositories: `python -m benchmarks.shared_page HERE OTHER`.

In: two clones with history that use the same Chroma server and have mirrored to it. Questions are
the subjects of their commits, answers the files that those changed and that are still there. Asked
in HERE for all repositories; out: the mean reciprocal rank of the first such file on the page, for
questions about HERE and about OTHER, with several ways to put the page together, beside each
repository alone. Nothing is fitted on it.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.program import common_arguments
from benchmarks.results import Recorder, table
from git_skillmesh.chroma.others import Wanted, search
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.target import target_of
from git_skillmesh.config import load
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.identity import repo_id
from git_skillmesh.index.store import Store
from git_skillmesh.index.vectors import source_of
from git_skillmesh.index.view import Scope, open_view
from git_skillmesh.retrieval.search import Options, Searcher
from git_skillmesh.retrieval.shared import Owner, Row, SharedHit, of_others, one_list, own_code
from git_skillmesh.retrieval.terms import parse
from git_skillmesh.retrieval.together import Kind

_PAGE = 10
_ASKED = 50
_FEWEST_WORDS = 4
Merge = Callable[[Sequence[SharedHit], Sequence[SharedHit]], list[SharedHit]]


@dataclass(frozen=True, slots=True)
class Question:
    """A subject, and the files that answer it."""

    text: str
    owner: str
    files: frozenset[str]


def questions(repository: Repository, owner: str, most: int) -> list[Question]:
    """Return questions out of a repository's history."""
    tree = set(repository.git.run("ls-tree", "-r", "--name-only", "HEAD").decode().splitlines())
    log = repository.git.run(
        "log", "--no-merges", "--name-only", "--format=%x00%s", "HEAD"
    ).decode(errors="replace")  # fmt: skip
    found = []
    for part in log.split("\0")[1:]:
        subject, _, names = part.partition("\n")
        text = subject.partition(": ")[2] or subject
        files = frozenset(name for name in names.split("\n") if name in tree)
        if 1 <= len(files) <= 5 and len(text.split()) >= _FEWEST_WORDS:
            found.append(Question(text, owner, files))
    random.Random(1).shuffle(found)
    return found[:most]


def weighed(words: float) -> Merge:
    """Merge as the program does, with another weight of words."""

    def merge(own: Sequence[SharedHit], others: Sequence[SharedHit]) -> list[SharedHit]:
        def of(hit: SharedHit) -> SharedHit:
            return replace(hit, cosine=hit.cosine + words * hit.words, words=0.0)

        theirs = sorted(map(of, others), key=lambda hit: -hit.evidence)
        return one_list([of(hit) for hit in own], theirs)

    return merge


def by_rank(own: Sequence[SharedHit], others: Sequence[SharedHit]) -> list[SharedHit]:
    """Merge by ranks alone."""
    ranked = [(n, hit) for hits in (own, others) for n, hit in enumerate(hits)]
    return [hit for _, hit in sorted(ranked, key=lambda pair: pair[0])]


def by_evidence(own: Sequence[SharedHit], others: Sequence[SharedHit]) -> list[SharedHit]:
    """Merge without a privilege of one's own order."""
    return sorted([*own, *others], key=lambda hit: -hit.evidence)


MERGES: dict[str, Merge] = {
    "here alone": lambda own, others: list(own),
    "other alone": lambda own, others: list(others),
    "words 0": weighed(0.0),
    "words 0.25": weighed(0.25),
    "words 0.5": weighed(0.5),
    "words 1": weighed(1.0),
    "no own order": by_evidence,
    "ranks": by_rank,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Ask, and print a table."""
    parser = common_arguments("measure the page of several repositories")
    parser.add_argument("here", type=Path, metavar="HERE")
    parser.add_argument("other", type=Path, metavar="OTHER")
    parser.add_argument("--questions", type=int, default=150, help="about each (150)")
    args = parser.parse_args(argv)
    recorder = Recorder("shared-page", args.results)
    here, other = discover(args.here), discover(args.other)
    ids = [repo_id(one, load(one)) for one in (here, other)]
    asked = [
        question
        for one, name in zip((here, other), ids, strict=True)
        for question in questions(one, name, args.questions)
    ]
    pages = _pages(here, ids, asked)
    found: dict[str, dict[str, float]] = {}
    for name, merge in MERGES.items():
        ranks = [_reciprocal(question, merge(*page)) for question, page in pages]
        about = {
            which: [r for (q, _), r in zip(pages, ranks, strict=True) if q.owner == owner]
            for which, owner in zip(("here", "other"), ids, strict=True)
        }
        found[name] = {which: math.fsum(all_) / len(all_) for which, all_ in about.items()}
        found[name]["mean"] = (found[name]["here"] + found[name]["other"]) / 2
    head = ("page", "about here", "about other", "mean")
    print(table(head, [(name, *one.values()) for name, one in found.items()]))
    recorder.write(
        questions={name: sum(q.owner == name for q in asked) for name in ids}, reciprocal_rank=found
    )
    return 0


def _pages(
    here: Repository, ids: Sequence[str], asked: Sequence[Question]
) -> list[tuple[Question, tuple[list[SharedHit], list[SharedHit]]]]:
    config = load(here)
    store, target = Store(here), target_of(config, here)
    assert target is not None
    source = source_of(config, store.embeddings_path)
    view = open_view(here, config, store, source, Scope.COMMITTED)
    searcher = Searcher(view, ids[0])
    owners: dict[str, Any] = {name: Owner(name, name, name == ids[0]) for name in ids}
    found = []
    with ChromaReader(target) as reader:
        for question in asked:
            query, vector = parse(question.text), source.embed_query(question.text)
            hits = searcher.answer(question.text, Options(_PAGE), vector, []).hits
            own = [own_code(owners[ids[0]], hit, query) for hit in hits]
            wanted = Wanted((ids[1],), ids[0], everything=True)
            rows = search(reader, "codebase_v1", (vector, source.model_id), wanted, _ASKED)
            theirs = [
                Row(row.id, owners[row.repo_id], row.cosine, row.metadata, row.document)
                for row in rows
                if row.repo_id in owners
            ]
            found.append((question, (own, of_others(Kind.CODE, theirs, query))))
    view.close()
    return found


def _reciprocal(question: Question, hits: Sequence[SharedHit]) -> float:
    for rank, hit in enumerate(hits[:_PAGE], 1):
        if hit.repo_id == question.owner and hit.facts["path"] in question.files:
            return 1 / rank
    return 0.0


if __name__ == "__main__":
    raise SystemExit(main())
