"""A step whose pipeline is killed hears of it, and so does what it has started."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from git_skillmesh.training.nightly import child, leash

PIPELINE = """
import os, sys
from pathlib import Path
from git_skillmesh.training.nightly import child
here = Path(sys.argv[1])
with (here / "log").open("wb") as log:
    command = [sys.executable, "-c", sys.argv[2], str(here)]
    child.run(command, here, os.environ, here / "step.json", log, child.Signals())
"""
STEP = """
import os, subprocess, sys, time
from pathlib import Path
from git_skillmesh.training.nightly.leash import PIPE, follow
here, name = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "step"
follow()
inner = subprocess.Popen([sys.executable, *SELF, str(here), "inner"]) if name == "step" else None
try:
    (here / name).write_text(str(PIPE in os.environ))
    time.sleep(60)
except KeyboardInterrupt:
    (here / name).write_text("saved")
    if inner is not None:
        inner.wait()
        (here / "ended").touch()
"""


def wait_for(path: Path, text: str = "") -> None:
    deadline = time.monotonic() + 30
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)


def test_a_killed_pipeline(tmp_path: Path, cold_start: None) -> None:
    step = tmp_path / "step.py"
    step.write_text(STEP.replace("*SELF", repr(str(step))))
    program = f"import runpy, sys; sys.argv[0] = ''; runpy.run_path({str(step)!r})"
    process = subprocess.Popen([sys.executable, "-c", PIPELINE, str(tmp_path), program])
    wait_for(tmp_path / "step", "False")
    wait_for(tmp_path / "inner", "False")
    process.kill()
    process.wait()
    wait_for(tmp_path / "ended")
    assert [(tmp_path / name).read_text() for name in ("step", "inner")] == ["saved", "saved"]


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 30, "12345", "a file"])
def test_what_is_no_pipe(tmp_path: Path, value: str) -> None:
    with (tmp_path / "file").open("w") as file:
        environ = {leash.PIPE: str(file.fileno()) if value == "a file" else value}
        before = threading.active_count()
        leash.follow(environ)
        leash.follow(environ)
        assert (environ, threading.active_count()) == ({}, before)


def test_a_step_that_ends_by_a_signal_without_a_name(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        ended = child.run(
            ["sh", "-c", "kill -40 $$"], tmp_path, os.environ, tmp_path / "step.json", log,
            child.Signals(),
        )  # fmt: skip
    assert (ended.code, ended.line) == (3, "it was ended by signal 40")
