"""Background work and the local tier while the server is away, and what arrives afterwards."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from git_skillmesh.chroma.target import Target
from git_skillmesh.config import load
from git_skillmesh.errors import Unavailable
from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.background import run_background
from testing.chroma_rows import stored
from testing.chroma_server import ChromaServer
from testing.commands import call
from testing.environment import hook_processes
from testing.hostile import HostileProxy, always
from testing.repos import Repo, make_repo

FILES = {f"src/m{n}.py": f"def add_{n}(a, b):\n    return a + b + {n}\n" for n in range(3)}


def work(repo: Repo) -> str:
    """Do what the worker does; return what it logs and raises."""
    repository = discover(repo.path)
    log: list[str] = []
    try:
        run_background(repository, load(repository, environ=os.environ), log.append)
    except Unavailable as error:
        log.append(f"raised {error}")
    return "\n".join(log)


def test_a_server_that_hangs_costs_one_run_and_everything_arrives_once(
    server: ChromaServer,
    database: Callable[[str], Target],
    tmp_path: Path,
    hermetic: str,
    wait_for_worker: Callable[[Repo], str],
) -> None:
    repo = make_repo(tmp_path, files=FILES)
    with HostileProxy(server.url).running() as proxy:
        target = replace(database("away"), url=proxy.url)
        for name, value in (
            ("impl", "http"), ("url", proxy.url), ("database", "away"),
        ):  # fmt: skip
            repo.git("config", f"skillmesh.chroma.{name}", value)
        repo.git("config", "skillmesh.repoid", "away")
        assert call(repo.path, "init", "--no-index").returncode == 0
        proxy.plan = always("hang")
        # The commit is through while the worker still waits for the server.
        repo.commit("first with hooks", {"src/m3.py": FILES["src/m2.py"].replace("2", "3")})
        assert hook_processes(hermetic)
        assert "does not answer: timed out" in wait_for_worker(repo)
        assert call(repo.path, "init", "--remove").returncode == 0

        # Others do not wait for it anew, and the local tier has everything.
        asked = len(proxy.seen)
        repo.commit("more", {"src/later.py": "def later():\n    return 'once'\n"})
        started = time.process_time()
        said = work(repo)
        assert "indexed 1 files" in said
        assert "is away since" in said
        assert len(proxy.seen) == asked
        assert time.process_time() - started < 5
        found = call(repo.path, "query", "later")
        assert found.stdout.splitlines()[0].split()[1].startswith("src/later.py")
        shown = json.loads(call(repo.path, "status", "--json").stdout)["chroma"]["away"]
        assert (shown["failures"], shown["what"]) == (
            1, f"the server {proxy.url} (away) does not answer: timed out",
        )  # fmt: skip
        assert "away since" in call(repo.path, "status").stdout

        # Whoever asks for it is not held back by that.
        proxy.plan = always("pass")
        done = call(repo.path, "index", "--chroma", "wait", "-q")
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(call(repo.path, "status", "--json").stdout)["chroma"]["away"] is None
        rows = stored(target, "codebase_v1", "away")
        texts = sorted(str(row["document"]).splitlines()[0] for row in rows.values())
        assert texts == [*(f"def add_{n}(a, b):" for n in range(4)), "def later():"]
        assert "Chroma: 0 written, 0 deleted, 5 in all" in work(repo)
