"""Search many times through a server: `python -m benchmarks.server REPO…`.

In: indexed repositories. Out: seconds a query, p50 and p95, in results/server.json. `wall` and
`cpu`: inside the server, code alone, the tree watched. `all`: all kinds. `looked`: the tree
compared with HEAD before each answer, as where it cannot be watched. `client`: through the real
client over standard input and output; `listed`: from a cold start until the tools are listed;
`started_cpu`: what a start that ends at once takes, `bare_cpu` that of a bare interpreter.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

# As the command line does, before numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from benchmarks.measure import cpu_seconds, percentile, run
from benchmarks.peers import read_queries
from benchmarks.program import common_arguments
from benchmarks.query_latency import QUERIES
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.git import watching
from git_skillmesh.mcp.engine import KINDS, Engine, Wanted
from git_skillmesh.mcp.host import Host

_STARTS = 5


def inside(folder: Path, queries: Sequence[str]) -> dict[str, list[float]]:
    """Return the seconds of every query in the server itself, after one that is not counted."""
    found: dict[str, list[float]] = {}
    host = Host(folder)
    found["wall"], found["cpu"] = _timed(host.engine, queries, KINDS[:1])
    found["all"], found["all_cpu"] = _timed(host.engine, queries, KINDS)
    host.close()
    with patch.object(watching, "only_written_here", lambda folder: False):
        host = Host(folder)
        found["looked"], found["looked_cpu"] = _timed(host.engine, queries, KINDS[:1])
        host.close()
    return found


def _timed(
    engine: Engine, queries: Sequence[str], kinds: tuple[str, ...]
) -> tuple[list[float], list[float]]:
    walls, cpus = [], []
    for query in ["warm up", *queries]:
        used, begun = cpu_seconds(), time.perf_counter()
        engine.search(Wanted(query, kinds))
        walls.append(time.perf_counter() - begun)
        cpus.append(cpu_seconds() - used)
    return walls[1:], cpus[1:]


async def through_client(folder: Path, queries: Sequence[str]) -> dict[str, list[float]]:
    """Return the seconds of every query as a client sees them."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "git_skillmesh", "-C", str(folder), "mcp"],
        env=dict(os.environ),
    )
    begun = time.perf_counter()
    async with Client(server) as client:
        await client.list_tools()
        listed = time.perf_counter() - begun
        seconds = []
        for query in ["warm up", *queries]:
            begun = time.perf_counter()
            await client.call_tool("search", {"query": query, "where": "code"})
            seconds.append(time.perf_counter() - begun)
    return {"listed": [listed], "client": seconds[1:]}


def starts(folder: Path) -> dict[str, list[float]]:
    """Return the processor time of starts that end at once, beside those of a bare interpreter."""
    server = [sys.executable, "-m", "git_skillmesh", "-C", str(folder), "mcp"]
    bare = [sys.executable, "-c", "pass"]
    return {
        "started_cpu": [run(server, folder, os.environ).cpu for _ in range(_STARTS)],
        "bare_cpu": [run(bare, folder, os.environ).cpu for _ in range(_STARTS)],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = common_arguments("measure searches in the server")
    parser.add_argument("repositories", type=Path, nargs="+", metavar="REPO")
    parser.add_argument("--queries", type=Path, default=QUERIES, help="one query a line")
    args = parser.parse_args(argv)
    recorder, queries = Recorder("server", args.results), read_queries(args.queries)
    found, rows = [], []
    for folder in args.repositories:
        host = Host(folder)
        searched = host.engine.search(Wanted(queries[0])).searched
        host.close()
        times = inside(folder, queries) | asyncio.run(through_client(folder, queries))
        times |= starts(folder)
        shares = {
            name: {"p50": percentile(each, 0.5), "p95": percentile(each, 0.95)}
            for name, each in times.items()
        }
        found.append({"searched": searched, "seconds": shares})
        for name, each in shares.items():
            p50, p95 = milliseconds(each["p50"]), milliseconds(each["p95"])
            rows.append((searched["chunks"], name, p50, p95))
    print(table(("chunks", "what", "p50", "p95"), rows))
    recorder.write(repositories=found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
