"""Search many times in one process, as a server would: `python -m benchmarks.warm REPO QUERIES`.

In: an indexed repository, a file of queries. Out: JSON, seconds a query. `wall` and `cpu`: the tree
is opened once, as by a server that knows when it changes. `fresh_wall` and `fresh_cpu`: the
working tree is compared with HEAD before every answer, as in `git skillmesh query`.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# As the command line does, before numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.measure import cpu_seconds
from benchmarks.peers import read_queries
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.identity import repo_id
from git_skillmesh.index.store import Store
from git_skillmesh.index.vectors import source_of
from git_skillmesh.index.view import Scope, open_view
from git_skillmesh.retrieval.search import Options, Searcher


def measure(folder: Path, queries: Sequence[str]) -> dict[str, list[float]]:
    """Return the seconds of every query, after one that is not counted."""
    repository = discover(folder)
    config = load(repository)
    store = Store(repository)
    source = source_of(config, store.embeddings_path)
    repo = repo_id(repository, config)
    found: dict[str, list[float]] = {"wall": [], "cpu": [], "fresh_wall": [], "fresh_cpu": []}
    kept = open_view(repository, config, store, source, Scope.WORKING_TREE)
    searcher = Searcher(kept, repo)
    for query in ["warm up", *queries]:
        used, begun = cpu_seconds(), time.perf_counter()
        searcher.answer(query, Options(), source.embed_query(query))
        found["wall"].append(time.perf_counter() - begun)
        found["cpu"].append(cpu_seconds() - used)
        used, begun = cpu_seconds(), time.perf_counter()
        view = open_view(repository, config, store, source, Scope.WORKING_TREE)
        Searcher(view, repo).answer(query, Options(), source.embed_query(query))
        view.close()
        found["fresh_wall"].append(time.perf_counter() - begun)
        found["fresh_cpu"].append(cpu_seconds() - used)
    kept.close()
    return {name: values[1:] for name, values in found.items()}


if __name__ == "__main__":
    json.dump(measure(Path(sys.argv[1]), read_queries(Path(sys.argv[2]))), sys.stdout)
