"""What our hooks add to `git commit`, and how soon a commit can be found.

    python -m benchmarks.hook_latency TREE

The same repository commits with our hooks and without any, in turn; what counts is what the user
waits for. Then some commits of ten files each, and the time until the index holds their tree.
"""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Failed, in_turn, median, percentile
from benchmarks.program import Bench, common_arguments, sizes, workplace
from benchmarks.query_latency import cold_query
from benchmarks.results import Recorder, milliseconds, table
from benchmarks.trees import change_files
from git_skillmesh.git.repository import discover
from git_skillmesh.index.store import Store
from testing.environment import TOKEN, wait_for_hooks
from testing.repos import Repo

_POLL_SECONDS = 0.005
_PATIENCE_SECONDS = 120


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one tree."""
    parser = common_arguments("measure what the hooks add to a commit")
    parser.add_argument("tree", type=Path, metavar="TREE")
    parser.add_argument("--pairs", type=int, default=60, help="commits with and without (60)")
    parser.add_argument("--commits", type=int, default=7, help="commits of ten files (7)")
    args = parser.parse_args(argv)
    recorder = Recorder("hook-latency", args.results)
    with workplace(args.scratch) as bench:
        repo = bench.repository(args.tree)
        bench.skillmesh(repo, "init")
        settle(bench)
        size = sizes(repo)
        commit = _commits(bench, repo, args.pairs)
        found_again = searchable(bench, repo, args.commits)
        removed = bench.skillmesh(repo, "init", "--remove")
    found = {"tree": repo.path.name, "chunks": size.chunks, **commit, **found_again}
    _show(found)
    recorder.write(**found, remove_wall=removed.wall)
    return 0


def settle(bench: Bench) -> None:
    """Wait until no background work is left, so that it does not disturb the next commit."""
    wait_for_hooks(bench.env[TOKEN], seconds=_PATIENCE_SECONDS)


def _commits(bench: Bench, repo: Repo, pairs: int) -> dict[str, Any]:
    nothing = bench.folder / "no-hooks"
    nothing.mkdir(exist_ok=True)

    def commit(*options: str) -> float:
        change_files(repo, 1, f"timed_{time.monotonic_ns()}")
        bench.git("add", "--all", cwd=repo.path)
        taken = _user_waits(bench, repo, *options)
        settle(bench)
        return taken

    commit()
    times = in_turn(
        {
            "with": lambda: commit(),
            "without": lambda: commit("-c", f"core.hooksPath={nothing}"),
        },
        pairs,
    )
    extra = [one - other for one, other in zip(times["with"], times["without"], strict=True)]
    return {
        "pairs": pairs,
        "commit_with": median(times["with"]),
        "commit_without": median(times["without"]),
        "difference": median(times["with"]) - median(times["without"]),
        "difference_of_pairs": {
            "p25": percentile(extra, 0.25),
            "p50": median(extra),
            "p75": percentile(extra, 0.75),
        },
    }


def _user_waits(bench: Bench, repo: Repo, *options: str) -> float:
    """Commit and return the seconds until git is back."""
    command = ["git", *options, "commit", "--quiet", "-m", "timed"]
    started = time.perf_counter()
    subprocess.run(command, cwd=repo.path, env=bench.env, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - started


def searchable(bench: Bench, repo: Repo, commits: int) -> dict[str, Any]:
    """Commit ten files; wait for the background index, then ask; and ask at once, without waiting.

    Times count from the moment in which `git commit` is back.
    """
    background, at_once = [], []
    for number in range(commits):
        mark = f"searchable_{time.monotonic_ns()}"
        files = change_files(repo, 10, mark)
        bench.git("add", "--all", cwd=repo.path)
        _user_waits(bench, repo)
        started = time.perf_counter()
        if number % 2:
            _expect(bench, repo, mark, files)
            at_once.append(time.perf_counter() - started)
        else:
            _wait_for_tree(repo)
            background.append(time.perf_counter() - started)
            _expect(bench, repo, mark, files)
        settle(bench)
    return {
        "files": 10,
        "searchable_in_background": median(background),
        "answer_without_waiting": median(at_once) if at_once else None,
    }


def _wait_for_tree(repo: Repo) -> None:
    """Wait until the catalogue holds HEAD's tree with all its members."""
    tree = repo.git("rev-parse", "HEAD^{tree}")
    store = Store(discover(repo.path))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _knows(store, tree):
        if time.monotonic() > deadline:
            raise Failed(f"the commit was not indexed in {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _knows(store: Store, tree: str) -> bool:
    catalogue = store.reader()  # one reader sees one moment only
    try:
        return tree in (known for known, _ in catalogue.latest_trees())
    finally:
        catalogue.close()


def _expect(bench: Bench, repo: Repo, mark: str, files: Sequence[str]) -> None:
    """Ask for a function of the last commit. Raises `Failed` when it is not found first."""
    output = cold_query(bench, repo, f"{mark}_0").output.decode()
    if not files or os.fspath(files[0]) not in output.partition('"end_line"')[0]:
        raise Failed(f"{mark}_0 of {files[:1]} is not the first result: {output[:500]}")


def _show(found: dict[str, Any]) -> None:
    spread = found["difference_of_pairs"]
    rows: list[list[object]] = [
        ["git commit without hooks", milliseconds(found["commit_without"])],
        ["git commit with our hooks", milliseconds(found["commit_with"])],
        ["difference of medians", milliseconds(found["difference"])],
        [
            "… of pairs, quartiles",
            " to ".join(milliseconds(spread[name]) for name in ("p25", "p75")),
        ],
        [
            "10 files searchable in background after",
            milliseconds(found["searchable_in_background"]),
        ],
    ]
    if found["answer_without_waiting"] is not None:
        rows.append(
            ["… a query at once answers after", milliseconds(found["answer_without_waiting"])]
        )
    print(table([f"{found['tree']}, {found['chunks']:,} chunks", ""], rows))


if __name__ == "__main__":
    raise SystemExit(main())
