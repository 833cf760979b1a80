"""How fast a data set is made of many exchanges, and in how much memory.

    python -m benchmarks.dataset

Made conversations (benchmarks/made_conversations.py): each exchange reads two files and changes
one. Two sizes in one run; what is kept is the cost of an exchange in the larger as a ratio of the
smaller, which has to stay near one, and the peak memory of both.
"""

import os
import sys
from collections.abc import Sequence

from benchmarks.made_conversations import PER_SESSION, fill
from benchmarks.measure import Cost, run
from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, megabytes, table
from testing.repos import Repo

EXCHANGES = 100_000
_FORMATS = ("kto", "dpo")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure both sizes."""
    parser = common_arguments("measure how fast a data set is made, and in how much memory")
    parser.add_argument("--exchanges", type=int, default=EXCHANGES, metavar="N")
    args = parser.parse_args(argv)
    recorder = Recorder("dataset", args.results)
    sizes = (max(args.exchanges // 10, PER_SESSION), args.exchanges)
    rows, found = [], []
    with workplace(args.scratch) as bench:
        for size in sizes:
            path = bench.folder / f"made-{size}"
            path.mkdir()
            (path / "README.md").write_text("made\n")
            repo = bench.new_repository(path)
            fill(repo, size)
            for form in _FORMATS:
                cost = _export(repo, form, bench.env)
                each = cost.cpu / size
                found.append(
                    {
                        "exchanges": size, "format": form, "cpu": round(cost.cpu, 2),
                        "wall": round(cost.wall, 2), "peak": cost.peak,
                    }
                )  # fmt: skip
                shown = (f"{cost.cpu:.1f} s", f"{each * 1000:.2f} ms", megabytes(cost.peak or 0))
                rows.append((f"{size:,}", form, *shown))
    print(table(("exchanges", "format", "processor", "each", "peak"), rows))
    small, large = found[0], found[len(_FORMATS)]
    ratio = large["cpu"] / large["exchanges"] / (small["cpu"] / small["exchanges"])
    recorder.write(sizes=found, ratio=round(ratio, 3))
    return 0


def _export(repo: Repo, form: str, env: dict[str, str]) -> Cost:
    command = [sys.executable, "-m", "git_skillmesh", "export-rl", "--format", form, "-q"]
    return run(command, repo.path, {**os.environ, **env}, memory=True)


if __name__ == "__main__":
    sys.exit(main())
