"""A team's afternoon: do two clones, a remote and a server agree after work with outages?

    python -m benchmarks.afternoon --seeds 1 2 3 --steps 80

Two people commit, branch, merge, rebase, amend, hold conversations that are linked to lines, write
learnings and thoughts, and forget, in random order; the server answers with errors, half answers or
not at all, the remote comes and goes. In the end both clones and the server must agree row by row,
doctor must find nothing, and a third clone, made from git alone, must know everything.
"""

import os
import time
from collections.abc import Sequence

from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, table
from testing.afternoon import Afternoon
from testing.chroma_server import ChromaServer
from testing.hostile import HostileProxy
from testing.team import Team


def main(argv: Sequence[str] | None = None) -> int:
    """Live through an afternoon for each seed. Raises AssertionError where something differs."""
    parser = common_arguments("let a team work through outages, and compare everything in the end")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=80, help="steps of an afternoon (80)")
    parser.add_argument("--quiet", action="store_true", help="do not print each step")
    args = parser.parse_args(argv)
    recorder = Recorder("afternoon", args.results)
    found = []
    with workplace(args.scratch) as bench:
        os.environ.clear()
        os.environ.update(bench.env)
        for seed in args.seeds:
            folder = bench.folder / f"afternoon-{seed}"
            folder.mkdir()
            found.append(_live(folder, seed, args.steps, args.quiet))
    recorder.write(afternoons=found)
    names = ("seed", "steps", "failures", "troubles", "rows", "seconds")
    print(table(names, [[str(one[name]) for name in names] for one in found]))
    return 0


def _live(folder, seed: int, steps: int, quiet: bool) -> dict[str, object]:  # type: ignore[no-untyped-def]
    server = ChromaServer(folder / "server")
    server.start()
    started = time.monotonic()
    try:
        with HostileProxy(server.url).running() as proxy:
            say = (lambda line: None) if quiet else print
            afternoon = Afternoon(Team(folder, proxy.url), proxy, seed, say)
            afternoon.work(steps)
            afternoon.settle()
            rows = afternoon.check()
            troubles = sum(1 for *_, what in proxy.seen if what != "pass")
    finally:
        server.stop()
    return {
        "seed": seed, "steps": steps, "failures": afternoon.failures, "troubles": troubles,
        "rows": sum(rows.values()), "collections": rows,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
