"""One collection of one Chroma server, from 10,000 rows to as many as time allows.

    python -m benchmarks.team_growth SOURCE… --budget 3600

SOURCE are folders of real code. Rows are what `codebase_v1` holds on a server: id, metadata, text
and a vector of 256 dimensions, of 50 repositories with equal shares and one small one. The first
rows are real chunks with their vectors; when they run out, copies follow whose vectors are turned
by some random degrees. Measured: rows a second, memory and disk of the server, searches without
and with a filter by `repo_id`, and the write of ten changed rows.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import percentile
from benchmarks.peers import read_queries
from benchmarks.program import common_arguments, workplace
from benchmarks.query_latency import QUERIES
from benchmarks.results import Recorder, megabytes, milliseconds, table
from benchmarks.team_server import memory_of, used_by
from benchmarks.trees import real_files
from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma import store
from git_skillmesh.chroma.target import Target
from git_skillmesh.chunking import chunk, language_of
from git_skillmesh.embedding.static import StaticEmbedder
from testing.chroma_server import ChromaServer

POINTS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
REPOSITORIES = 50
SMALL = "repository-small"
_SMALL_ROWS = 500
_BATCH = 500
_BASE = 20_000
_NAME = "codebase_v1"
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Base:
    """Real chunks: texts, their places, their vectors (rows of unit length)."""

    texts: list[str]
    places: list[tuple[str, str, str, int, int]]
    vectors: Vectors


def read_base(sources: Sequence[Path], most: int) -> Base:
    """Chunk and embed up to `most` chunks of real code."""
    texts: list[str] = []
    places: list[tuple[str, str, str, int, int]] = []
    for file in real_files(sources, most):
        language = language_of(file.path, file.data[:256])
        lines = file.data.decode(errors="replace").split("\n")
        for one in chunk(file.data, language):
            texts.append("\n".join(lines[one.start_line - 1 : one.end_line]))
            places.append((file.path, one.symbol, language, one.start_line, one.end_line))
    embedder = StaticEmbedder.load()
    vectors = np.concatenate(
        [embedder.embed_documents(texts[n : n + 1000]) for n in range(0, len(texts), 1000)]
    )
    return Base(texts[:most], places[:most], vectors[:most].astype(np.float32))


def batches(base: Base) -> Iterator[tuple[list[list[Any]], Vectors]]:
    """Yield rows and vectors without end, each batch of one repository, in turn."""
    random = np.random.default_rng(7)
    number = turn = 0
    while True:
        repo = f"repository-{turn % REPOSITORIES:02}"
        if turn == REPOSITORIES // 2:
            repo = SMALL
        picked = [(number + n) % len(base.texts) for n in range(_BATCH)]
        vectors = base.vectors[picked]
        if number >= len(base.texts):
            noise = random.standard_normal(vectors.shape).astype(np.float32)
            noise /= np.linalg.norm(noise, axis=1, keepdims=True)
            vectors = vectors + 0.4 * noise
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        rows = [_row(base, place, number + n, repo) for n, place in enumerate(picked)]
        yield rows, vectors
        number += _BATCH
        turn += 1


def _row(base: Base, place: int, number: int, repo: str) -> list[Any]:
    path, symbol, language, first, last = base.places[place]
    name = f"{number:032x}"
    metadata = {
        "chunk_id": name, "repo_id": repo, "file_path": f"copy{number // len(base.texts)}/{path}",
        "blob_sha": f"{number * 2654435761:040x}"[:40], "commit_sha": f"{number // 40:040x}",
        "language": language, "symbol": symbol, "kind": "function", "start_line": first,
        "end_line": last, "related_chat_ids": "", "indexed_at": "2026-01-01T00:00:00Z",
        "row_hash": f"{number * 40503:032x}"[:32],
    }  # fmt: skip
    return [name, metadata, base.texts[place]]


def main(argv: Sequence[str] | None = None) -> int:
    """Fill, and measure at each point."""
    parser = common_arguments("measure how one collection of a server grows")
    parser.add_argument("sources", type=Path, nargs="+", metavar="SOURCE")
    parser.add_argument("--points", type=int, nargs="+", default=POINTS, metavar="ROWS")
    parser.add_argument("--budget", type=float, default=3600, help="seconds in all (3600)")
    parser.add_argument("--searches", type=int, default=40, help="of each kind at a point (40)")
    args = parser.parse_args(argv)
    recorder = Recorder("team-growth", args.results)
    began = time.monotonic()
    base = read_base(args.sources, _BASE)
    with workplace(args.scratch) as bench:
        server = ChromaServer(bench.folder / "chroma")
        server.start()
        try:
            found = _grow(server, base, args.points, args.searches, began + args.budget, recorder)
        finally:
            server.stop()
    print()
    print(table(_HEAD, [_shown(one) for one in found]))
    return 0


def _grow(
    server: ChromaServer, base: Base, points: Sequence[int], searches: int, deadline: float,
    recorder: Recorder,
) -> list[dict[str, Any]]:  # fmt: skip
    """Fill up to each point and measure there; results are written after each."""
    target = Target("http", url=server.url, keeps_documents=True)
    client = clients.open_client(target, 600)
    collection = store.create(client, _NAME, StaticEmbedder.load().model_id, 256)
    supply = batches(base)
    queries = [StaticEmbedder.load().embed_query(text) for text in read_queries(QUERIES)[:searches]]
    found: list[dict[str, Any]] = []
    rows = 0
    stopped = ""
    for point in points:
        stretch, used, before = time.monotonic(), used_by(server.pid), rows
        while rows < point and not stopped:
            part, vectors = next(supply)
            store.write(collection, part, vectors, [], [])
            rows += len(part)
            if time.monotonic() > deadline:
                stopped = f"time was up at {rows} rows"
        seconds = time.monotonic() - stretch
        if rows == before:
            break
        found.append(
            {
                "rows": rows,
                "inserted_a_second": (rows - before) / seconds,
                "server_cpu_a_row": (used_by(server.pid) - used) / (rows - before),
                "memory_bytes": memory_of(server.pid),
                "disk_bytes": disk_of(server.folder),
                **_searches(collection, queries),
                **_upkeep(collection, base),
            }
        )
        print(table(_HEAD, [_shown(found[-1])]), flush=True)
        recorder.write(
            note="busy machine: other work ran on its two cores", stopped=stopped,
            text_bytes=float(np.mean([len(text.encode()) for text in base.texts])),
            real_rows=len(base.texts), repositories=REPOSITORIES, dimensions=256, points=found,
        )  # fmt: skip
        if stopped:
            break
    clients.close(client)
    return found


def _searches(collection: Any, queries: Sequence[Any]) -> dict[str, float]:
    """Return p50 and p95 of each kind of search, taken in turn."""
    some = [f"repository-{number:02}" for number in range(0, REPOSITORIES, 10)]
    kinds: dict[str, dict[str, Any] | None] = {
        "all": None,
        "one": {"repo_id": "repository-07"},
        "five": {"repo_id": {"$in": some}},
        "others": {"repo_id": {"$ne": "repository-07"}},
        "small": {"repo_id": SMALL},
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for query in [queries[0], *queries]:
        for kind, where in kinds.items():
            search = partial(
                collection.query, query_embeddings=[query], n_results=10, where=where,
                include=["metadatas", "distances"],
            )  # fmt: skip
            times[kind].append(_timed(search))
    return {
        f"{kind}_{name}": percentile(taken[1:], share)
        for kind, taken in times.items()
        for name, share in (("p50", 0.5), ("p95", 0.95))
    }


def _upkeep(collection: Any, base: Base) -> dict[str, float]:
    """Return what a run of the mirror asks beside searches: a write, a count, a look at others."""
    writes = []
    for turn in range(6):
        rows = [_row(base, turn * 10 + n, turn * 10 + n, "repository-00") for n in range(10)]
        vectors = base.vectors[[turn * 10 + n for n in range(10)]]
        writes.append(_timed(partial(store.write, collection, rows, vectors, [], [])))
    repo = "repository-07"
    return {
        "write_ten_p50": percentile(writes[1:], 0.5),
        "count_one": _timed(partial(store.count, collection, repo, 1)),
        "look_at_others": _timed(partial(store.has_other_repositories, collection, repo)),
    }


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def disk_of(folder: Path) -> int:
    """Return the bytes that a folder's files take on the disk."""
    return sum(
        (Path(where) / name).stat().st_blocks * 512
        for where, _, names in os.walk(folder)
        for name in names
    )


_HEAD = (
    "rows", "rows/s", "memory", "disk", "all p50", "p95", "one of 50 p50", "p95", "five p50",
    "others p50", "small p50", "write ten", "count one",
)  # fmt: skip


def _shown(one: dict[str, Any]) -> list[object]:
    times = ("all_p50", "all_p95", "one_p50", "one_p95", "five_p50", "others_p50", "small_p50")
    return [
        f"{one['rows']:,}",
        f"{one['inserted_a_second']:.0f}",
        megabytes(one["memory_bytes"]),
        megabytes(one["disk_bytes"]),
        *(milliseconds(one[name]) for name in times),
        milliseconds(one["write_ten_p50"]),
        milliseconds(one["count_one"]),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
