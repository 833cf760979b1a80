"""Several servers, shells and commits at work on one repository: nothing lost, nothing stale.

In: a folder, a seed, seconds. Out: `Soak`, which counts what was done and lists what went wrong.
Two MCP servers are driven by the real client over standard input and output; now and then one of
them is killed with -9 and the call that it was at is made again. Each commit, edit and switch has
to show in the very next search of each server; everything written has to be there once.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.reading import MemoryReader

from .environment import TOKEN, processes_of, wait_for_hooks
from .learnings import files_of, learning
from .repos import Repo, make_repo
from .soak_agent import CALL_SECONDS, FILES, NOTES, Agent


class Turns:
    """Many may look at the repository at once; whoever changes it is alone."""

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._looking = 0
        self._waiting = 0

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Hold the repository as it is."""
        with self._state:
            self._state.wait_for(lambda: not self._waiting)
            self._looking += 1
        try:
            yield
        finally:
            with self._state:
                self._looking -= 1
                self._state.notify_all()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Wait until nobody looks, and let nobody look meanwhile."""
        with self._state:
            self._waiting += 1
            self._state.wait_for(lambda: not self._looking)
            try:
                yield
            finally:
                self._waiting -= 1
                self._state.notify_all()


@dataclass
class Written:
    """What must be there once in the end."""

    prompts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)


class Soak:
    """One run. `counts` say what was done, `failures` what went wrong."""

    def __init__(self, folder: Path, seed: int, env: dict[str, str]) -> None:
        self.seed = seed
        self.token = env.get(TOKEN) or f"soak-{os.getpid()}-{seed}"
        self.env = {**env, TOKEN: self.token}
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.stop = threading.Event()
        self.turns = Turns()
        self.written = Written()
        self.version = 0  # of what a search has to show
        self.branches: dict[str, list[str]] = {}
        self.branch = "main"
        self.pids: dict[int, int] = {}
        self.killed: set[int] = set()
        self._lock = threading.Lock()
        self.folder = folder
        self.repo = self._prepare()

    def _prepare(self) -> Repo:
        files = {f"src/part_{n}.py": _source(f"base_{n}") for n in range(FILES)}
        repo = make_repo(self.folder, "depot", files=files)
        repo.commit("rule", files_of(learning("wait-longer", "Wait longer before each retry")))
        self.branches["main"] = [f"base_{n}" for n in range(FILES)]
        for command in (["init"], ["index", "-q", "--chroma", "off"]):
            done = self.shell(repo.path, *command)
            if done.returncode:
                raise AssertionError(f"{command}: {done.stderr}")
        return repo

    def shell(self, where: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the program as a shell would."""
        program = [sys.executable, "-m", "git_skillmesh"]  # in tests it starts warm; servers do not
        return subprocess.run(
            [*program, *words], cwd=where, env=self.env, capture_output=True, text=True,
            check=False, timeout=CALL_SECONDS,
        )  # fmt: skip

    def fail(self, what: str) -> None:
        """Note what went wrong."""
        with self._lock:
            self.failures.append(what[-2_500:])

    def count(self, what: str) -> None:
        """Count what was done."""
        with self._lock:
            self.counts[what] += 1

    def run(
        self,
        seconds: float,
        shells: int = 4,
        kills: tuple[float, float] = (15, 45),
        enough: Mapping[str, int] | None = None,
    ) -> bool:
        """Do everything at once for a while, then examine; return whether all is well.

        `kills` are the least and the most seconds between two kills of a server. It ends sooner
        when everything that is named in `enough` was done so often; no more servers are killed.
        """
        victims = (enough or {}).get("servers killed", sys.maxsize)
        threads = [threading.Thread(target=_guarded, args=(self, self._commits))]
        threads += [
            threading.Thread(target=_guarded, args=(self, lambda: self._kills(*kills, victims)))
        ]
        for number in range(2):
            threads.append(threading.Thread(target=_guarded, args=(self, Agent(self, number).run)))
        for number in range(shells):
            work = _shell_of(self, number)
            threads.append(threading.Thread(target=_guarded, args=(self, work)))
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline and not self._has_done(enough):
                self.stop.wait(0.1)
        finally:  # Ctrl-C too: the threads would go on
            self.stop.set()
        for thread in threads:
            thread.join()
        wait_for_hooks(self.token, 300)
        self.examine()
        return not self.failures

    def _has_done(self, enough: Mapping[str, int] | None) -> bool:
        if self.stop.is_set():
            return True
        with self._lock:
            return bool(enough) and all(
                self.counts[what] >= n for what, n in (enough or {}).items()
            )

    def _commits(self) -> None:
        chance = random.Random(self.seed)
        step = 0
        while not self.stop.is_set():
            step += 1
            with self.turns.changing():
                self._change(chance, step)
                self.version += 1
            if chance.random() < 0.08:
                self.repo.git("gc", "--quiet", env=self.env)
                self.count("git gc")
            self.stop.wait(chance.uniform(0.2, 2.0))

    def _change(self, chance: random.Random, step: int) -> None:
        what = chance.choice(("commit", "commit", "commit", "edit", "switch", "amend"))
        name = f"marker_{self.seed}_{step}"
        if what == "switch":
            self.repo.git("add", "--all", env=self.env)
            self.repo.git("commit", "--quiet", "--allow-empty", "-m", f"all {step}", env=self.env)
            known = [branch for branch in self.branches if branch != self.branch]
            if known and chance.random() < 0.7:
                target = chance.choice(known)
                self.repo.git("switch", "--quiet", target, env=self.env)
            else:
                target = f"topic-{step}"
                self.repo.git("switch", "--quiet", "-c", target, env=self.env)
                self.branches[target] = list(self.branches[self.branch])
            self.branch = target
        else:
            path = self.repo.path / f"src/part_{chance.randrange(FILES)}.py"
            if chance.random() < 0.2:
                path = self.repo.path / f"src/new_{step}.py"
            with path.open("a") as file:
                file.write(_source(name))
            self.branches[self.branch].append(name)
            if what != "edit":
                amend = ["--amend"] if what == "amend" else []
                self.repo.git("add", "--all", env=self.env)
                self.repo.git("commit", "--quiet", *amend, "-m", f"step {step}", env=self.env)
        self.count(what)

    def _kills(self, least: float, most: float, victims: int) -> None:
        chance = random.Random(self.seed + 1)
        while self.counts["servers killed"] < victims:
            if self.stop.wait(chance.uniform(least, most)):
                return
            for number in chance.sample(sorted(self.pids), k=min(1, len(self.pids))):
                pid = self.pids[number]
                with suppress(ProcessLookupError):
                    self.killed.add(pid)
                    os.kill(pid, signal.SIGKILL)
                    self.count("servers killed")

    def examine(self) -> None:
        """Look for everything that was written, and let doctor look for damage."""
        self._examine_memory()
        self._examine_thoughts()
        self._examine_documents()
        for words in (("index", "-q", "--chroma", "wait"), ("doctor",)):
            done = self.shell(self.repo.path, *words)
            if done.returncode:
                self.fail(f"{words[0]}: {done.returncode} {done.stdout}{done.stderr}")
        for path in sorted(self.repo.state_dir.rglob("*.db")) + sorted(
            self.repo.state_dir.rglob("chroma.sqlite3")
        ):
            with sqlite3.connect(path) as database:
                if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    self.fail(f"{path.name} is damaged")
            database.close()
        fsck = self.repo.run("fsck", "--connectivity-only")
        if fsck.returncode:
            self.fail(f"git fsck: {fsck.stdout}{fsck.stderr}")

    def _examine_memory(self) -> None:
        reader = MemoryReader(discover(self.repo.path))
        found: Counter[str] = Counter()
        for summary in reader.sessions():
            found.update(one.prompt for one in reader.exchanges(summary.head.session_id))
        self._compare("exchange", self.written.prompts, found)

    def _examine_thoughts(self) -> None:
        if not self.written.thoughts:
            return
        found: Counter[str] = Counter()
        listed = self.shell(self.repo.path, "think", "sessions", "--json")
        for one in json.loads(listed.stdout)["sessions"]:
            shown = self.shell(self.repo.path, "think", "export", one["session"], "--json")
            found.update(thought["thought"] for thought in json.loads(shown.stdout)["thoughts"])
        self._compare("thought", self.written.thoughts, found)

    def _examine_documents(self) -> None:
        if not self.written.documents:
            return
        from git_skillmesh.mcp.collections.stores import own
        from git_skillmesh.mcp.host import Host

        collections = own(Host(self.repo.path))
        (held,) = collections.listed()
        if held["documents"] != len(self.written.documents):
            self.fail(f"{held['documents']} documents, not {len(self.written.documents)}")
        got = {one.id: one.document for one in collections.get(NOTES, list(self.written.documents))}
        if got != self.written.documents:
            self.fail(f"documents differ: {sorted(set(self.written.documents) - set(got))}")
        for number, text in self.written.documents.items():
            nearest = collections.query(NOTES, text, 1)
            if not nearest or nearest[0].distance > 1e-3:
                self.fail(f"document {number} is not found by its own text")

    def _compare(self, what: str, expected: list[str], found: Counter[str]) -> None:
        for text in expected:
            if found[text] != 1:
                self.fail(f"{what} {text!r} is there {found[text]} times")
        for text in set(found) - set(expected):
            self.fail(f"{what} {text!r} was never written")


