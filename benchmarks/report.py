"""Turn the results into what README and docs show: `python -m benchmarks.report [--check]`.

In: results/*.json. Out: the table between the marks of README.md, docs/benchmarks.md and its chart.
With `--check` nothing is written, and the exit code says whether both are up to date.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages import draw_growth, table
from benchmarks.results import RESULTS, megabytes, milliseconds

ROOT = Path(__file__).parents[1]
START, END = "<!-- benchmarks:start -->\n", "<!-- benchmarks:end -->\n"
Rows = list[Sequence[str]]


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description="write the benchmark tables of the docs")
    parser.add_argument("--check", action="store_true", help="only compare, exit code 1 if stale")
    args = parser.parse_args(argv)
    readme, page = ROOT / "README.md", ROOT / "docs" / "benchmarks.md"
    before = readme.read_text(encoding="utf-8")
    head, _, rest = before.partition(START)
    after = head + START + summary(RESULTS) + END + rest.partition(END)[2]
    if args.check:
        stale = after != before or page.read_text(encoding="utf-8") != details(RESULTS)
        return 1 if stale else 0
    readme.write_text(after, encoding="utf-8")
    page.write_text(details(RESULTS), encoding="utf-8")
    draw(_read(RESULTS, "growth"), ROOT / "docs" / "growth.svg")
    return 0


def summary(results: Path) -> str:
    """Return the part of the README that shows the figures."""
    growth, hooks = _read(results, "growth"), _read(results, "hook-latency")
    speed = _read(results, "index-speed")
    return f"""\
{table(("what", "budget", "measured", ""), _budgets(growth, hooks, speed))}
Two cores, {speed["machine"]["system"]}, Python {speed["machine"]["python"]}; budgets were set
before the code was written. [docs/benchmarks.md](docs/benchmarks.md) has all trees, semble and
ripgrep in the same run, and how costs grow up to 100,000 chunks.
"""


def details(results: Path) -> str:
    """Return docs/benchmarks.md."""
    growth, lifecycle = _read(results, "growth"), _read(results, "lifecycle")
    speed, latency = _read(results, "index-speed"), _read(results, "query-latency")
    memory, asking = _read(results, "memory-growth"), _read(results, "why-speed")
    shared = _read(results, "sync-convergence")
    hook, imports = _read(results, "agent-hook"), _read(results, "import-speed")
    checks = sum(one["comparisons"] for one in lifecycle["repositories"])
    wrong = sum(len(one["failures"]) for one in lifecycle["repositories"])
    steps = max(one["steps"] for one in lifecycle["repositories"])
    return f"""\
# Benchmarks

Written by `benchmarks/report.py` from the stored results; [benchmarks/](../benchmarks/README.md)
says how to measure. Two cores, {speed["machine"]["system"]}, Python {speed["machine"]["python"]}.
The README compares with the budgets.

## Against semble and ripgrep

semble {speed["semble"]} and ripgrep, in the same run on the same trees. "Index" is a first index
and one query, because semble makes its index in its first search. semble's own model needs a
download, so it runs with a model2vec model made from our vectors (the same dimension, half the
rows); quality is not compared here. ripgrep searches for any of the query's words. A warm query
asks one process that has the tree open.

{table(("tree", "program", *_PEER_HEAD), _against(speed, latency))}
## Growth

![How costs grow from 1,000 to 100,000 chunks](growth.svg)

{table(("chunks", *_GROWTH_HEAD), _growth(growth))}
The larger trees are made of the files of 17 real repositories. "Looking at the work tree" is a warm
query that compares the working tree with HEAD first, as the command line does.

## The same answers as a new index

After each of {steps} git operations (commit, rename, rebase, stash, worktree, gc and more) on
{len(lifecycle["repositories"])} real repositories, the index that followed was compared with one
made from nothing: {checks:,} answers, {wrong} of them different.

## Storing conversations

{table(("stored sessions", *_MEMORY_HEAD), _memory(memory))}
A new session of {memory["exchanges"]} exchanges, one more exchange of a stored one, the same import
again, and the list of all; in turn, in one run. "Ratio" is to the fewest sessions. Text is what a
session holds as JSON, disk what it takes after `git gc`; the text is made of random words.

## Conversations

What an agent waits for when it calls `git-skillmesh-hook agent`, beside a Python that does nothing.

{table(("payload", "CPU", "ratio"), _hook(hook))}
`git skillmesh import` of public repositories: read, parsed, redacted, stored. CPU of all processes;
"again" is a second import, which stores nothing. Sampled on cipher-box, parsing takes 41 % of the
time, redaction 34 %, encoding and packing 12 %, git's reading 6 %. Histories of SpecStory and notes
are kept almost whole, so more of them is redacted; the smallest measure little but the start.

{table(("repository", *_IMPORT_HEAD), _imports(imports))}
The step that runs after each commit, with transcripts that it knows and that have not changed:
{_looks(imports)}.

## Asking

