"""Many clients on one Chroma server: `python -m benchmarks.team_load --clients 20 --seconds 240`.

Each client has a repository of its own, made here, and works as a person does: edits files,
commits, indexes and waits until the server has it, searches, pauses. Every index run is a process
of its own with the writer that it starts (`git skillmesh index --chroma wait`), and so is every
search from the shell; the other searches go through a client that stays open, as in a server for
agents. With `--outage` the server is stopped halfway for some seconds.

Measured: seconds from the commit until its rows are on the server, seconds of searches, what
failed. At the end every row of every client is compared with the file that it was made of, by id,
text, vector and hash, and the collection must hold nothing else.
"""

import os
import random
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.measure import percentile
from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, megabytes, milliseconds, table
from benchmarks.team_server import memory_of, used_by
from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.codebase import COLLECTION, codebase_rows
from git_skillmesh.chroma.doctor import examine
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.target import Target
from git_skillmesh.config import load
from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.errors import ExitCode, SkillmeshError, Unavailable
from git_skillmesh.git.repository import discover
from testing.chroma_server import ChromaServer
from testing.repos import Repo

_THINGS = ("parcel", "label", "invoice", "depot", "route", "driver", "scan", "address", "tariff")
_DEEDS = ("weigh", "print", "archive", "sort", "validate", "merge", "price", "cancel", "notify")
# How often a client that is behind tries again at the end.
_TRIES = 3
# Runs the program in a repository; exit code and processor seconds, those of the writer included.
Command = Callable[[Repo, tuple[str, ...]], tuple[int, float]]


@dataclass
class Client:
    """One of the team: a repository, and how long what it did took (seconds)."""

    number: int
    repo: Repo
    files: int
    command: Command
    arrived: list[float] = field(default_factory=list)
    caught_up: list[float] = field(default_factory=list)
    searched: list[float] = field(default_factory=list)
    shell: list[float] = field(default_factory=list)
    arrived_cpu: list[float] = field(default_factory=list)
    shell_cpu: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    away: int = 0
    commits: int = 0

    @property
    def repo_id(self) -> str:
        """Identity in the store."""
        return f"client-{self.number:02}"

    def prepare(self, server: ChromaServer) -> None:
        """Write the first files and name the server; nothing is indexed yet."""
        for name, value in (
            ("chroma.impl", "http"), ("chroma.url", server.url), ("repoid", self.repo_id),
            ("reponame", f"team/{self.repo_id}"),
        ):  # fmt: skip
            self.repo.git("config", f"skillmesh.{name}", value)
        for number in range(self.files):
            self.repo.write(f"src/part_{number}.py", self._text(number, 0))
        self.repo.commit("first")

    def _text(self, number: int, version: int) -> str:
        chosen = random.Random(f"{self.number}.{number}.{version}")
        functions = []
        for place in range(5):
            deed, thing = chosen.choice(_DEEDS), chosen.choice(_THINGS)
            functions.append(
                f"def {deed}_{thing}_{place}(value):\n"
                f'    """{deed.title()} the {thing} of client {self.number}."""\n'
                f"    return value * {chosen.randrange(10_000)} + {version}\n"
            )
        return "\n\n".join(functions)

    def work(self, seconds: float, pause: float, searches: int, server: ChromaServer) -> None:
        """Commit, index and search until the time is up; a failure is kept, not raised."""
        chosen = random.Random(self.number)
        deadline = time.monotonic() + seconds
        behind = 0.0
        # People do not all begin in the same second.
        time.sleep(chosen.uniform(0, min(pause, seconds)))
        while True:
            self.commits += 1
            began = time.monotonic()
            for number in chosen.sample(range(self.files), min(2, self.files)):
                self.repo.write(f"src/part_{number}.py", self._text(number, self.commits))
            self.repo.commit(f"change {self.commits}")
            code, cpu = self.command(self.repo, ("index", "--chroma", "wait"))
            took = time.monotonic() - began
            if code == 0 and behind:
                self.caught_up.append(time.monotonic() - behind)
                behind = 0.0
            elif code == 0:
                self.arrived.append(took)
                self.arrived_cpu.append(cpu)
            elif code == ExitCode.UNAVAILABLE:
                self.away += 1
                behind = behind or began
            else:
                self.errors.append(f"index: exit code {code}")
            if code == 0:
                self._search(chosen, searches, server)
            if time.monotonic() + pause > deadline:
                break
            time.sleep(chosen.uniform(0.5, 1.5) * pause)
        for _ in range(_TRIES):
            if behind and self.command(self.repo, ("index", "--chroma", "wait"))[0] == 0:
                self.caught_up.append(time.monotonic() - behind)
                behind = 0.0

    def _search(self, chosen: random.Random, searches: int, server: ChromaServer) -> None:
        """Search through an open client, and once from the shell."""
        embedder = StaticEmbedder.load()
        try:
            with ChromaReader(Target("http", url=server.url)) as reader:
                for _ in range(searches):
                    vector = embedder.embed_query(_question(chosen))
                    began = time.monotonic()
                    where = {"repo_id": self.repo_id}
                    found = reader.query(COLLECTION, vector, 10, where, embedder.model_id)
                    self.searched.append(time.monotonic() - began)
                    if {meta["repo_id"] for _, _, meta in found} != {self.repo_id}:
                        self.errors.append(f"a search found {len(found)} rows, or others' rows")
        except Unavailable:
            self.away += 1
        except SkillmeshError as error:
            self.errors.append(f"search: {error.what}")
        began = time.monotonic()
        words = ("query", "--backend", "chroma", "-n", "3", _question(chosen))
        code, cpu = self.command(self.repo, words)
        if code == 0:
            self.shell.append(time.monotonic() - began)
            self.shell_cpu.append(cpu)
        elif code == ExitCode.UNAVAILABLE:
            self.away += 1
        else:
            self.errors.append(f"query: exit code {code}")


