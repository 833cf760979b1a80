"""What storing a conversation costs when many are stored already: the line has to be flat.

    python -m benchmarks.memory_growth

One repository for each number of sessions, filled one session a commit, packed by `git gc`. Then,
in turn: a new session, one more exchange of a stored one, the same import again, the list.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.measure import cpu_seconds, in_turn, median
from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.sessions.records import encode, records_of
from git_skillmesh.sessions.store import MemoryStore
from testing.repos import Repo

SIZES = (10, 100, 1_000, 2_000)
EXCHANGES = 12
_CALLS = 8
_WORDS = Path(__file__).with_name("queries.txt")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all sizes in turn."""
    parser = common_arguments("measure what storing a session costs when many are stored")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="SESSIONS")
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each kind (15)")
    args = parser.parse_args(argv)
    recorder = Recorder("memory-growth", args.results)
    words = _WORDS.read_text().split()
    with workplace(args.scratch) as bench:
        stocks = [_fill(bench, words, size) for size in args.sizes]
        cases = {
            f"{kind} {stock.size}": work
            for stock in stocks
            for kind, work in stock.works(words).items()
        }
        taken = in_turn({name: _timed(work) for name, work in cases.items()}, args.rounds)
    found = [_summary(stock, taken) for stock in stocks]
    print(table(_HEAD, [_row(one, found[0]) for one in found]))
    recorder.write(exchanges=EXCHANGES, calls=_CALLS, rounds=args.rounds, sizes=found)
    return 0


@dataclass
class _Stock:
    """A repository with `size` sessions; `text` and `disk` are bytes of one, told and packed."""

    size: int
    memory: MemoryStore
    text: float
    disk: float
    added: int = 0
    grown: int = 0

    def works(self, words: Sequence[str]) -> dict[str, Callable[[], object]]:
        """Return what is measured."""
        known = make_session(words, 0)

        def add() -> None:
            self.added += 1
            written = self.memory.add([make_session(words, self.size + self.added)])
            assert len(written.new) == 1

        def append() -> None:
            self.grown += 1
            one = _exchange(words, random.Random(-self.grown), f"more-{self.grown}")
            written = self.memory.add([replace(make_session(words, 1), exchanges=(one,))])
            assert len(written.grown) == 1

        def again() -> None:
            assert len(self.memory.add([known]).unchanged) == 1

        return {"add": add, "append": append, "again": again, "list": self.memory.sessions}


def _fill(bench: Bench, words: Sequence[str], size: int) -> _Stock:
    repo = Repo(bench.folder / f"memory-{size}")
    bench.git("init", "--quiet", str(repo.path))
    memory = MemoryStore(discover(repo.path, bench.env), lambda exchange: exchange)
    text = 0
    for number in range(size):
        session = make_session(words, number)
        memory.add([session])
        text += sum(len(encode(records_of(exchange))) for exchange in session.exchanges)
    bench.git("gc", "--quiet", cwd=repo.path)
    return _Stock(size, memory, text / size, _packed(bench, repo) / size)


def _packed(bench: Bench, repo: Repo) -> int:
    told = bench.git("count-objects", "-v", cwd=repo.path).output.decode()
    counts = dict(line.split(": ") for line in told.splitlines())
    return int(counts["size-pack"]) * 1024


def make_stored_session(number: int) -> Session:
    """Return a session of a few kilobytes, the same at every call."""
    return make_session(_WORDS.read_text().split(), number)


def make_session(words: Sequence[str], number: int) -> Session:
    """Return the same, made of these words."""
    chance = random.Random(number)
    made = tuple(_exchange(words, chance, f"{number}-{n}") for n in range(EXCHANGES))
    return Session(f"session-{number}", "codex", made, " ".join(chance.choices(words, k=6)))


def _exchange(words: Sequence[str], chance: random.Random, name: str) -> Exchange:
    def say(count: int) -> str:
        return " ".join(chance.choices(words, k=count))

    tools = tuple(
        ToolCall(
            f"{name}-{call}", "Edit", Act.EDIT, say(12), say(60), paths=("src/app.py",),
            edits=(Edit("src/app.py", say(20), say(24)),),
        )
        for call in range(_CALLS)
    )  # fmt: skip
    start = f"2024-03-01T{chance.randrange(24):02}:00:00Z"
    return Exchange(name, say(40), say(150), start, start, "model-1", tools)


def _timed(work: Callable[[], object]) -> Callable[[], tuple[float, float]]:
    def measure() -> tuple[float, float]:
        wall, cpu = perf_counter(), cpu_seconds()
        work()
        return perf_counter() - wall, cpu_seconds() - cpu

    return measure


def _summary(stock: _Stock, taken: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "sessions": stock.size,
        "text_bytes": round(stock.text),
        "disk_bytes": round(stock.disk),
    }
    for kind in ("add", "append", "again", "list"):
        walls, cpus = zip(*taken[f"{kind} {stock.size}"], strict=True)
        found[kind] = {"wall": median(walls), "cpu": median(cpus)}
    return found


_HEAD = (
    "sessions", "add cpu", "wall", "ratio", "append cpu", "wall", "ratio", "again cpu", "ratio",
    "list cpu", "text", "on disk",
)  # fmt: skip


def _row(one: dict[str, Any], first: dict[str, Any]) -> list[object]:
    def ratio(kind: str) -> str:
        return f"{one[kind]['cpu'] / first[kind]['cpu']:.2f}"

    return [
        f"{one['sessions']:,}",
        milliseconds(one["add"]["cpu"]),
        milliseconds(one["add"]["wall"]),
        ratio("add"),
        milliseconds(one["append"]["cpu"]),
        milliseconds(one["append"]["wall"]),
        ratio("append"),
        milliseconds(one["again"]["cpu"]),
        ratio("again"),
        milliseconds(one["list"]["cpu"]),
        f"{one['text_bytes'] / 1000:.1f} kB",
        f"{one['disk_bytes'] / 1000:.1f} kB",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
