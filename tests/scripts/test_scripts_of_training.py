"""The scripts that are faces of commands: what they start, and what shellcheck says of them."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from testing.repos import make_repo, run

SCRIPTS = Path(__file__).parents[2] / "scripts"
FACES = (
    "nightly_analysis",
    "retrain_lora_incrementally",
    "train_lora",
    "deploy_adapter",
    "backup_chroma",
)
SHELLCHECK = shutil.which(
    "shellcheck", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}"
)


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A program that says what it was started with."""
    path = tmp_path / "say it"
    path.write_text('#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(not SHELLCHECK, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    paths = [str(SCRIPTS / f"{name}.sh") for name in FACES]
    done = run(SHELLCHECK or "", *paths, cwd=SCRIPTS)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", FACES)
def test_help(name: str, tmp_path: Path) -> None:
    done = run("sh", str(SCRIPTS / f"{name}.sh"), "-h", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {name}.sh ")
    assert os.access(SCRIPTS / f"{name}.sh", os.X_OK)


@pytest.mark.parametrize(
    ("name", "given", "started"),
    [
        ("nightly_analysis", ["--dry-run", "a b"], ["nightly", "--dry-run", "a b"]),
        (
            "retrain_lora_incrementally",
            ["--base", "a b"],
            ["nightly", "--base", "a b", "--step", "rewards", "export-rl", "train"],
        ),
        (
            "train_lora",
            ["-base", "a 'b", "--seed", "1"],
            ["train", "--base=-base", "--data=a 'b", "--seed", "1"],
        ),
        ("deploy_adapter", ["name", "--force"], ["adapters", "deploy", "name", "--force"]),
        (
            "backup_chroma",
            ["a 'b", "--adapters"],
            ["backup", "--adapters", "--keep", "7", "--", "a 'b"],
        ),
    ],
)
def test_what_they_start(
    name: str, given: list[str], started: list[str], program: str, tmp_path: Path
) -> None:
    script = str(SCRIPTS / f"{name}.sh")
    done = run("sh", script, *given, cwd=tmp_path, env={"GIT_SKILLMESH": program})
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, started, "")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("train_lora", ["base"]),
        ("deploy_adapter", []),
        ("deploy_adapter", ["-x"]),
        ("backup_chroma", []),
    ],
)
def test_too_little_is_a_line(name: str, given: list[str], tmp_path: Path) -> None:
    done = run("sh", str(SCRIPTS / f"{name}.sh"), *given, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"usage: {name}.sh ")
    assert done.stderr.count("\n") == 1


def test_the_real_program(tmp_path: Path) -> None:
    program = tmp_path / "skillmesh"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m git_skillmesh "$@"\n')
    program.chmod(0o755)
    repo = make_repo(tmp_path, files={"a": "a\n"})
    script = str(SCRIPTS / "retrain_lora_incrementally.sh")
    done = run("sh", script, "--dry-run", cwd=repo.path, env={"GIT_SKILLMESH": str(program)})
    no_base = "git-skillmesh: no base model is named: --base PATH, or skillmesh.train.base\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", no_base)
