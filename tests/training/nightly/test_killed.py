"""The pipeline with the real commands, killed at random moments: the next run finishes.

SKILLMESH_KILLS says how often it is killed (3 without). Steps take from half a second to half a
minute, so the step is chosen first, each as often as the others, then the moment within it. Every
other time the step is killed too.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.sessions.model import Session
from git_skillmesh.training import models
from git_skillmesh.training.nightly import child
from git_skillmesh.training.nightly.model import STEPS
from testing.datasets import asked_of, tell_the_depots
from testing.memory import open_memory
from testing.repos import Repo
from testing.rewarded import events_of
from testing.trained import random_base

pytest.importorskip("torch", reason="needs torch and trl: run scripts/test-training")
pytest.importorskip("trl", reason="needs torch and trl: run scripts/test-training")

KILLS = int(os.environ.get("SKILLMESH_KILLS", "3"))
TRAIN = ("--max-steps", "4", "--length", "2048", "--checkpoint-every", "2", "--threads", "1",
         "--learning-rate", "0.01")  # fmt: skip
# How long a step takes before it was measured, in seconds.
USUAL = {"rewards": 1.0, "export-rl": 1.5, "train": 12.0, "evaluate": 8.0, "deploy": 0.8}
# How often a run is prepared and started for a step that is to be killed.
TRIES = 4


def start(repo: Repo, base: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-P", "-m", "git_skillmesh", "nightly", "--base", str(base)]
    return subprocess.Popen(
        [*command, "--json", "--", *TRAIN], cwd=repo.path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
    )  # fmt: skip


def state_of(repo: Repo) -> dict[str, Any]:
    path = repo.common_dir / "skillmesh-nightly" / "state.json"
    state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {"running": {}, "done": {}, **state}


def current(repo: Repo, since: int) -> str:
    """Return the step that runs, begun after `since` (nanoseconds); "" between two steps.

    A training that is to be taken up again stands in the state, too.
    """
    begun = {
        name: int(one["token"].split("-")[1]) for name, one in state_of(repo)["running"].items()
    }
    return max(
        (name for name, at in begun.items() if at > since), key=begun.__getitem__, default=""
    )


def check_what_is_active(repo: Repo, base: Path) -> str:
    """Return what is active: its signature and files are right, and it loads; "" is the base."""
    manifest = repo.common_dir / "skillmesh-adapters" / "active.json"
    if not manifest.exists():
        return ""
    shown = repo.skillmesh("adapters", "show", "--active", "--json")
    name = str(json.loads(manifest.read_text())["manifest"]["adapter"])
    assert shown.returncode == 0, shown.stderr
    if name:
        models.load(str(base), manifest.with_name(name), device="cpu")
    return name


def hear(repo: Repo, first: int) -> None:
    """Let three more conversations come in, so that there is something to do."""
    memory = open_memory(repo)
    for number in range(first, first + 3):
        name = f"n{number}"
        memory.add([Session(name, "codex", (asked_of(number, name),), branch="main")])
        memory.append_to_many({name: events_of(f"{name}-{number}", 0.9)})


def wait_for_step(process: "subprocess.Popen[str]", repo: Repo, step: str, since: int) -> bool:
    """Wait until a step runs; return False where the run ended before."""
    while process.poll() is None:
        if current(repo, since) == step:
            return True
        time.sleep(0.005)
    return False


def kill(process: "subprocess.Popen[str]", repo: Repo, *, power: bool) -> None:
    """Kill a run; its step is left to notice, or dies with it, as when the power fails."""
    if power:
        process.send_signal(signal.SIGSTOP)
        marks = {f"{child.TOKEN}={one['token']}" for one in state_of(repo)["running"].values()}
        for number in child._marked({mark.encode() for mark in marks}):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
    process.kill()
    process.communicate()


def kill_in(
    repo: Repo, base: Path, step: str, chance: random.Random, first: int, *, power: bool
) -> str:
    """Kill a run in a step; return in which one it was, "" if none came to it."""
    for attempt in range(TRIES):
        since = time.time_ns()
        process = start(repo, base)
        there = wait_for_step(process, repo, step, since)
        usual = state_of(repo)["done"].get(step, {}).get("seconds", USUAL[step])
        after = chance.uniform(0.0, usual) if there else 0.0
        time.sleep(after)
        if there and process.poll() is None:
            kill(process, repo, power=power)
            hit = current(repo, since) or f"after {step}"
            print(f"killed {after:.2f} s after {step} began, in {hit}", flush=True)
            return hit
        _, said = process.communicate()
        assert process.returncode == 0, said
        if check_what_is_active(repo, base) and step in ("evaluate", "deploy"):
            repo.skillmesh("adapters", "rollback", "base")
        hear(repo, first + 3 * attempt)
    return ""


def test_killed_at_random_moments(tmp_path: Path, cold_start: None) -> None:
    base = tmp_path / "base"
    random_base(base, template=True)
    repo = tell_the_depots(tmp_path, 80)
    repo.git("config", "skillmesh.train.minimumLines", "1")
    chance = random.Random(int(os.environ.get("SKILLMESH_SEED", "8")))
    steps = [
        step for _ in range(-(-KILLS // len(STEPS))) for step in chance.sample(STEPS, len(STEPS))
    ]
    killed: list[str] = []
    for number, step in enumerate(steps[:KILLS]):
        first, power = 100 + 3 * TRIES * number, bool((number + number // len(STEPS)) % 2)
        hit = kill_in(repo, base, step, chance, first, power=power)
        active = check_what_is_active(repo, base)
        print(
            f"{number + 1}: {step}: {hit or 'did not run'}; active: {active or 'the base'}",
            flush=True,
        )
        killed += [hit] if hit else []
    assert len(killed) >= 0.8 * KILLS, killed
    out, said = start(repo, base).communicate(timeout=900)
    print(dict(Counter(killed)), said)
    report = json.loads(out)
    assert (report["code"], report["outcome"] in ("done", "nothing new")) == (0, True), said
    active = check_what_is_active(repo, base)
    did = {one["name"]: one["did"] for one in report["steps"]}
    if did["evaluate"] == "ran":
        judged = json.loads((repo.common_dir / "skillmesh-nightly" / "evaluate.json").read_text())
        assert (active == judged["adapter"]) is judged["better"] is (did["deploy"] == "ran")
    store = repo.common_dir / "skillmesh-adapters"
    trained = [json.loads(path.read_text()) for path in store.glob("lora_*/training.json")]
    data = [one["data_sha256"] for one in trained]
    assert len(data) == len(set(data)) >= 1  # nothing was trained twice
    again, _ = start(repo, base).communicate(timeout=300)
    assert json.loads(again)["outcome"] == "nothing new"
