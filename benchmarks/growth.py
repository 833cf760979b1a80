"""How every cost grows with the repository, from 1,000 to 100,000 chunks.

    python -m benchmarks.growth SOURCE…

SOURCE are folders of real code. One repository of each size is made of them (trees.py says how);
in each: the first index, its size and memory, queries cold and warm, a commit of ten files.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.hook_latency import searchable, settle
from benchmarks.measure import median
from benchmarks.program import Bench, common_arguments, sizes, workplace
from benchmarks.query_latency import QUERIES, cold_query, percentiles, summary, warm_queries
from benchmarks.results import Recorder, megabytes, milliseconds, table
from benchmarks.trees import SourceFile, change_files, make_tree, real_files
from testing.repos import Repo

SIZES = (1_000, 5_000, 20_000, 80_000, 100_000)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all sizes."""
    parser = common_arguments("measure how costs grow with the repository")
    parser.add_argument("sources", type=Path, nargs="+", metavar="SOURCE")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="CHUNKS")
    parser.add_argument("--cold", type=int, default=10, help="cold queries at each size (10)")
    parser.add_argument("--commits", type=int, default=5, help="commits of ten files (5)")
    args = parser.parse_args(argv)
    recorder = Recorder("growth", args.results)
    files = real_files(args.sources, max(args.sizes))
    found = []
    with workplace(args.scratch) as bench:
        for size in args.sizes:
            found.append(_measure(bench, files, size, args.cold, args.commits))
            print(table(_HEAD, [_row(found[-1])]), flush=True)
    print()
    print(table(_HEAD, [_row(one) for one in found]))
    real = sum(file.chunks for file in files)
    recorder.write(real_files=len(files), real_chunks=real, sizes=found)
    return 0


def _measure(
    bench: Bench, files: Sequence[SourceFile], chunks: int, cold: int, commits: int
) -> dict[str, Any]:
    repo = make_tree(bench, f"growth-{chunks}", files, chunks)
    first = bench.index(repo, anew=True)
    size = sizes(repo)
    peak = bench.index(repo, anew=True, memory=True).cost.peak
    queries = peers.read_queries(QUERIES)[:cold]
    cold_query(bench, repo, queries[0])
    found = {
        "files": size.files,
        "chunks": size.chunks,
        "source_bytes": size.source,
        "index_bytes": size.index,
        "index_cpu": first.cost.cpu,
        "index_wall": first.cost.wall,
        "peak_bytes": peak,
        "cold": summary([cold_query(bench, repo, query) for query in queries]),
        "warm": percentiles([warm_queries(bench, repo, QUERIES)]),
        "commit": _commit_cost(bench, repo, commits),
    }
    bench.skillmesh(repo, "init", "--no-index")
    found |= searchable(bench, repo, commits)
    bench.skillmesh(repo, "init", "--remove")
    settle(bench)
    shutil.rmtree(repo.path)
    return found


def _commit_cost(bench: Bench, repo: Repo, commits: int) -> dict[str, float]:
    """Return the processor seconds of an index run after a commit of ten files, and of none."""
    ten, nothing = [], []
    for number in range(commits):
        change_files(repo, 10, f"grown_{number}")
        bench.git("commit", "--all", "--quiet", "-m", "ten files", cwd=repo.path)
        ten.append(bench.index(repo).cost.cpu)
        nothing.append(bench.index(repo).cost.cpu)
    return {"ten_files_cpu": median(ten), "nothing_cpu": median(nothing)}


_HEAD = (
    "chunks", "source", "index", "index cpu", "index wall", "peak memory", "cold cpu", "fresh p50",
    "warm p50", "commit cpu", "searchable",
)  # fmt: skip


def _row(found: dict[str, Any]) -> list[object]:
    return [
        f"{found['chunks']:,}",
        megabytes(found["source_bytes"]),
        megabytes(found["index_bytes"]),
        f"{found['index_cpu']:.1f} s",
        f"{found['index_wall']:.1f} s",
        megabytes(found["peak_bytes"] or 0),
        milliseconds(found["cold"]["cpu"]),
        milliseconds(found["warm"]["fresh_wall_p50"]),
        milliseconds(found["warm"]["wall_p50"]),
        milliseconds(found["commit"]["ten_files_cpu"]),
        milliseconds(found["searchable_in_background"]),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
