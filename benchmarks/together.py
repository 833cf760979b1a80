"""Two MCP servers, four shells and commits at work on one repository: is anything lost or stale?

    python -m benchmarks.together --seconds 300

The servers are driven by the real client over standard input and output, and one is killed with -9
now and then. Exit code 0 only when every search showed what was there at that moment, everything
written is there once, and doctor finds nothing wrong.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, table
from testing.soak import Soak, leftovers

_SHOWN = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print and record."""
    parser = common_arguments("let servers, shells and commits work on one repository")
    parser.add_argument("--seconds", type=float, default=300, help="how long (300)")
    parser.add_argument("--seed", type=int, default=1, help="of what is done (1)")
    args = parser.parse_args(argv)
    recorder = Recorder("together", args.results)
    with workplace(args.scratch) as bench:
        os.environ.clear()
        os.environ.update(bench.env)
        soak = Soak(Path(bench.folder), args.seed, bench.env)
        well = soak.run(args.seconds)
        left = leftovers(soak.token)
    if left:
        soak.failures.append(f"processes are left: {left}")
    print(table(("what", "times"), sorted(soak.counts.items())))
    for failure in soak.failures[:_SHOWN]:
        print(f"FAILED {failure}")
    recorder.write(
        seconds=args.seconds, seed=args.seed, counts=dict(sorted(soak.counts.items())),
        failures=soak.failures,
    )  # fmt: skip
    return 0 if well and not left else 1


if __name__ == "__main__":
    sys.exit(main())
