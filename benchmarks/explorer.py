"""How long the explorer takes to start and to answer, on a large made repository.

    python -m benchmarks.explorer [--commits 20000] [--sessions 2000] [--files 300]

The real program is started as a user does, with no cache of its own, and asked over loopback as the
page asks. First view: the overview and the newest page of the timeline, both asked for as soon as
the address is printed. Then views of every kind, each of other things: p50 and p95. Also the peak
memory of the process, and how long an export of a bounded number of files takes.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from benchmarks.made_history import make
from benchmarks.measure import median, percentile
from benchmarks.measure import run as run_measured
from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from testing.repos import Repo

_ROUNDS = 3
_EACH = 30


class Asker:
    """A browser: one connection, and the cookie."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = HTTPConnection(parts.netloc, timeout=120)
        token = parse_qs(parts.query)["token"][0]
        self._headers = {"Cookie": f"skillmesh-{parts.port}={token}"}

    def ask(self, path: str) -> Any:
        """Return a document."""
        self._connection.request("GET", f"/api/{path}", headers=self._headers)
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise ValueError(f"{path}: {answer.status} {data[:200]!r}")
        return json.loads(data)

    def timed(self, path: str) -> float:
        """Return how many seconds a document takes."""
        begun = time.perf_counter()
        self.ask(path)
        return time.perf_counter() - begun


@contextmanager
def served(repo: Repo, bench: Bench) -> Iterator[tuple[str, float, int]]:
    """Give the address, how long it took to be printed, and the id of the process."""
    begun = time.perf_counter()
    command = [sys.executable, "-P", "-m", "git_skillmesh", "explore"]
    with subprocess.Popen(
        command, cwd=repo.path, env=bench.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    ) as process:  # fmt: skip
        if process.stdout is None:
            raise OSError("no pipe")
        address = process.stdout.readline().strip()
        try:
            yield address, time.perf_counter() - begun, process.pid
        finally:
            process.terminate()
            process.wait()


def first_view(repo: Repo, bench: Bench, *, cold: bool) -> tuple[float, float, float]:
    """Return the seconds to the address, and from there to both documents of the first view.

    Then the processor time that all of it took, also of git processes that go on.
    """
    if cold:
        shutil.rmtree(repo.path / ".git/skillmesh/explorer", ignore_errors=True)
        (repo.path / ".git/skillmesh/openings.json").unlink(missing_ok=True)
    with served(repo, bench) as (address, start, pid), ThreadPoolExecutor(2) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda path: Asker(address).ask(path), ["overview.json", "timeline/0.json"]))
        seconds = time.perf_counter() - begun
        return start, seconds, cpu_of(pid)


def cpu_of(pid: int) -> float:
    """Return the processor time of a process and all that it has started, in seconds."""
    total, waiting = 0.0, [pid]
    while waiting:
        place = Path(f"/proc/{waiting.pop()}")
        with suppress(OSError):
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            for task in (place / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return total


def paths_of(asker: Asker, repo: Repo) -> dict[str, list[str]]:
    """Return addresses of things of each kind, chosen by chance."""
    rng = random.Random(1)
    overview = asker.ask("overview.json")
    commits = repo.git("rev-list", "HEAD").split()
    files = repo.git("ls-files").splitlines()
    sessions = [
        one["key"]
        for page in range(overview["session_pages"])
        for one in asker.ask(f"sessions/{page}.json")["sessions"]
    ]
    some = rng.sample(sessions, min(_EACH, len(sessions)))
    exchanges = [
        rng.choice(asker.ask(f"session/{key}.json")["exchanges"])["ref"]["key"] for key in some
    ]
    pages = range(1, overview["timeline_pages"])
    areas = sorted({path.rpartition("/")[0] for path in files})
    words = ["where are totals read", "parse line", "kalo mire", "why was file 12 changed"]
    return {
        "overview": ["overview.json"] * _EACH,
        "timeline": [f"timeline/{n}.json" for n in rng.sample(pages, min(_EACH, len(pages)))],
        "sessions": [f"sessions/{n}.json" for n in range(overview["session_pages"])],
        "session": [f"session/{key}.json" for key in rng.sample(sessions, min(_EACH, len(some)))],
        "exchange": [f"exchange/{key}.json" for key in exchanges],
        "commit": [f"commit/{oid}.json" for oid in rng.sample(commits, min(_EACH, len(commits)))],
        "file": [f"file/{name}.json" for name in rng.sample(files, min(_EACH, len(files)))],
        "map": [f"map/{name}.json" for name in ["_root", *areas[:_EACH]]],
        "search": [f"search.json?q={quote(text)}" for text in words * 3],
    }


def peak_of(pid: int) -> int:
    """Return the peak of the memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def exported(repo: Repo, bench: Bench, most: int) -> dict[str, Any]:
    """Return what writing the page with so many files costs."""
    folder = bench.folder / "export"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-P", "-m", "git_skillmesh", "explore", "--out", str(folder)]
    cost = run_measured([*command, "--max-files", str(most)], repo.path, bench.env, memory=True)
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return {
        "wall": cost.wall, "cpu": cost.cpu, "peak": cost.peak, "files": len(sizes),
        "bytes": sum(sizes),
    }  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Make the repository, measure, print, record."""
    parser = common_arguments("measure the explorer")
    parser.add_argument("--commits", type=int, default=20_000)
    parser.add_argument("--sessions", type=int, default=2_000)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--export", type=int, default=2_000, metavar="FILES")
    args = parser.parse_args(argv)
    recorder = Recorder("explorer", args.results)
    with workplace(args.scratch) as bench:
        path = bench.folder / f"made-{args.commits}-{args.sessions}-{args.files}"
        repo = Repo(path) if path.exists() else make(path, args.commits, args.sessions, args.files)
        bench.configure(repo)
        program = [sys.executable, "-P", "-m", "git_skillmesh"]
        run_measured([*program, "index", "-q"], path, bench.env)
        cold = [first_view(repo, bench, cold=True) for _ in range(_ROUNDS)]
        warm = [first_view(repo, bench, cold=False) for _ in range(_ROUNDS)]
        times: dict[str, list[float]] = {}
        cpu: dict[str, float] = {}
        with served(repo, bench) as (address, _, pid):
            asker = Asker(address)
            for kind, paths in paths_of(asker, repo).items():
                before = cpu_of(pid)
                times[kind] = [asker.timed(path) for path in paths]
                cpu[kind] = (cpu_of(pid) - before) / len(paths)
            peak = peak_of(pid)
        written = exported(repo, bench, args.export)
    first = {
        f"{what}{told}": median([one[place] for one in runs])
        for told, runs in ((", no cache", cold), ("", warm))
        for place, what in enumerate(("start", "first view", "cpu of both"))
    }
    print(table(["what", "median"], [[name, milliseconds(one)] for name, one in first.items()]))
    views = {
        kind: {
            "p50": percentile(found, 0.5), "p95": percentile(found, 0.95), "cpu": cpu[kind],
            "n": len(found),
        }
        for kind, found in times.items()
    }  # fmt: skip
    rows = [
        [kind, *(milliseconds(one[name]) for name in ("p50", "p95", "cpu"))]
        for kind, one in views.items()
    ]
    print(table(["view", "p50", "p95", "cpu, mean"], rows))
    print(f"peak memory {peak / 1e6:.0f} MB; export of {written['files']:,} files: {written}")
    recorder.write(
        commits=args.commits, sessions=args.sessions, files=args.files, first=first, views=views,
        peak=peak, export=written,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
