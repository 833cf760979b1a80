"""Sharing: do clones always converge, and what does a sync cost?

    python -m benchmarks.sync_convergence --seconds 600

First worlds of two to five clones and one or two bare remotes, with random steps: writing, growing,
events, notes, amending, forgetting, syncs of which some are killed, refused or doubled. Each world
ends with two rounds of syncs, and is compared with a model. Then, through a counting proxy before
`git daemon`: a sync with nothing to do and one with a new session, beside memories of more and more
sessions. At last the hook before a push, while sharing is off.
"""

import os
import random
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import cpu_seconds, in_turn, median, run
from benchmarks.memory_growth import make_stored_session
from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.git.remotes import find_remote
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.sync import sync
from testing.memory import open_memory
from testing.remotes import Wire, counted, git_daemon
from testing.repos import Repo, make_repo
from testing.sharing import ACTIONS, Step, World

SIZES = (10, 100, 1_000, 2_000)


def main(argv: Sequence[str] | None = None) -> int:
    """Let worlds converge, then measure."""
    parser = common_arguments("let clones converge, and measure what a sync costs")
    parser.add_argument("--seconds", type=float, default=300, help="time for worlds (300)")
    parser.add_argument("--seed", type=int, default=0, help="of the first world (0)")
    parser.add_argument("--steps", type=int, default=40, help="most steps of a world (40)")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, metavar="SESSIONS")
    parser.add_argument("--rounds", type=int, default=9, help="measurements of each kind (9)")
    args = parser.parse_args(argv)
    recorder = Recorder("sync-convergence", args.results)
    with workplace(args.scratch) as bench:
        os.environ.clear()
        os.environ.update(bench.env)
        worlds = _worlds(bench.folder, args.seconds, args.seed, args.steps)
        costs = _costs(bench, args.sizes, args.rounds) if args.sizes else []
        hook = _hook_cost(bench)
    recorder.write(**worlds, rounds=args.rounds, costs=costs, hook=hook)
    return 0


def _worlds(folder: Path, seconds: float, seed: int, most: int) -> dict[str, Any]:
    """Make worlds until the time is over. Raises AssertionError for one that does not converge."""
    found = {"worlds": 0, "steps": 0, "syncs": 0, "failed_syncs": 0, "forgotten": 0}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        chance = random.Random(seed + found["worlds"])
        steps = _steps(chance, most)
        place = folder / f"world-{seed + found['worlds']}"
        world = World(place, clones=chance.randint(2, 5), hubs=chance.randint(1, 2))
        try:
            world.take(steps)
            world.settle()
            world.check()
        except BaseException:
            print(f"seed {seed + found['worlds']}: {steps}")
            raise
        found["worlds"] += 1
        found["steps"] += len(steps)
        found["syncs"] += world.syncs
        found["failed_syncs"] += world.failures
        found["forgotten"] += len(world.model.forgotten)
        shutil.rmtree(place)
    print(table(list(found), [list(found.values())]), "\n")
    return found


def _steps(chance: random.Random, most: int) -> list[Step]:
    return [
        (chance.choice(ACTIONS), chance.randrange(5), chance.randrange(6), chance.randint(1, 3))
        for _ in range(chance.randint(3, most))
    ]


