"""What a query costs: cold from the shell and warm in one process, against semble and ripgrep.

    python -m benchmarks.query_latency TREE… [--semble PYTHON --semble-model DIR]

Cold: a process of its own for every query, caches of the operating system filled. Warm: some
hundred queries in one process, ours looking at the working tree every time.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.measure import Cost, in_turn, median, percentile, run
from benchmarks.program import Bench, common_arguments, sizes, workplace
from benchmarks.results import Recorder, milliseconds, table
from benchmarks.trees import change_files
from testing.repos import Repo

QUERIES = Path(__file__).with_name("queries.txt")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all trees."""
    parser = common_arguments("measure queries, cold and warm")
    parser.add_argument("trees", type=Path, nargs="+", metavar="TREE")
    parser.add_argument("--cold", type=int, default=10, help="cold queries of each program (10)")
    parser.add_argument("--rounds", type=int, default=2, help="warm runs of each program (2)")
    parser.add_argument("--queries", type=Path, default=QUERIES, help="one query a line")
    peers.add_arguments(parser)
    args = parser.parse_args(argv)
    recorder = Recorder("query-latency", args.results)
    with workplace(args.scratch) as bench:
        semble = peers.find_semble(args, bench)
        found = [
            _measure(bench, tree, semble, args.queries, args.cold, args.rounds)
            for tree in args.trees
        ]
    _show(found)
    recorder.write(trees=found)
    return 0


def _measure(
    bench: Bench,
    tree: Path,
    semble: peers.Semble | None,
    queries: Path,
    cold: int,
    rounds: int,
) -> dict[str, Any]:
    repo = bench.repository(tree)
    bench.index(repo, anew=True)
    size = sizes(repo)
    if semble is not None:
        semble.forget()
        semble.search(repo.path, "make the index")
    found = {
        "tree": repo.path.name,
        "chunks": size.chunks,
        "source_bytes": size.source,
        "cold": _cold(bench, repo, semble, peers.read_queries(queries)[:cold]),
        "warm": _warm(bench, repo, semble, queries, rounds),
    }
    found["after_edit"] = _after_edit(bench, repo, semble)
    return found


def _cold(
    bench: Bench, repo: Repo, semble: peers.Semble | None, queries: Sequence[str]
) -> dict[str, dict[str, float]]:
    wanted = {name: iter([queries[0], *queries]) for name in ("ours", "semble", "ripgrep")}
    cases: dict[str, Callable[[], Cost | None]] = {
        "ours": lambda: cold_query(bench, repo, next(wanted["ours"]))
    }
    if semble is not None:
        cases["semble"] = lambda: semble.search(repo.path, next(wanted["semble"]))
    if peers.has_ripgrep(bench):
        cases["ripgrep"] = lambda: peers.ripgrep(bench, repo.path, next(wanted["ripgrep"]))
    costs = in_turn(cases, len(queries) + 1)  # the first round only warms the disk's cache
    return {name: summary([cost for cost in each[1:] if cost]) for name, each in costs.items()}


def cold_query(bench: Bench, repo: Repo, query: str) -> Cost:
    """Ask once from the shell."""
    return bench.skillmesh(repo, "query", "--json", query, accept=(0, 1))


def summary(costs: Sequence[Cost]) -> dict[str, float]:
    return {
        "cpu": median([cost.cpu for cost in costs]),
        "wall": median([cost.wall for cost in costs]),
    }


def _warm(
    bench: Bench, repo: Repo, semble: peers.Semble | None, queries: Path, rounds: int
) -> dict[str, dict[str, float]]:
    cases: dict[str, Callable[[], dict[str, list[float]]]] = {
        "ours": lambda: warm_queries(bench, repo, queries)
    }
    if semble is not None:
        cases["semble"] = lambda: semble.warm(repo.path, queries)
    runs = in_turn(cases, rounds)
    return {name: percentiles(each) for name, each in runs.items()}


def warm_queries(bench: Bench, repo: Repo, queries: Path) -> dict[str, list[float]]:
    """Ask all queries in one process; see warm.py."""
    command = [sys.executable, "-m", "benchmarks.warm", str(repo.path), str(queries.resolve())]
    top = Path(__file__).parents[1]
    env = {**bench.env, "PYTHONPATH": f"{bench.env.get('PYTHONPATH', '')}:{top}"}
    found: dict[str, list[float]] = json.loads(run(command, top, env).output)
    return found


def percentiles(runs: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, float]:
    """Return p50 and p95 over all runs of what each query took."""
    found = {}
    for name in runs[0]:
        values = [value for each in runs for value in each[name]]
        found[f"{name}_p50"] = percentile(values, 0.5)
        found[f"{name}_p95"] = percentile(values, 0.95)
    return found


def _after_edit(
    bench: Bench, repo: Repo, semble: peers.Semble | None
) -> dict[str, dict[str, float]]:
    """Ask after one file changed: both programs read it before they answer."""
    number = iter(range(1000))

    def after(search: Callable[[], Cost]) -> Callable[[], Cost]:
        def once() -> Cost:
            change_files(repo, 1, f"edited_{next(number)}")
            return search()

        return once

    cases = {"ours": after(lambda: cold_query(bench, repo, "edited"))}
    if semble is not None:
        cases["semble"] = after(lambda: semble.search(repo.path, "edited"))
    return {name: summary(costs) for name, costs in in_turn(cases, 3).items()}


def _show(found: Sequence[dict[str, Any]]) -> None:
    rows: list[list[object]] = []
    for tree in found:
        for name, cold in tree["cold"].items():
            warm = tree["warm"].get(name, {})
            edit = tree["after_edit"].get(name, {})
            rows.append(
                [
                    tree["tree"],
                    name,
                    tree["chunks"],
                    milliseconds(cold["cpu"]),
                    milliseconds(cold["wall"]),
                    milliseconds(edit["cpu"]) if edit else None,
                    milliseconds(warm["wall_p50"]) if warm else None,
                    milliseconds(warm["wall_p95"]) if warm else None,
                    milliseconds(warm["cpu_p50"]) if warm else None,
                    milliseconds(warm["fresh_wall_p50"]) if "fresh_wall_p50" in warm else None,
                ]
            )
    head = ["tree", "program", "chunks", "cold cpu", "cold wall", "cpu after an edit"]
    print(table([*head, "warm p50", "warm p95", "warm cpu p50", "fresh p50"], rows))


if __name__ == "__main__":
    raise SystemExit(main())
