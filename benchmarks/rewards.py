"""What judging costs: `python -m benchmarks.rewards --commits 20000 --exchanges 10000`.

In: numbers. Out: processor time of `git skillmesh rewards` on a made repository: everything for the
first time, with nothing new, after one more commit, and at another revision. Every second commit
was made by an exchange and adds a function to one of 400 files; every fifth takes one away again.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, table
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.sessions.links import Link, write_links
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.sessions.store import MemoryStore
from testing.repos import Repo, make_repo

_FILES, _A_SESSION = 400, 20
_BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
_LINES = 8


class _Made(NamedTuple):
    """A commit by an exchange: what it added to the end of a file, which ends at line `last`."""

    number: int
    file: int
    function: str
    blob: str
    last: int


def main(argv: Sequence[str] | None = None) -> int:
    """Make, measure, print, record."""
    parser = common_arguments("measure what judging exchanges costs")
    parser.add_argument("--commits", type=int, default=20_000)
    parser.add_argument("--exchanges", type=int, default=10_000)
    args = parser.parse_args(argv)
    recorder = Recorder("rewards", args.results)
    with workplace(args.scratch) as bench:
        os.environ.clear()
        os.environ.update(bench.env)
        repo = make_repo(bench.folder, "made")
        _make(repo, args.commits, args.exchanges)
        runs = {"everything": _run(bench, repo), "nothing new": _run(bench, repo)}
        repo.commit("one more", {"src/file7.py": _function(7, args.commits + 1)})
        runs["one more commit"] = _run(bench, repo)
        runs["nothing new again"] = _run(bench, repo)
        runs["100 commits back"] = _run(bench, repo, "--at", "HEAD~100")
    cells = [[name, f"{cpu:.1f} s", f"{wall:.1f} s"] for name, (cpu, wall) in runs.items()]
    print(table(("run", "processor", "wall"), cells))
    recorder.write(
        commits=args.commits,
        exchanges=args.exchanges,
        runs={name: {"cpu": cpu, "wall": wall} for name, (cpu, wall) in runs.items()},
    )
    return 0


def _run(bench: Bench, repo: Repo, *more: str) -> tuple[float, float]:
    cost = bench.skillmesh(repo, "rewards", *more)
    return round(cost.cpu, 2), round(cost.wall, 2)


def _function(file: int, number: int) -> str:
    body = "".join(
        f"    step_{line} = weigh_{number}(parcel, {number * 7 + line})\n"
        for line in range(_LINES - 2)
    )
    return f"def deliver_{file}_{number}(parcel):\n{body}    return step_0 + step_1\n"


def _time(number: int) -> datetime:
    return _BEGINNING + timedelta(hours=number)


def _make(repo: Repo, commits: int, exchanges: int) -> None:
    """Write commits with git fast-import, then the memory and the notes."""
    texts: dict[int, list[str]] = {}
    made: list[_Made] = []
    repository = discover(repo.path)

    def stream() -> Iterator[bytes]:
        for number in range(1, commits + 1):
            file = number * 7 % _FILES
            there = texts.setdefault(file, [])
            if number % 5 == 0 and len(there) > 2:
                there.pop(len(there) // 2)
            function = _function(file, number)
            there.append(function)
            data = "".join(there).encode()
            if number % 2 == 0 and len(made) < exchanges:
                last = data.count(b"\n")
                made.append(_Made(number, file, function, repository.hash_blob(data), last))
            when = f"A <a@example.org> {int(_time(number).timestamp())} +0000"
            yield f"commit refs/heads/main\nmark :{number}\ncommitter {when}\n".encode()
            yield b"data 1\nx\n"
            yield f"M 100644 inline src/file{file}.py\ndata {len(data)}\n".encode() + data + b"\n"

    process = subprocess.Popen(
        ["git", "fast-import", "--quiet", "--export-marks=marks"], cwd=repo.path,
        stdin=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    for part in stream():
        process.stdin.write(part)
    process.stdin.close()
    assert process.wait() == 0
    marks = dict(line.split() for line in (repo.path / "marks").read_text().splitlines())
    (repo.path / "marks").unlink()
    repo.git("reset", "--quiet", "--hard")
    _remember(repository, made, marks)


def _remember(repository: Repository, made: list[_Made], marks: dict[str, str]) -> None:
    links, sessions = {}, []
    exchanges: list[Exchange] = []
    for place, (number, file, function, blob, last) in enumerate(made):
        path, name = f"src/file{file}.py", f"s{place // _A_SESSION}"
        when = (_time(number) - timedelta(minutes=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
        edit = Edit(path, "", function)
        call = ToolCall("c", "Edit", Act.EDIT, time=when, edits=(edit,))
        exchanges.append(Exchange(f"e{number}", "write", "done", when, when, tools=(call,)))
        ranges = ((last - _LINES + 1, last),)
        links[marks[f":{number}"]] = [Link(name, f"e{number}", 0.98, "edit", path, blob, ranges)]
        if len(exchanges) == _A_SESSION or place == len(made) - 1:
            sessions.append(Session(name, "claude-code", tuple(exchanges)))
            exchanges = []
    MemoryStore(repository, lambda exchange: exchange).add(sessions)
    write_links(repository, links)


if __name__ == "__main__":
    raise SystemExit(main())