def _question(chosen: random.Random) -> str:
    return f"{chosen.choice(_DEEDS)} the {chosen.choice(_THINGS)}"


def make_clients(folder: Path, count: int, files: int, command: Command) -> list[Client]:
    """Make empty repositories for clients."""
    found = []
    for number in range(count):
        path = folder / f"client-{number:02}"
        path.mkdir(parents=True)
        repo = Repo(path)
        repo.git("init", "--quiet", "--initial-branch=main")
        found.append(Client(number, repo, files, command))
    return found


def work_together(
    team: Sequence[Client], server: ChromaServer, seconds: float, pause: float, searches: int
) -> None:
    """Let all clients work at the same time."""
    with ThreadPoolExecutor(len(team)) as pool:
        futures = [pool.submit(one.work, seconds, pause, searches, server) for one in team]
        for future in futures:
            future.result()


def verify(team: Sequence[Client], server: ChromaServer) -> list[str]:
    """Return what is wrong with the server's rows: nothing, if nothing was lost or mixed up."""
    target = Target("http", url=server.url, keeps_documents=True)
    wrong: list[str] = []
    total = 0
    with ChromaReader(target) as reader:
        for one in team:
            rows = list(
                reader.get(
                    COLLECTION, where={"repo_id": one.repo_id}, include=("metadatas", "documents")
                )
            )
            total += len(rows)
            wrong += [f"{one.repo_id}: {what}" for what in _differences(one, rows)]
    client = clients.open_client(target, 60)
    held = client.get_collection(COLLECTION, embedding_function=None).count()
    clients.close(client)
    if held != total:
        wrong.append(f"the collection has {held} rows, the clients have {total}")
    return wrong


