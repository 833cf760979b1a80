"""Search many times through a server: `python -m benchmarks.server REPO QUERIES`.

In: an indexed repository, a file of queries. Out: JSON, seconds a query. `wall` and `cpu`: inside
the server, code alone, the tree watched. `all`: all kinds. `looked`: the tree compared with HEAD
before each answer, as where it cannot be watched. `client`: through the real client over standard
input and output; `listed`: from a cold start until the tools are listed.
"""

import asyncio
import json
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

from benchmarks.measure import cpu_seconds
from benchmarks.peers import read_queries
from git_skillmesh.git import watching
from git_skillmesh.mcp.engine import KINDS, Engine, Wanted
from git_skillmesh.mcp.host import Host


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


def main() -> None:
    """Measure and print."""
    folder, queries = Path(sys.argv[1]), read_queries(Path(sys.argv[2]))
    json.dump(inside(folder, queries) | asyncio.run(through_client(folder, queries)), sys.stdout)


if __name__ == "__main__":
    main()
