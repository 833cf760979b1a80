"""How fast conversations are taken in, and what a look at known ones costs.

    python -m benchmarks.import_speed REPOSITORY…

REPOSITORY is a clone that holds conversations: Entire's checkpoints, notes of git-ai, histories of
SpecStory or Aider. Each is cloned and imported twice: read, parsed, redacted, stored; then nothing
is new. Processor time of all processes. Last, the step that runs after each commit, with
transcripts that it knows and that have not changed.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks.measure import in_turn, median
from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, megabytes, milliseconds, table
from git_skillmesh.config import load
from git_skillmesh.git.notes import notes_of
from git_skillmesh.git.objects import sizes
from git_skillmesh.git.refs import list_refs
from git_skillmesh.git.repository import discover
from git_skillmesh.git.trees import list_tree
from git_skillmesh.sessions.capture import capture_live
from git_skillmesh.sessions.importers.detect import READERS
from git_skillmesh.sessions.importers.discover import files_of
from git_skillmesh.sessions.importers.source import roots_of
from testing.repos import Repo, run
from testing.transcripts import claude, claude_says, jsonl

_TRANSCRIPT = re.compile(r"(?:^|/)(?:full|agent-[\w-]+)\.jsonl?$")
KNOWN = (0, 50, 500)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all repositories, then the look at known transcripts."""
    parser = common_arguments("measure how fast conversations are imported")
    parser.add_argument("repositories", nargs="*", type=Path, metavar="REPOSITORY")
    parser.add_argument("--rounds", type=int, default=15, help="looks at known transcripts (15)")
    args = parser.parse_args(argv)
    recorder = Recorder("import-speed", args.results)
    with workplace(args.scratch) as bench:
        imports = [_import(bench, path) for path in args.repositories]
        looks = _looks(bench, args.rounds)
    print(table(_HEAD, [_row(one) for one in imports]))
    print(table(["known transcripts", "cpu", "wall"], [
        [str(one["transcripts"]), milliseconds(one["cpu"]), milliseconds(one["wall"])]
        for one in looks
    ]))  # fmt: skip
    recorder.write(imports=imports, looks=looks)
    return 0


def _import(bench: Bench, path: Path) -> dict[str, Any]:
    name = path.name if path.name != "repo" else path.parent.name.partition("+")[2]
    repo = Repo(bench.folder / name)
    # Objects are shared, and a file that a copy lacks is no trouble here.
    run("git", "clone", "--quiet", "--shared", path, repo.path, cwd=bench.folder, env=bench.env)
    bench.configure(repo)
    notes = "+refs/notes/ai:refs/notes/ai"
    repo.run("fetch", "--quiet", "origin", notes)
    size = _told(repo)
    first = bench.skillmesh(repo, "import", "--json", accept=(0, 1))
    again = bench.skillmesh(repo, "import", "--json", accept=(0, 1))
    repo.git("update-ref", "-d", "refs/skillmesh/memory")
    watched = bench.skillmesh(repo, "import", "--json", accept=(0, 1), memory=True)
    report = json.loads(first.output)["sources"]
    assert all(not one["new"] and not one["grown"] for one in json.loads(again.output)["sources"])
    return {
        "repository": name,
        "bytes": size,
        "sessions": sum(len(one["new"]) for one in report),
        "exchanges": sum(one["exchanges"] for one in report),
        "redactions": sum(sum(one["redactions"].values()) for one in report),
        "problems": sum(len(one["problems"]) for one in report),
        "cpu": first.cpu,
        "wall": first.wall,
        "again_cpu": again.cpu,
        "peak": watched.peak,
    }


def _told(repo: Repo) -> int:
    """Return how many bytes of conversation there are, each blob once."""
    repository = discover(repo.path)
    oids: set[str] = set()
    for ref in list_refs(
        repository, "refs/heads/entire/**", "refs/remotes/*/entire/checkpoints/**"
    ):
        tree = list_tree(repository, ref)
        oids |= {oid for path, oid in tree.items() if _TRANSCRIPT.search(path)}
    if list_refs(repository, "refs/notes/ai"):
        oids |= set(notes_of(repository, "refs/notes/ai").values())
    roots = roots_of(repository)
    files = (file for agent in READERS for file in files_of(agent, roots, {"HOME": os.devnull}))
    return sum(sizes(repository, oids).values()) + sum(file.stat().st_size for file in files)


def _looks(bench: Bench, rounds: int) -> list[dict[str, Any]]:
    """Return what `capture_live` costs when nothing has changed."""
    works = {}
    for count in KNOWN:
        repo = Repo(bench.folder / f"known-{count}")
        bench.git("init", "--quiet", str(repo.path))
        home = bench.folder / f"home-{count}"
        folder = home / ".claude" / "projects" / re.sub(r"[^A-Za-z0-9]", "-", str(repo.path))
        folder.mkdir(parents=True)
        for number in range(count):
            about = {"sessionId": f"s{number}", "cwd": str(repo.path)}
            records = [
                claude("user", f"p{number}", 1, f"ask {number}", **about),
                claude_says(f"a{number}", 2, "done " * 2000) | about,
            ]
            (folder / f"s{number}.jsonl").write_bytes(jsonl(records))
        repository = discover(repo.path, bench.env)
        config, environ = load(repository, environ=bench.env), {"HOME": str(home)}

        def look(
            repository: Any = repository, config: Any = config, environ: Any = environ
        ) -> tuple[float, float]:
            cpu, wall = process_time(), perf_counter()
            captured = capture_live(repository, config, environ=environ)
            assert not captured.problems
            return process_time() - cpu, perf_counter() - wall

        look()
        works[str(count)] = look
    taken = in_turn(works, rounds)
    return [
        {
            "transcripts": int(count),
            "cpu": median([cpu for cpu, _ in times]),
            "wall": median([wall for _, wall in times]),
        }
        for count, times in taken.items()
    ]


_HEAD = (
    "repository", "read", "sessions", "exchanges", "redactions", "problems", "cpu", "MB/s",
    "again", "peak",
)  # fmt: skip


def _row(one: dict[str, Any]) -> list[object]:
    return [
        one["repository"],
        megabytes(one["bytes"]),
        one["sessions"],
        one["exchanges"],
        one["redactions"],
        one["problems"],
        f"{one['cpu']:.1f} s",
        f"{one['bytes'] / 1e6 / one['cpu']:.0f}",
        f"{one['again_cpu']:.1f} s",
        megabytes(one["peak"] or 0),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