def _differences(one: Client, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Compare a client's rows with its files, and with its index by the doctor."""
    texts = {
        path: (one.repo.path / path).read_text().split("\n")
        for path in one.repo.git("ls-files").splitlines()
    }
    listed = one.repo.git("ls-tree", "-r", "--format=%(path) %(objectname)", "HEAD")
    blobs = dict(line.rsplit(" ", 1) for line in listed.splitlines())
    wrong = []
    for row in rows:
        meta = row["metadata"]
        lines = texts.get(meta["file_path"], [])[meta["start_line"] - 1 : meta["end_line"]]
        if "\n".join(lines) != row["document"]:
            wrong.append(f"{meta['file_path']}:{meta['start_line']} has another text")
        if blobs.get(meta["file_path"]) != meta["blob_sha"]:
            wrong.append(f"{meta['file_path']} is of another version")
    repository = discover(one.repo.path)
    config = load(repository)
    target = Target("http", url=config["chroma.url"], keeps_documents=True)
    with codebase_rows(repository, config, update_first=False) as source:
        _, paths = source.changes(None)
        expected = {row.id for row in source.rows(paths, documents=False)}
        if expected != {row["id"] for row in rows}:
            wrong.append(f"{len(rows)} rows, {len(expected)} expected")
        wrong += [one.message for one in examine(source, target, repository.state_dir)]
    return wrong


def main(argv: Sequence[str] | None = None) -> int:
    """Work, verify, write the results. Returns 1 when a row is lost or wrong."""
    parser = common_arguments("measure many clients on one Chroma server")
    parser.add_argument("--clients", type=int, default=20, help="repositories (20)")
    parser.add_argument("--seconds", type=float, default=240, help="of work after the start (240)")
    parser.add_argument("--pause", type=float, default=30, help="between commits, mean (30)")
    parser.add_argument("--files", type=int, default=40, help="in each repository (40)")
    parser.add_argument("--searches", type=int, default=10, help="after each commit (10)")
    parser.add_argument("--outage", type=float, default=0, help="seconds without server (0)")
    args = parser.parse_args(argv)
    recorder = Recorder("team-load", args.results)
    with workplace(args.scratch) as bench:
        server = ChromaServer(bench.folder / "chroma")
        server.start()

        def command(repo: Repo, words: tuple[str, ...]) -> tuple[int, float]:
            return _measured(repo, words, bench.env)

        team = make_clients(bench.folder, args.clients, args.files, command)
        try:
            began = time.monotonic()
            with ThreadPoolExecutor(len(team)) as pool:
                list(pool.map(lambda one: one.prepare(server), team))
                first = list(pool.map(lambda one: _first(one), team))
            first_seconds = time.monotonic() - began
            stopper = Thread(target=_stop_for, args=(server, args.seconds / 2, args.outage))
            if args.outage:
                stopper.start()
            used, began = used_by(server.pid), time.monotonic()
            work_together(team, server, args.seconds, args.pause, args.searches)
            seconds = time.monotonic() - began
            if args.outage:
                stopper.join()
            found = _summary(team) | {
                "clients": len(team), "seconds": seconds, "first_all": first_seconds,
                "first_p50": percentile(first, 0.5), "pause": args.pause,
                "outage": args.outage, "memory_bytes": memory_of(server.pid),
                "server_cpu_share": None if args.outage else (used_by(server.pid) - used) / seconds,
                "wrong": verify(team, server),
            }  # fmt: skip
        finally:
            server.stop()
    print(table(_HEAD, [_shown(found)]))
    for what in [*found["errors"], *found["wrong"]]:
        print(what)
    recorder.write(**found)
    return 1 if found["wrong"] or found["errors"] else 0


def _measured(repo: Repo, words: tuple[str, ...], env: Mapping[str, str]) -> tuple[int, float]:
    """Run the program; wait4(2) tells the processor time of it and of what it has waited for."""
    process = subprocess.Popen(
        ["git", "skillmesh", *words], cwd=repo.path, env=dict(env), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def _first(one: Client) -> float:
    began = time.monotonic()
    if code := one.command(one.repo, ("index", "--chroma", "wait"))[0]:
        one.errors.append(f"first index: exit code {code}")
    return time.monotonic() - began


def _stop_for(server: ChromaServer, after: float, seconds: float) -> None:
    time.sleep(after)
    server.stop()
    time.sleep(seconds)
    server.start()


def _summary(team: Sequence[Client]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("arrived", "caught_up", "searched", "shell", "arrived_cpu", "shell_cpu"):
        taken = [seconds for one in team for seconds in getattr(one, name)]
        found[name] = {
            "count": len(taken),
            "p50": percentile(taken, 0.5) if taken else None,
            "p95": percentile(taken, 0.95) if taken else None,
            "most": max(taken, default=None),
        }
    found["commits"] = sum(one.commits for one in team)
    found["while_away"] = sum(one.away for one in team)
    found["errors"] = [f"{one.repo_id}: {what}" for one in team for what in one.errors]
    return found


_HEAD = (
    "clients", "commits", "arrived p50", "p95", "search p50", "p95", "shell p50", "p95",
    "while away", "caught up p95", "errors", "wrong rows", "memory",
)  # fmt: skip


def _shown(found: dict[str, Any]) -> list[object]:
    def time_of(name: str, share: str) -> str:
        value = found[name][share]
        return "-" if value is None else milliseconds(value)

    pairs = [time_of(name, share) for name in ("arrived", "searched", "shell")
             for share in ("p50", "p95")]  # fmt: skip
    return [
        found["clients"], found["commits"], *pairs, found["while_away"],
        time_of("caught_up", "p95"), len(found["errors"]), len(found["wrong"]),
        megabytes(found["memory_bytes"]),
    ]  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
