"""Whether links survive random histories, and what carrying them costs.

    python -m benchmarks.survival --steps 1000

Three kinds of repositories: git tells the hook what it rewrote, git only copies notes, git tells
nothing (as when the pre-commit framework runs the hook). After every second step on average links
are carried, and every line of HEAD is compared with the model that knows who wrote it. A line that
was lost is counted again at every later comparison, until it is gone from HEAD.

Then, with the hooks' help and without, the cost of a run: after a rebase of 50 commits, and when
nothing has changed.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import cpu_seconds
from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.sessions.carrying import carry_links
from testing.environment import COMMIT_DATE
from testing.histories import History

MODES = ("hooks", "notes", "nothing")
_STEPS_EACH = 40
_PICKS = 50


@dataclass
class Tally:
    """What was found in the repositories of one kind."""

    mode: str
    steps: int = 0
    runs: int = 0
    agents: int = 0
    kept: int = 0
    wrong: int = 0
    lines: int = 0
    lost: int = 0
    cpu_seconds: float = 0.0
    operations: dict[str, int] = field(default_factory=dict)


def main(argv: Sequence[str] | None = None) -> int:
    """Run all kinds in turn; exit code 1 if a line was attributed wrongly."""
    parser = common_arguments("measure whether links survive random histories")
    parser.add_argument("--steps", type=int, default=300, help="operations of each kind (300)")
    parser.add_argument("--seed", type=int, default=1_000, help="of the first repository (1000)")
    args = parser.parse_args(argv)
    recorder = Recorder("survival", args.results)
    with workplace(args.scratch) as bench:
        os.environ.clear()
        os.environ.update(bench.env)
        os.environ.update(GIT_AUTHOR_DATE=COMMIT_DATE, GIT_COMMITTER_DATE=COMMIT_DATE)
        tallies = [Tally(mode) for mode in MODES]
        for number in range(-(-args.steps // _STEPS_EACH)):
            for tally in tallies:
                _history(bench.folder / "history", args.seed + number, tally)
                kept = f"{tally.kept} of {tally.agents} kept, {tally.wrong} wrong"
                print(f"{tally.mode}: {tally.steps} steps, {kept}", file=sys.stderr, flush=True)
        costs = [_rebase(bench.folder / "rebase", mode) for mode in ("hooks", "nothing")]
    print(table(_HEAD, [_row(tally) for tally in tallies]))
    print(table(_COST_HEAD, [_cost_row(cost) for cost in costs]))
    recorder.write(kinds=[asdict(tally) for tally in tallies], costs=costs)
    return 1 if any(tally.wrong for tally in tallies) else 0


def _history(folder: Path, seed: int, tally: Tally) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    world = History(folder, seed, tally.mode)
    ever: set[str] = set()
    lost: set[str] = set()
    for step in range(_STEPS_EACH):
        world.step()
        if world.rng.random() < 0.5 or step == _STEPS_EACH - 1:
            started = cpu_seconds()
            carry_links(discover(world.repo.path))
            tally.cpu_seconds += cpu_seconds() - started
            verdict = world.verdict()
            tally.runs += 1
            tally.agents += verdict.agents
            tally.kept += verdict.kept
            tally.wrong += len(verdict.wrong)
            ever |= {key for key, who in world.author.items() if who}
            lost |= {said.split()[2] for said in verdict.lost}
    tally.steps += _STEPS_EACH
    tally.lines += len(ever)
    tally.lost += len(lost)
    for name in world.did:
        tally.operations[name] = tally.operations.get(name, 0) + 1
    shutil.rmtree(folder)


def _rebase(folder: Path, mode: str) -> dict[str, Any]:
    """Rebase commits of three files each onto other work, and carry their links."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    world = History(folder, 1, mode)
    names = [f"src/large{number}.py" for number in range(12)]
    for name in names:
        world.write(name, [world.line(agent=False) for _ in range(800)])
    world.commit()
    start = world.repo.head
    for number in range(_PICKS):
        for step in range(3):
            name = names[(number + step * 5) % len(names)]
            lines = world.lines(name)
            lines[number * 15 + 9 : number * 15 + 9] = [world.line() for _ in range(6)]
            world.write(name, lines)
        world.commit()
    world.linker()
    repository = discover(world.repo.path)
    carry_links(repository)
    world.repo.git("checkout", "--quiet", "-b", "upstream", start)
    for name in names:
        world.write(name, [world.line(agent=False), *world.lines(name)])
    world.commit()
    world.repo.git("checkout", "--quiet", "main")
    world.repo.git("rebase", "--quiet", "upstream")
    started = cpu_seconds()
    carried = carry_links(repository)
    rebased = cpu_seconds() - started
    verdict = world.verdict()
    return {
        "mode": mode, "commits": _PICKS, "carried": len(carried.commits), "lines": carried.lines,
        "lost": len(verdict.lost), "wrong": len(verdict.wrong), "cpu_seconds": rebased,
        "unchanged_cpu_seconds": _unchanged(repository),
    }  # fmt: skip


def _unchanged(repository: Repository) -> float:
    started = cpu_seconds()
    for _ in range(10):
        carry_links(repository)
    return (cpu_seconds() - started) / 10


_HEAD = ("git tells", "steps", "lines compared", "kept", "wrong", "lines", "lost", "CPU a run")
_COST_HEAD = ("git tells", "commits", "lines", "lost", "rebase, CPU", "nothing new, CPU")


def _row(tally: Tally) -> tuple[object, ...]:
    share = f"{100 * tally.kept / max(tally.agents, 1):.2f} %"
    cost = milliseconds(tally.cpu_seconds / max(tally.runs, 1))
    return (
        tally.mode, tally.steps, tally.agents, share, tally.wrong, tally.lines, tally.lost, cost
    )  # fmt: skip


def _cost_row(cost: dict[str, Any]) -> tuple[object, ...]:
    return (
        cost["mode"], cost["carried"], cost["lines"], cost["lost"],
        milliseconds(cost["cpu_seconds"]), milliseconds(cost["unchanged_cpu_seconds"]),
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
