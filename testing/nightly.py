"""The pipeline on a real repository, with a stand-in for training and deployment.

In: a repository with conversations. Out: `Night`, which runs the pipeline with `rewards` and
`export-rl` as they are, and with a small program in the place of `train` and `adapters` that keeps
their contract: it prints the JSON and makes the files that they do, and fails or waits on demand.
It is for tests of order, failure and interruption; what training does is tested with the real ones.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.training.nightly.model import Options, Report
from git_skillmesh.training.nightly.pipeline import nightly
from testing.repos import Repo

STAND_IN = r"""
import hashlib, json, os, pathlib, signal, sys, time

control = pathlib.Path(os.environ["STAND_IN"])
words = sys.argv[3:]  # behind -C DIR
name = words[1] if words[0] == "adapters" else words[0]
with (control / "calls").open("a") as calls:
    calls.write(" ".join([name, *({"--from"} & {*words})]) + "\n")
wanted = json.loads((control / name).read_text()) if (control / name).exists() else {}
given = {words[n]: words[n + 1] for n in range(len(words) - 1) if words[n].startswith("--")}
store = pathlib.Path(sys.argv[2], ".git", "skillmesh-adapters")
half = control / "checkpoint"


def stop(number, frame):
    half.write_text("half")
    print("git-skillmesh: interrupted; run it again to go on", file=sys.stderr)
    os._exit(130)


signal.signal(signal.SIGINT, stop)
(control / "pid").write_text(str(os.getpid()))
if "wait" in wanted:
    (control / "waits").write_text(name)
    time.sleep(wanted["wait"])
if "fail" in wanted:
    print("some more\ngit-skillmesh: " + wanted["fail"], file=sys.stderr)
    sys.exit(wanted.get("code", 3))
if name == "train":
    data = pathlib.Path(given["--data"]).read_bytes()
    made = len(list(store.glob("lora_codelearn_*"))) + 1 if store.exists() else 1
    adapter = "lora_codelearn_20260401" + (f".{made}" if made > 1 else "")
    folder = store / adapter
    said = {"schema": 1, "name": adapter, "base": given["--base"], "base_sha256": "b" * 64,
            "method": given["--method"], "data_sha256": hashlib.sha256(data).hexdigest(),
            "parent": given.get("--from", ""),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "steps": 4, "metrics": {}}
    part = store / f".{adapter}.part"
    part.mkdir(parents=True, exist_ok=True)
    (part / "training.json").write_text(json.dumps(said))
    (part / "trained_ids.txt").write_text(wanted.get("knows", ""))
    part.rename(folder)
    resumed = half.exists()
    half.unlink(missing_ok=True)
    if "late" in wanted:
        time.sleep(wanted["late"])
    answer = {"schema": 1, "name": adapter, "folder": str(folder), "steps": 4, "seconds": 0.1,
              "metrics": {"loss": 1.5}, "resumed": resumed}
elif name == "evaluate":
    better = wanted.get("better", True)
    over = {"mean": -0.5 if better else 0.25, "low": -0.75, "high": -0.25 if better else 0.5}
    loss = {"mean": 1.5, "low": 1.25, "high": 1.75}
    marks = {"loss": loss, "general": loss, "exact": None, "similar": None, "lines": 2, "tokens": 9}
    answer = {"adapter": words[2], "marks": marks, "base": marks, "active": None, "over_base": over,
              "over_active": None, "better": better, "reasons": [] if better else ["over the base"],
              "data_sha256": "", "time": ""}
else:
    manifest = {name: "x" for name in ("identity", "action", "before", "back", "base",
                                       "base_sha256", "time", "reason", "by")}
    manifest |= {"schema": 1, "adapter": words[2], "serves": [], "files": {}, "judgement": {},
                 "forced": False}
    told = {"schema": 1, "manifest": manifest, "signature": "x"}
    (store / "active.json").write_text(json.dumps(told))
    answer = {"schema": 1, "active": words[2], "before": "", "forced": False, "targets": []}
print(json.dumps(answer))
if name == "evaluate" and not answer["better"]:
    sys.exit(1)
"""

# The stand-in for what it stands in for, the program for the rest.
CHOOSES = r"""
case "$3" in
    train | adapters) exec "$INTERPRETER" -S "$STAND_IN/program.py" "$@" ;;
    *) exec "$INTERPRETER" -m git_skillmesh "$@" ;;
esac
"""

# Runs the pipeline in a process of its own, for signals.
DRIVER = """
import sys
from pathlib import Path
from testing.nightly import Night
from testing.repos import Repo
report = Night(Repo(Path(sys.argv[1])), Path(sys.argv[2])).run()
print(report.outcome)
sys.exit(report.code)
"""


class Night:
    """A repository at night; `control` holds what the stand-in is told, and what it was called."""

    def __init__(self, repo: Repo, control: Path) -> None:
        self.repo, self.control = repo, control
        control.mkdir(exist_ok=True)
        program = control / "program.py"
        if not program.exists():
            program.write_text(STAND_IN)
        self.options = Options(
            base="some/base", minimum=1, program=("sh", "-c", CHOOSES, "sh"),
        )  # fmt: skip
        os.environ |= {"STAND_IN": str(control), "INTERPRETER": sys.executable}

    def run(self, **changed: Any) -> Report:
        """Run the pipeline with other options than the usual."""
        repository = discover(self.repo.path)
        return nightly(repository, load(repository), replace(self.options, **changed))

    def start(self) -> "subprocess.Popen[str]":
        """Start the pipeline as a process."""
        command = [sys.executable, "-c", DRIVER, str(self.repo.path), str(self.control)]
        root = Path(__file__).parents[1]
        path = os.pathsep.join([str(root / "src"), str(root)])
        return subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip

    def tell(self, name: str, **wanted: Any) -> None:
        """Tell the stand-in what to do as this step: fail, code, wait, late, better."""
        (self.control / name).write_text(json.dumps(wanted))

    def calls(self) -> list[str]:
        """Return what the stand-in was called for since the last time."""
        path = self.control / "calls"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    @property
    def active(self) -> str:
        """The active adapter."""
        path = self.repo.common_dir / "skillmesh-adapters" / "active.json"
        return str(json.loads(path.read_text())["manifest"]["adapter"]) if path.exists() else ""


def told(report: Report) -> list[tuple[str, str, str]]:
    """Return name, what was done and why of each step."""
    return [(step.name, step.did.value, step.why) for step in report.steps]