def _source(name: str) -> str:
    return f'\n\ndef {name}(parcel):\n    """Weigh {name} for {name}."""\n    return parcel\n'


def _guarded(soak: Soak, work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException as error:  # a thread that ends alone is a failure of the run
        soak.fail(f"{getattr(work, '__qualname__', work)}: {error!r}")
        soak.stop.set()


def _shell_of(soak: Soak, number: int) -> Callable[[], None]:
    """Return what a shell does until it is told to stop."""
    chance = random.Random(soak.seed + 100 + number)

    def ask(*words: str, codes: tuple[int, ...] = (0,)) -> str:
        done = soak.shell(soak.repo.path, *words)
        soak.count(f"shell {words[0]}")
        if done.returncode not in codes:
            soak.fail(f"{' '.join(words)}: {done.returncode} {done.stderr}")
        return done.stdout

    def work() -> None:
        step = 0
        while not soak.stop.is_set():
            step += 1
            text = f"shell {number} said {step}"
            what = chance.choice(("query", "log-chat", "check", "why", "think"))
            if what == "query":
                name = f"base_{chance.randrange(FILES)}"
                if f"def {name}(" not in ask("query", "--json", "--full", name):
                    soak.fail(f"the shell does not find {name}")
            elif what == "log-chat":
                session = f"shell-{chance.randrange(3)}"
                ask("log-chat", "--session", session, "--prompt", text, "--response", "noted")
                soak.written.prompts.append(text)
            elif what == "think" and _can_think(soak):
                ask("think", "record", "--session", f"shell-{number}", text)
                soak.written.thoughts.append(text)
            elif what == "check":
                ask("check", codes=(0, 1))
            else:
                ask("why", f"src/part_{chance.randrange(FILES)}.py:5", codes=(0, 1))

    return work


def _can_think(soak: Soak) -> bool:
    from git_skillmesh.cli.main import COMMANDS

    return "think" in COMMANDS


def leftovers(token: str) -> list[int]:
    """Return the processes that are left of a run."""
    return [pid for pid, _ in processes_of(token)]
