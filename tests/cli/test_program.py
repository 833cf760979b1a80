"""The program as such: help, names, exit codes, and that every failure is one line."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from git_skillmesh import __version__
from git_skillmesh.cli.main import ALIASES, COMMANDS
from git_skillmesh.errors import ExitCode
from testing.commands import call, program_folder
from testing.repos import Repo, Result, make_repo, run, run_skillmesh

CODE = "def wait_before_retry(attempt):\n    return 2 ** attempt\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"deep/a.py": CODE})


def test_the_exit_codes_are_these() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "NOTHING_FOUND": 1,
        "USAGE": 2,
        "INTERNAL": 3,
        "NOT_A_REPOSITORY": 4,
        "CONFIGURATION": 5,
        "BUSY": 6,
        "UNAVAILABLE": 7,
        "DAMAGED": 8,
        "READ_ONLY": 9,
        "RULES_BROKEN": 10,
        "INTERRUPTED": 130,
    }


def test_help_lists_every_command(tmp_path: Path) -> None:
    said = call(tmp_path, "-h")
    assert (said.returncode, said.stderr) == (0, "")
    for command, about in COMMANDS.items():
        assert f" {command}" in said.stdout
        assert about in said.stdout
    for alias in ALIASES:
        assert alias not in said.stdout
    assert call(tmp_path) == Result(2, said.stdout, "")


@pytest.mark.parametrize("command", [*COMMANDS, *ALIASES])
def test_every_command_has_help_outside_of_a_repository(tmp_path: Path, command: str) -> None:
    said = call(tmp_path, command, "-h")
    assert (said.returncode, said.stderr) == (0, "")
    meant = ALIASES.get(command, command).split()[0]
    assert said.stdout.startswith(f"usage: git skillmesh {meant} [-h]")
    assert said == call(tmp_path, command, "--help")
    assert call(tmp_path, "-C", "/nowhere", command, "-h") == said


def test_version(tmp_path: Path) -> None:
    assert call(tmp_path, "--version") == Result(0, f"git-skillmesh {__version__}\n", "")


def test_an_alias_is_the_command(repo: Repo) -> None:
    assert call(repo.path, "setup-collections", "--schema") == call(
        repo.path, "collections", "--schema"
    )


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["frobnicate"], "no such command: frobnicate: git skillmesh -h"),
        (["\x1b[31m"], "no such command: ␛[31m: git skillmesh -h"),
        (["-C", "x", "quer"], "no such command: quer: git skillmesh -h"),
        (["--frobnicate", "status"],
         "unrecognized arguments: --frobnicate: git skillmesh -h"),
        (["status", "--frobnicate"],
         "unrecognized arguments: --frobnicate: git skillmesh status -h"),
        (["index", "--rev"],
         "argument --rev: expected one argument: git skillmesh index -h"),
        (["index", "--all", "--changed"],
         "argument --changed: not allowed with argument --all: git skillmesh index -h"),
        (["prune", "--days", "-1"], "--days must be 0 or more"),
        (["prune", "--days", "x"],
         "argument --days: invalid int value: 'x': git skillmesh prune -h"),
        (["index", "--rev", "nowhere"], "not a commit or tree of this repository: nowhere"),
        (["init", "--purge"],
         "--purge belongs to --remove: git skillmesh init --remove --purge"),
        (["-C", "nowhere", "status"], "no such folder: nowhere"),
        (["-C", "deep/a.py", "status"], "no such folder: deep/a.py"),
    ],
)  # fmt: skip
def test_mistakes_of_the_user(repo: Repo, args: list[str], line: str) -> None:
    assert call(repo.path, *args) == Result(2, "", f"git-skillmesh: {line}\n")


# What a command cannot do without; `redact` and `mcp` start anywhere, `skills` and `agents` as far
# as they only read, `train` looks at its data first.
_NEEDED = {name: ["x"] for name in ("query", "why", "blame", "forget")}
_NEEDED["log-chat"] = ["--prompt", "x", "--response", "y"]
_NEEDED["skills"] = ["update"]
_NEEDED["think"] = ["sessions"]
_NEEDED["agents"] = ["install", "codex"]
_NEEDED["chroma"] = ["upgrade"]
_NEEDED["backup"] = _NEEDED["restore"] = ["x"]


@pytest.mark.parametrize(
    "command",
    [[name, *_NEEDED.get(name, [])] for name in COMMANDS if name not in ("redact", "mcp", "train")],
)
def test_outside_of_a_repository(tmp_path: Path, command: list[str]) -> None:
    assert call(tmp_path, *command) == Result(
        4,
        "",
        f"git-skillmesh: not a git repository: {tmp_path}: run this inside one, or use -C\n",
    )


@pytest.mark.parametrize(
    "command", [["query", "x"], ["index"], ["status"], ["doctor"], ["collections"]]
)
def test_bad_configuration(repo: Repo, command: list[str]) -> None:
    repo.git("config", "skillmesh.chroma.impl", "moon")
    assert call(repo.path, *command, env={"CHROMA_DB_IMPL": None}) == Result(
        5,
        "",
        "git-skillmesh: chroma.impl is 'moon' in git config: "
        "it must be one of persistent, http, cloud, off\n",
    )


@pytest.mark.parametrize("command", [["query", "x"], ["index"], ["status"], ["doctor"]])
def test_a_bad_number(repo: Repo, command: list[str]) -> None:
    repo.git("config", "skillmesh.index.maxbytes", "lots")
    assert call(repo.path, *command) == Result(
        5,
        "",
        "git-skillmesh: index.maxbytes is 'lots' in git config: it must be a whole number\n",
    )


@pytest.fixture
def path(tmp_path: Path) -> dict[str, str]:
    """An environment in which git finds the program."""
    return {"PATH": f"{program_folder(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.usefixtures("cold_start")
def test_git_finds_the_program(repo: Repo, path: dict[str, str]) -> None:
    direct = call(repo.path, "query", "wait_before_retry")
    assert run("git", "skillmesh", "query", "wait_before_retry", cwd=repo.path, env=path) == direct


def test_git_says_where_the_program_stands(
    repo: Repo, path: dict[str, str], tmp_path: Path
) -> None:
    below = call(repo.path / "deep", "query", "wait_before_retry")
    assert below.stdout.startswith(" 1. a.py:1 ")
    for command, folder in (
        (["git", "-C", "repo/deep", "skillmesh"], tmp_path),
        (["git", "skillmesh", "-C", "repo/deep"], repo.path.parent),
        (["git", f"--git-dir={repo.path}/.git", f"--work-tree={repo.path}", "skillmesh"],
         repo.path / "deep"),
    ):  # fmt: skip
        assert run(*command, "query", "wait_before_retry", cwd=folder, env=path) == below
    off = run("git", "-c", "skillmesh.log.level=nonsense", "skillmesh", "status",
              cwd=repo.path, env=path)  # fmt: skip
    assert (off.returncode, off.stdout) == (5, "")


@pytest.mark.usefixtures("cold_start")
def test_python_m(repo: Repo) -> None:
    said = run(sys.executable, "-m", "git_skillmesh", "--version", cwd=repo.path)
    assert said == Result(0, f"git-skillmesh {__version__}\n", "")
    imported = run(sys.executable, "-c", "import git_skillmesh.__main__", cwd=repo.path)
    assert imported == Result(0, "", "")


def test_something_unexpected_is_one_line_and_a_log(repo: Repo, tmp_path: Path) -> None:
    """A reason for leaving a file out that no version ever wrote: an error of no class of ours."""
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    with closing(sqlite3.connect(repo.state_dir / "index" / "catalogue.db")) as database:
        database.execute("UPDATE files SET skip = 'whim'")
        database.commit()
    logs = tmp_path / "logs"
    logs.mkdir()
    said = repo.skillmesh("status", env={"TMPDIR": os.fspath(logs)})
    (log,) = logs.iterdir()
    assert (said.returncode, said.stdout) == (3, "")
    assert said.stderr.startswith("git-skillmesh: internal error: ValueError: ")
    assert said.stderr.endswith(f" (details in {log})\n")
    assert said.stderr.count("\n") == 1
    assert "Traceback (most recent call last):" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_git_is_not_there(repo: Repo, tmp_path: Path) -> None:
    said = repo.skillmesh("status", env={"PATH": os.fspath(tmp_path)})
    assert said == Result(
        2, "", "git-skillmesh: git was not found: install git and make sure it is on PATH\n"
    )


@pytest.mark.usefixtures("cold_start")
def test_a_current_folder_that_has_been_deleted(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f'rmdir "{gone}"; exec "{sys.executable}" -m git_skillmesh status'],
        cwd=gone, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "git-skillmesh: the current folder has been deleted: cd somewhere else\n"
    )


def test_a_repository_of_somebody_else(repo: Repo) -> None:
    said = run_skillmesh(repo.path, "query", "x", env={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert said == Result(
        4,
        "",
        f"git-skillmesh: git refuses this repository, it belongs to another user: {repo.path}: "
        f"git config --global --add safe.directory {repo.path}\n",
    )
