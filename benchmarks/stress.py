"""Commit, index and query from many processes at once while some are killed with -9.

In: how long. Out: counts of what was done, every query that failed, and what `doctor` says of both
tiers afterwards. Exit code 0 only when nothing failed and nothing is missing.

    python benchmarks/stress.py --seconds 120
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from testing.environment import TOKEN, processes_of

_PROGRAM = [sys.executable, "-m", "git_skillmesh"]


class Stress:
    """One run: the repository, its worktrees, and what has happened so far."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.main = folder / "repository"
        self.token = f"{os.getpid()}-{seed}"
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.random = random.Random(seed)
        self.stop = threading.Event()
        identity = {
            f"GIT_{w}_{k}": v for w in ("AUTHOR", "COMMITTER") for k, v in _IDENTITY.items()
        }
        self.env = {**os.environ, **identity, TOKEN: self.token, "GIT_CONFIG_GLOBAL": os.devnull}

    def call(self, where: Path, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a program and return what it said."""
        return subprocess.run(
            command, cwd=where, env=self.env, capture_output=True, text=True, check=False
        )

    def git(self, where: Path, *arguments: str) -> None:
        """Run git; it has to succeed."""
        done = self.call(where, "git", *arguments)
        if done.returncode != 0:
            self.failures.append(f"git {' '.join(arguments)}: {done.stderr.strip()}")

    def prepare(self) -> list[Path]:
        """Make a repository with hooks and a linked worktree; return both folders."""
        self.main.mkdir()
        self.git(self.main, "init", "-q", "-b", "main")
        for number in range(40):
            write(self.main, number, 0)
        self.git(self.main, "add", "-A")
        self.git(self.main, "commit", "-qm", "first")
        other = self.folder / "linked worktree"
        self.git(self.main, "worktree", "add", "-q", "-b", "topic", os.fspath(other))
        done = self.call(self.main, *_PROGRAM, "init")
        if done.returncode != 0:
            self.failures.append(f"init: {done.stderr}")
        return [self.main, other]

    def committer(self, where: Path, seed: int) -> None:
        """Change, add, delete and commit files until told to stop."""
        rng = random.Random(seed)
        step = 0
        while not self.stop.is_set():
            step += 1
            for _ in range(rng.randint(1, 4)):
                write(where, rng.randint(0, 80), seed * 1_000_000 + step)
            victim = where / f"file_{rng.randint(0, 80)}.py"
            if rng.random() < 0.2 and victim.exists():
                victim.unlink()
            self.git(where, "add", "-A")
            self.git(where, "commit", "-q", "--allow-empty", "-m", f"step {step}")
            self.counts["commits"] += 1
            time.sleep(rng.random() * 0.8)

    def indexer(self, where: Path, *options: str) -> None:
        """Index again and again; being killed is part of the game, an error is not."""
        while not self.stop.is_set():
            done = self.call(where, *_PROGRAM, "index", "--quiet", *options)
            self.counts["index runs"] += 1
            if done.returncode == -signal.SIGKILL:
                self.counts["index runs killed"] += 1
            elif done.returncode != 0 and "killed" not in done.stderr:
                self.failures.append(f"index {' '.join(options)}: {done.returncode} {done.stderr}")
            time.sleep(0.3)

    def querier(self, where: Path, seed: int) -> None:
        """Ask; every answer must be a hit or an honest "nothing found"."""
        rng = random.Random(seed)
        while not self.stop.is_set():
            number = rng.randint(0, 80)
            options = rng.choice([[], ["--committed"], ["--at", "HEAD~1"], ["-n", "3"]])
            done = self.call(where, *_PROGRAM, "query", "--json", *options, f"function_{number}")
            self.counts["queries"] += 1
            if done.returncode not in (0, 1):
                self.failures.append(f"query {options}: {done.returncode} {done.stderr}")
            else:
                json.loads(done.stdout)

    def killer(self) -> None:
        """Kill -9 a random process of ours that writes: worker, index run or Chroma writer."""
        while not self.stop.wait(self.random.uniform(0.2, 1.5)):
            writers = self.processes()
            if writers:
                victim, what = self.random.choice(writers)
                try:
                    os.kill(victim, signal.SIGKILL)
                    self.counts[f"killed {what}"] += 1
                except ProcessLookupError:
                    continue

    def processes(self) -> list[tuple[int, str]]:
        """Return (pid, what) of the writing processes that descend from this run."""
        kinds = {
            b"worker": "worker",
            b"index": "index run",
            b"git_skillmesh.chroma.writer": "Chroma writer",
        }
        return [
            (pid, what)
            for pid, command in processes_of(self.token)
            for word, what in kinds.items()
            if word in command
        ]

    def run(self, seconds: float) -> bool:
        """Do everything at once for a while, then let it settle and examine it."""
        main, other = self.prepare()
        threads = [
            threading.Thread(target=self.committer, args=(main, 1)),
            threading.Thread(target=self.committer, args=(other, 2)),
            threading.Thread(target=self.indexer, args=(main, "--chroma", "off")),
            threading.Thread(target=self.indexer, args=(other, "--all")),
            threading.Thread(target=self.querier, args=(main, 3)),
            threading.Thread(target=self.querier, args=(other, 4)),
            threading.Thread(target=self.querier, args=(main, 5)),
            threading.Thread(target=self.killer),
        ]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        return self.examine(main, other)

    def examine(self, main: Path, other: Path) -> bool:
        """Finish what was interrupted, then ask doctor about both tiers."""
        deadline = time.monotonic() + 120
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.2)
        for where in (other, main):
            done = self.call(where, *_PROGRAM, "index", "--chroma", "wait")
            if done.returncode != 0:
                self.failures.append(f"last index: {done.returncode} {done.stderr}")
            report = self.call(where, *_PROGRAM, "doctor", "--json")
            if report.returncode != 0:
                self.failures.append(f"doctor in {where.name}: {report.stdout}{report.stderr}")
        return not self.failures


_IDENTITY = {"NAME": "Stress", "EMAIL": "stress@example.org"}


def write(where: Path, number: int, seed: int) -> None:
    """Write a small file whose content depends on `seed`."""
    text = f'def function_{number}(value):\n    """Version {seed}."""\n    return value + {seed}\n'
    (where / f"file_{number}.py").write_text(text)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the counts here too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skillmesh-stress-") as folder:
        stress = Stress(Path(folder), arguments.seed)
        well = stress.run(arguments.seconds)
    for name, count in sorted(stress.counts.items()):
        print(f"{count:>6} {name}")
    for failure in stress.failures[:20]:
        print(f"FAILED {failure}")
    print("doctor finds nothing missing in either tier" if well else "something is wrong")
    if arguments.json:
        document = {"seconds": arguments.seconds, **stress.counts, "failures": stress.failures}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
