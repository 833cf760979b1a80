"""What asking costs: `why` for lines of real files with a long history, and the list of sessions.

    python -m benchmarks.why_speed CLONE…

Each clone gets a memory of 2,000 conversations. The lines are taken by chance from the files that
changed most often; half of them are linked to one of the conversations. `git blame -w -L`, which
`why` starts, is measured in turn with it.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import in_turn, median
from benchmarks.memory_growth import make_session
from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.git.blame import blame
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.sessions.links import Link, write_links
from git_skillmesh.sessions.store import MemoryStore
from testing.repos import Repo

SESSIONS = 2_000
BUDGET = 0.3
LIST_BUDGET = 0.5
_FILES = 40


@dataclass(frozen=True, slots=True)
class _Line:
    path: str
    number: int
    linked: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Measure each clone."""
    parser = common_arguments("measure what `why` costs in repositories with a long history")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--lines", type=int, default=30, metavar="N", help="lines to ask of (30)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each line (3)")
    args = parser.parse_args(argv)
    recorder = Recorder("why-speed", args.results)
    found = []
    with workplace(args.scratch) as bench:
        words = Path(__file__).with_name("queries.txt").read_text().split()
        for clone in args.clones:
            name = clone.name if clone.name not in ("repo", ".git") else clone.parent.name
            found.append(_measure(bench, clone, name.rpartition("+")[2], words, args))
    print(table(_HEAD, [_row(one) for one in found]))
    recorder.write(sessions=SESSIONS, lines=args.lines, rounds=args.rounds, repositories=found)
    return 0


def _measure(
    bench: Bench, clone: Path, name: str, words: Sequence[str], args: Any
) -> dict[str, Any]:
    repo = bench.repository(clone, name)
    repository = discover(repo.path, bench.env)
    MemoryStore(repository, lambda exchange: exchange).add(
        make_session(words, number) for number in range(SESSIONS)
    )
    lines = _lines(repo, repository, args.lines)
    bench.git("gc", "--quiet", cwd=repo.path)
    cases: dict[str, Callable[[], float]] = {}
    for line in lines:
        place = f"{line.path}:{line.number}"
        cases[f"why {place}"] = _why(bench, repo, place, line.linked)
        cases[f"blame {place}"] = _blame(bench, repo, line)
    taken = {case: median(costs) for case, costs in in_turn(cases, args.rounds).items()}
    listed = [bench.skillmesh(repo, "sessions").cpu for _ in range(args.rounds + 1)]
    why = sorted(cost for case, cost in taken.items() if case.startswith("why "))
    alone = [cost for case, cost in taken.items() if case.startswith("blame ")]
    added = [
        taken[f"why {p}"] - taken[f"blame {p}"] for p in (f"{n.path}:{n.number}" for n in lines)
    ]
    return {
        "name": name,
        "commits": int(repo.git("rev-list", "--count", "HEAD")),
        "why": median(why),
        "why_p95": why[int(0.95 * (len(why) - 1))],
        "why_worst": why[-1],
        "blame": median(alone),
        "blame_worst": max(alone),
        "added": median(added),
        "within": sum(cost <= BUDGET for cost in why) / len(why),
        "first_list": listed[0],
        "list": median(listed[1:]),
    }


def _lines(repo: Repo, repository: Repository, count: int) -> list[_Line]:
    """Return lines of the files that changed most often, every second one linked."""
    chance = random.Random(4)
    log = repo.git("log", "-n", "4000", "--no-merges", "--name-only", "--format=")
    tracked = set(repo.git("ls-files").splitlines())
    often = Counter(path for path in log.splitlines() if path in tracked)
    paths = [path for path, _ in often.most_common(4 * _FILES) if _is_text(repo, path)][:_FILES]
    links: dict[str, list[Link]] = {}
    lines = []
    for number in range(count):
        path = chance.choice(paths)
        line = chance.randint(1, len((repo.path / path).read_bytes().splitlines()))
        if number % 2 == 0:
            (one,) = blame(repository, path, [f"{line},{line}"])
            blob = repo.git("rev-parse", f"{one.commit.oid}:{one.path}")
            link = Link(
                f"session-{number}",
                f"{number}-0",
                0.9,
                "edit",
                one.path,
                blob,
                ((one.line, one.line),),
            )
            links.setdefault(one.commit.oid, []).append(link)
        lines.append(_Line(path, line, number % 2 == 0))
    write_links(repository, links)
    return lines


def _is_text(repo: Repo, path: str) -> bool:
    file = repo.path / path
    return file.is_file() and not file.is_symlink() and b"\0" not in file.read_bytes()


def _why(bench: Bench, repo: Repo, place: str, linked: bool) -> Callable[[], float]:
    # A line may be that of another that is linked, so only a linked one is sure of its answer.
    return lambda: bench.skillmesh(repo, "why", place, accept=(0,) if linked else (0, 1)).cpu


def _blame(bench: Bench, repo: Repo, line: _Line) -> Callable[[], float]:
    words = ("blame", "-w", "--porcelain", f"-L{line.number},{line.number}", "--", line.path)
    return lambda: bench.git(*words, cwd=repo.path).cpu


_HEAD = (
    "repository", "commits", "why cpu", "p95", "worst", "git blame", "worst", "added",
    "within budget", "first list", "list",
)  # fmt: skip


def _row(one: dict[str, Any]) -> list[object]:
    times = ("why", "why_p95", "why_worst", "blame", "blame_worst", "added")
    return [
        one["name"],
        f"{one['commits']:,}",
        *(milliseconds(one[name]) for name in times),
        f"{one['within']:.0%}",
        milliseconds(one["first_list"]),
        milliseconds(one["list"]),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