def _costs(bench: Bench, sizes: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    root = bench.folder / "served"
    with git_daemon(root) as address, counted(int(address.rpartition(":")[2])) as wire:
        pairs = [_Pair(root, f"git://127.0.0.1:{wire.port}", wire, size) for size in sizes]
        works = {
            f"{what} {pair.size}": work
            for pair in pairs
            for what, work in (("idle", pair.idle), ("share", pair.share), ("get", pair.get))
        }
        taken = in_turn(works, rounds)
    found = []
    for pair in pairs:
        one: dict[str, Any] = {"sessions": pair.size}
        one["first"] = dict(zip(_NAMES, pair.first, strict=True))
        for what in ("idle", "share", "get"):
            rows = zip(*taken[f"{what} {pair.size}"], strict=True)
            one[what] = {
                name: median([float(value) for value in row])
                for name, row in zip(_NAMES, rows, strict=True)
            }
        found.append(one)
    print(table(_HEAD, [_row(one, found[0]) for one in found]))
    return found


def _hook_cost(bench: Bench) -> dict[str, float]:
    """Measure the hook before a push while sharing is off, beside a hook that does nothing."""
    path = bench.folder / "pushing"
    path.mkdir()
    (path / "a").write_text("1\n")
    repo = bench.new_repository(path)
    bench.skillmesh(repo, "init", "--no-index")
    idle = repo.path / "idle"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(0o755)
    shim = repo.hooks_dir / "pre-push"
    taken = in_turn(
        {
            "shim": lambda: run([str(shim), "origin", "address"], repo.path, bench.env),
            "idle": lambda: run([str(idle), "origin", "address"], repo.path, bench.env),
        },
        40,
    )
    found = {
        f"{name}_{kind}": median([getattr(cost, kind) for cost in costs])
        for name, costs in taken.items()
        for kind in ("wall", "cpu")
    }
    print(
        f"\nhook before a push, sharing off: {milliseconds(found['shim_wall'])}, "
        f"{milliseconds(found['shim_cpu'])} CPU; an empty hook {milliseconds(found['idle_wall'])}"
    )
    return found


class _Pair:
    """Two clones with a memory of `size` sessions and their remote."""

    def __init__(self, root: Path, address: str, wire: Wire, size: int) -> None:
        self.size, self._wire, self._made = size, wire, 0
        make_repo(root, f"hub{size}.git", bare=True)
        self._clones = []
        for name in ("one", "two"):
            repo = make_repo(root.parent, f"{name}{size}", files={"a": "1\n"})
            repo.git("remote", "add", "origin", f"{address}/hub{size}.git")
            self._clones.append(repo)
        open_memory(self._clones[0]).add(make_stored_session(number) for number in range(size))
        self._sync(self._clones[0])
        self.first = self._measured(lambda: self._sync(self._clones[1]))
        for repo in self._clones:
            repo.git("gc", "--quiet")

    def idle(self) -> tuple[float, float, float, float]:
        """Sync with nothing to do."""
        return self._measured(lambda: self._sync(self._clones[0]))

    def share(self) -> tuple[float, float, float, float]:
        """Sync with one new session."""
        self._made += 1
        open_memory(self._clones[0]).add([make_stored_session(1_000_000 + self._made)])
        return self._measured(lambda: self._sync(self._clones[0]))

    def get(self) -> tuple[float, float, float, float]:
        """Sync where there is one new session on the remote."""
        return self._measured(lambda: self._sync(self._clones[1]))

    def _measured(self, work: Callable[[], None]) -> tuple[float, float, float, float]:
        self._wire.reset()
        wall, cpu = time.perf_counter(), cpu_seconds()
        work()
        wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
        return wall, cpu, self._wire.sent + self._wire.received, self._wire.connections

    def _sync(self, repo: Repo) -> None:
        repository = discover(repo.path)
        sync(repository, find_remote(repository, "origin"))


_NAMES = ("wall", "cpu", "bytes", "connections")
_HEAD = ("sessions", "all", "bytes", "idle", "bytes", "conn.", "one shared", "bytes", "conn.",
         "ratio", "one fetched", "bytes", "conn.", "ratio")  # fmt: skip


def _row(one: dict[str, Any], first: dict[str, Any]) -> list[object]:
    row: list[object] = [f"{one['sessions']:,}"]
    row += [milliseconds(one["first"]["wall"]), int(one["first"]["bytes"])]
    for what in ("idle", "share", "get"):
        cost = one[what]
        row += [milliseconds(cost["wall"]), int(cost["bytes"]), int(cost["connections"])]
        if what != "idle":
            row.append(f"{cost['cpu'] / first[what]['cpu']:.2f}")
    return row


if __name__ == "__main__":
    raise SystemExit(main())