{table(("repository", *_ASKING_HEAD), _asking(asking))}
Processor time from the shell, with {asking["sessions"]:,} stored conversations, for
{asking["lines"]} lines of the files that changed most often; `git blame -w -L` of the same lines in
turn. Half of the lines are linked to a conversation. The budgets are 300 ms for `why` and 500 ms
for the list.

## Sharing

{table(("stored sessions", *_SYNC_HEAD), _sync(shared["costs"]))}
A first sync that fetches all, one with nothing to do, one that shares a new session, and one in
another clone that fetches it; processor time of the clone, bytes both ways through `git daemon`.
Nothing to do is one connection, the others are two. What grows when a session is fetched is git's
own check that nothing is missing, which lists the folders of the memory. While sharing is off, the
hook before a push costs {milliseconds(shared["hook"]["shim_cpu"])} of processor time, an empty hook
{milliseconds(shared["hook"]["idle_cpu"])}.

{shared["worlds"]:,} worlds of two to five clones took {shared["steps"]:,} random steps: writing,
forgetting, amending, and {shared["syncs"]:,} syncs, some of them killed, refused or doubled. All
ended with the same memory everywhere: all that was written, and nothing of the
{shared["forgotten"]} sessions that were forgotten.
"""


_ASKING_HEAD = (
    "commits", "`why`, CPU", "p95", "worst", "`git blame` alone", "worst", "within budget",
    "list, CPU",
)  # fmt: skip


def _asking(asking: dict[str, Any]) -> Rows:
    times = ("why", "why_p95", "why_worst", "blame", "blame_worst")
    return [
        [
            one["name"],
            f"{one['commits']:,}",
            *(milliseconds(one[name]) for name in times),
            f"{one['within']:.0%}",
            milliseconds(one["list"]),
        ]
        for one in asking["repositories"]
    ]


_IMPORT_HEAD = ("read", "sessions", "exchanges", "CPU", "MB/s", "again", "peak memory")


def _hook(hook: dict[str, Any]) -> Rows:
    bare = next(iter(hook["payloads"].values()))["cpu"]
    return [
        [name, f"{one['cpu'] * 1000:.0f} ms", f"{one['cpu'] / bare:.2f}"]
        for name, one in hook["payloads"].items()
    ]


def _imports(found: dict[str, Any]) -> Rows:
    return [
        [
            one["repository"],
            f"{one['bytes'] / 1e6:,.1f} MB",
            f"{one['sessions']:,}",
            f"{one['exchanges']:,}",
            f"{one['cpu']:.1f} s",
            f"{one['bytes'] / 1e6 / one['cpu']:.0f}",
            f"{one['again_cpu']:.1f} s",
            f"{one['peak'] / 1e6:.0f} MB",
        ]
        for one in found["imports"]
    ]


def _looks(found: dict[str, Any]) -> str:
    told = (f"{one['transcripts']}: {one['cpu'] * 1000:.0f} ms" for one in found["looks"])
    return ", ".join(told)


def _read(results: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _budgets(growth: dict[str, Any], hooks: dict[str, Any], speed: dict[str, Any]) -> Rows:
    by_size = {_near(one["chunks"]): one for one in growth["sizes"]}
    small, large, largest = by_size[5_000], by_size[80_000], by_size[100_000]
    slowest = max(
        tree["index_and_query_cpu"] / tree["semble"]["index_and_query_cpu"]
        for tree in speed["trees"]
    )
    peak = max(growth["sizes"], key=lambda one: one["source_bytes"])
    shares = {one["chunks"]: one["index_bytes"] / one["source_bytes"] for one in growth["sizes"]}
    ten = [one["commit"]["ten_files_cpu"] for one in growth["sizes"]]
    return [
        _seconds("post-commit hook, what the user waits for", 0.015, hooks["difference"]),
        _seconds(
            f"commit of 10 files to searchable, {large['chunks']:,} chunks",
            1.5,
            large["searchable_in_background"],
        ),
        _seconds(f"query, cold, {small['chunks']:,} chunks, CPU", 0.35, small["cold"]["cpu"]),
        _seconds(f"query, cold, {large['chunks']:,} chunks, CPU", 0.6, large["cold"]["cpu"]),
        _seconds(
            f"query in a warm process, {large['chunks']:,} chunks, p50",
            0.015,
            large["warm"]["wall_p50"],
        ),
        _line(
            "first index and query, CPU, slowest tree",
            "at most semble's",
            f"{slowest:.2f} of it",
            slowest <= 1,
        ),
        _line(
            f"peak memory of a first index, {megabytes(peak['source_bytes'])} of source",
            "≤ 600 MB for 80 MB",
            megabytes(peak["peak_bytes"]),
            peak["peak_bytes"] <= 600e6,
        ),
        *(
            _line(
                f"index size, {chunks:,} chunks",
                "at most the source",
                f"{shares[chunks]:.2f} of it",
                shares[chunks] <= 1,
            )
            for chunks in (min(shares), large["chunks"])
        ),
        _line(
            f"CPU of indexing 10 changed files, {_near(growth['sizes'][0]['chunks']):,} to "
            f"{_near(largest['chunks']):,} chunks",
            "flat",
            f"{milliseconds(ten[0])} to {milliseconds(ten[-1])}",
            ten[-1] <= 1.5 * ten[0],
        ),
    ]


def _near(chunks: int) -> int:
    """Return the size that was asked for: the trees are a little larger."""
    from benchmarks.growth import SIZES

    return min(SIZES, key=lambda size: abs(size - chunks))


def _seconds(what: str, budget: float, measured: float) -> Sequence[str]:
    return _line(what, f"≤ {_short(budget)}", _short(measured), measured <= budget)


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _line(what: str, budget: str, measured: str, kept: bool) -> Sequence[str]:
    return what, budget, measured, "kept" if kept else "**missed**"


_PEER_HEAD = (
    "index, CPU", "index, memory", "index, disk", "cold query, CPU", "after an edit, CPU",
    "warm query, p50",
)  # fmt: skip


def _against(speed: dict[str, Any], latency: dict[str, Any]) -> Rows:
    rows: Rows = []
    indexed = {tree["tree"]: tree for tree in speed["trees"]}
    for tree in latency["trees"]:
        index = indexed[tree["tree"]]
        for name, cold in tree["cold"].items():
            made = {"ours": index, "semble": index.get("semble")}.get(name)
            edit, warm = tree["after_edit"].get(name), tree["warm"].get(name)
            rows.append(
                (
                    f"{tree['tree']} ({megabytes(index['source_bytes'])})",
                    {"ours": "git skillmesh"}.get(name, name),
                    f"{made['index_and_query_cpu']:.1f} s" if made else "-",
                    megabytes(made["peak_bytes"]) if made else "-",
                    megabytes(made["index_bytes"]) if made else "-",
                    _short(cold["cpu"]),
                    _short(edit["cpu"]) if edit else "-",
                    milliseconds(warm["wall_p50"]) if warm else "-",
                )
            )
    return rows


_GROWTH_HEAD = (
    "source", "index", "first index, CPU", "peak memory", "cold query, CPU", "warm query, p50",
    "looking at the work tree", "commit of 10 files, CPU",
)  # fmt: skip


def _growth(growth: dict[str, Any]) -> Rows:
    return [
        (
            f"{one['chunks']:,}",
            megabytes(one["source_bytes"]),
            megabytes(one["index_bytes"]),
            f"{one['index_cpu']:.1f} s",
            megabytes(one["peak_bytes"]),
            _short(one["cold"]["cpu"]),
            milliseconds(one["warm"]["wall_p50"]),
            milliseconds(one["warm"]["fresh_wall_p50"]),
            _short(one["commit"]["ten_files_cpu"]),
        )
        for one in growth["sizes"]
    ]


_MEMORY_HEAD = (
    "new session, CPU", "ratio", "one more exchange, CPU", "ratio", "again, CPU", "list, CPU",
    "text", "disk",
)  # fmt: skip


def _memory(memory: dict[str, Any]) -> Rows:
    first = memory["sizes"][0]
    return [
        (
            f"{one['sessions']:,}",
            _short(one["add"]["cpu"]),
            f"{one['add']['cpu'] / first['add']['cpu']:.2f}",
            _short(one["append"]["cpu"]),
            f"{one['append']['cpu'] / first['append']['cpu']:.2f}",
            _short(one["again"]["cpu"]),
            _short(one["list"]["cpu"]),
            f"{one['text_bytes'] / 1000:.0f} kB",
            f"{one['disk_bytes'] / 1000:.0f} kB",
        )
        for one in memory["sizes"]
    ]


_SYNC_HEAD = (
    "all fetched, CPU", "bytes", "nothing to do, CPU", "bytes", "one shared, CPU", "ratio",
    "bytes", "one fetched, CPU", "ratio", "bytes",
)  # fmt: skip


def _sync(costs: Sequence[dict[str, Any]]) -> Rows:
    rows: Rows = []
    for one in costs:
        row = [f"{one['sessions']:,}"]
        for what in ("first", "idle"):
            row += [_short(one[what]["cpu"]), f"{one[what]['bytes']:,.0f}"]
        for what in ("share", "get"):
            cpu = one[what]["cpu"]
            row += [_short(cpu), f"{cpu / costs[0][what]['cpu']:.2f}"]
            row.append(f"{one[what]['bytes']:,.0f}")
        rows.append(row)
    return rows


def draw(growth: dict[str, Any], path: Path) -> None:
    """Draw how costs grow."""
    chunks = [one["chunks"] for one in growth["sizes"]]
    lines = {
        "first index, CPU": [one["index_cpu"] for one in growth["sizes"]],
        "cold query, CPU": [one["cold"]["cpu"] for one in growth["sizes"]],
        "commit of ten files, CPU": [one["commit"]["ten_files_cpu"] for one in growth["sizes"]],
        "warm query that looks at the work tree": [
            one["warm"]["fresh_wall_p50"] for one in growth["sizes"]
        ],
        "warm query of a tree kept open": [one["warm"]["wall_p50"] for one in growth["sizes"]],
    }
    draw_growth(path, chunks, "chunks in the repository", lines)


if __name__ == "__main__":
    raise SystemExit(main())
