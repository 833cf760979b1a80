"""How long a first index takes, what it needs and how large it becomes, against semble.

    python -m benchmarks.index_speed TREE… [--semble PYTHON --semble-model DIR]

semble makes its index in its first search, so what is compared is index and first query.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.measure import Cost, in_turn, median
from benchmarks.program import Bench, common_arguments, sizes, workplace
from benchmarks.results import Recorder, megabytes, table
from testing.repos import Repo

_QUERY = "open a connection with a timeout"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all trees."""
    parser = common_arguments("measure the first index of real trees")
    parser.add_argument("trees", type=Path, nargs="+", metavar="TREE")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program (3)")
    peers.add_arguments(parser)
    args = parser.parse_args(argv)
    recorder = Recorder("index-speed", args.results)
    with workplace(args.scratch) as bench:
        semble = peers.find_semble(args, bench)
        found = [_measure(bench, tree, semble, args.rounds) for tree in args.trees]
        version = semble.version() if semble else None
    _show(found)
    recorder.write(semble=version, trees=found)
    return 0


def _measure(bench: Bench, tree: Path, semble: peers.Semble | None, rounds: int) -> dict[str, Any]:
    repo = bench.repository(tree)
    cases: dict[str, Callable[[], list[Cost]]] = {"ours": lambda: _ours(bench, repo)}
    if semble is not None:
        cases["semble"] = lambda: _semble(semble, repo)
    costs = in_turn(cases, rounds)
    index = [first for first, _ in costs["ours"]]
    size = sizes(repo)
    seconds = median([cost.cpu for cost in index])
    found: dict[str, Any] = {
        "tree": repo.path.name,
        "files": size.files,
        "source_bytes": size.source,
        "chunks": size.chunks,
        "index_bytes": size.index,
        "index_to_source": size.index / size.source,
        "index_cpu": seconds,
        "index_wall": median([cost.wall for cost in index]),
        "chunks_per_cpu_second": size.chunks / seconds,
        "megabytes_per_cpu_second": size.source / 1e6 / seconds,
        "index_and_query_cpu": median([sum(c.cpu for c in pair) for pair in costs["ours"]]),
        "index_and_query_wall": median([sum(c.wall for c in pair) for pair in costs["ours"]]),
        "peak_bytes": bench.index(repo, memory=True, anew=True).cost.peak,
    }
    if semble is not None:
        chunks, taken = semble.sizes()
        found["semble"] = {
            "chunks": chunks,
            "index_bytes": taken,
            "index_and_query_cpu": median([pair[0].cpu for pair in costs["semble"]]),
            "index_and_query_wall": median([pair[0].wall for pair in costs["semble"]]),
        }
        semble.forget()
        found["semble"]["peak_bytes"] = semble.search(repo.path, _QUERY, memory=True).peak
        semble.forget()
    return found


def _ours(bench: Bench, repo: Repo) -> list[Cost]:
    index = bench.index(repo, anew=True).cost
    return [index, bench.skillmesh(repo, "query", "--json", _QUERY, accept=(0, 1))]


def _semble(semble: peers.Semble, repo: Repo) -> list[Cost]:
    semble.forget()
    return [semble.search(repo.path, _QUERY)]


def _show(found: Sequence[dict[str, Any]]) -> None:
    rows: list[list[object]] = []
    for tree in found:
        rows.append(
            [
                tree["tree"],
                "ours",
                tree["files"],
                megabytes(tree["source_bytes"]),
                tree["chunks"],
                f"{tree['index_and_query_cpu']:.2f} s",
                f"{tree['index_and_query_wall']:.2f} s",
                tree["chunks_per_cpu_second"],
                f"{tree['megabytes_per_cpu_second']:.2f}",
                megabytes(tree["peak_bytes"] or 0),
                f"{tree['index_to_source']:.2f}",
            ]
        )
        if "semble" in tree:
            peer = tree["semble"]
            rows.append(
                [
                    tree["tree"],
                    "semble",
                    None,
                    None,
                    peer["chunks"],
                    f"{peer['index_and_query_cpu']:.2f} s",
                    f"{peer['index_and_query_wall']:.2f} s",
                    None,
                    None,
                    megabytes(peer["peak_bytes"] or 0),
                    f"{peer['index_bytes'] / tree['source_bytes']:.2f}",
                ]
            )
    head = ["tree", "program", "files", "source", "chunks", "cpu", "wall"]
    print(table([*head, "chunks/cpu s", "MB/cpu s", "peak memory", "index/source"], rows))
    print("cpu and wall: index and first query; rates: the index alone")


if __name__ == "__main__":
    raise SystemExit(main())
