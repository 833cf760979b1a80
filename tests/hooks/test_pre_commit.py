"""Together with pre-commit, for real: as a provider of hooks, and as a neighbour in .git/hooks.

As a provider: pre-commit clones this project and runs `pip install .` in an environment of its
own, as it does for every user. So that this needs no package index and takes seconds, pip is told
through its own environment variables to leave out the dependencies (the hook program uses the
standard library alone) and to build with the hatchling that stands beside this test's pytest. For
the worker, which does need the dependencies, the finished environment is then given a .pth file
that names the site-packages of this test's interpreter. Project, wheel, entry point, hook
definitions and commits are all the real ones.
"""

import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.install import HookState, install, remove, state
from git_skillmesh.hooks.shim import TEMPLATES
from git_skillmesh.learnings.model import Matcher, MatcherKind, State
from testing.learnings import files_of, literal, made
from testing.repos import Repo, Result, make_repo, run

Runs = Callable[[Repo], list[Path]]

ROOT = Path(__file__).parents[2]
PARTS = (".pre-commit-hooks.yaml", "LICENSE", "README.md", "docs", "hooks", "pyproject.toml",
         "registry", "src")  # fmt: skip
PIP = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_COMPILE": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this as "no isolation", see pypa/pip issue 5735
    "PYTHONPATH": sysconfig.get_path("purelib"),
    "VIRTUALENV_NO_SEED": "1",  # the pip named above is the one that is run
    # Otherwise two processes beside it ask the index for a newer pip and setuptools.
    "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
}
STAGES = list(TEMPLATES)
IDS = {"pre-commit": "check", "commit-msg": "check-message"}
CHECK = "check what is staged against the team's learnings"
CHECK_MESSAGE = "check the message of the commit against the team's learnings"


def pre_commit(repo: Repo, *args: str, env: dict[str, str] | None = None) -> Result:
    result = run(sys.executable, "-m", "pre_commit", *args, cwd=repo.path, env=env)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    """This project as a repository that pre-commit can clone, but for the largest weights.

    No hook reads those, and git and pip would pack and unpack them several times over. That they
    come along in the wheel is seen by `.ci/run`.
    """
    repo = make_repo(tmp_path_factory.mktemp("project"), "git-skillmesh")
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "sentence_data")
            shutil.copytree(ROOT / part, repo.path / part, ignore=ignore)
        else:
            shutil.copy(ROOT / part, repo.path / part)
    # The other model and its like do not compress: do not try for every clone.
    repo.git("config", "core.compression", "0")
    repo.git("config", "pack.window", "0")
    repo.commit("the project")
    return repo


def test_the_hook_definitions_at_work(
    tmp_path: Path, project: Repo, runs: Runs, wait_for_worker: Callable[[Repo], str]
) -> None:
    pre_commit(project, "validate-manifest", ".pre-commit-hooks.yaml")
    ids = "".join(f"  - id: skillmesh-{IDS.get(stage, stage)}\n" for stage in STAGES)
    config = f"repos:\n- repo: {project.path}\n  rev: {project.head}\n  hooks:\n{ids}"
    repo = make_repo(tmp_path, files={"a.txt": "1\n", ".pre-commit-config.yaml": config})
    types = [f"--hook-type={stage}" for stage in STAGES]
    pre_commit(repo, "install", *types)
    pre_commit(repo, "install-hooks", env=PIP)
    (site,) = Path(os.environ["PRE_COMMIT_HOME"]).glob("repo*/py_env-*/lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def ran(said: str) -> list[str]:
        return re.findall(r"^(.*?)\.{3,}Passed$", said, re.MULTILINE)

    repo.write("a.txt", "2\n")
    assert ran(repo.run("commit", "-a", "-m", "second").stderr) == [
        CHECK,
        CHECK_MESSAGE,
        "index the commit (in the background)",
    ]
    assert runs(repo) == [repo.path]
    assert " end after " in wait_for_worker(repo)
    assert ran(repo.run("commit", "--amend", "-m", "second, amended").stderr) == [
        CHECK,
        CHECK_MESSAGE,
        "index the commit (in the background)",
        "index what was rewritten (in the background)",
    ]
    assert ran(repo.run("checkout", "-b", "topic", "HEAD~1").stderr) == [
        "index what was checked out (in the background)"
    ]
    assert ran(repo.run("merge", "main").stderr) == ["index what was merged (in the background)"]
    assert set(runs(repo)) == {repo.path}

    wip = Matcher(MatcherKind.MESSAGE, regex="^wip")
    for path, text in files_of(
        literal("no-todo", "TODO"), made("no-wip", wip, State.BLOCK)
    ).items():
        repo.write(path, text or "")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "--no-verify", "-m", "learn what has no examples")
    repo.write("a.txt", "3 TODO\n")
    refused = repo.run("commit", "-a", "-m", "third")
    assert (refused.returncode, "a.txt\n  1:3 warning no-todo" in refused.stderr) == (1, True)
    repo.write("a.txt", "3\n")
    refused = repo.run("commit", "-a", "-m", "wip")
    assert (refused.returncode, "warning no-wip (blocks)" in refused.stderr) == (1, True)
    assert repo.run("commit", "-a", "-m", "third").returncode == 0


OWN_HOOKS = """\
repos:
- repo: local
  hooks:
  - id: count
    name: count
    language: system
    entry: sh -c 'echo framework >>../count'
    stages: [post-commit]
    always_run: true
    pass_filenames: false
"""
FOREIGN = "#!/bin/sh\necho foreign >>../count\n"


def install_pre_commit(repo: Repo) -> None:
    pre_commit(repo, "install", "--hook-type=post-commit")


def uninstall_pre_commit(repo: Repo) -> None:
    pre_commit(repo, "uninstall", "--hook-type=post-commit")


def install_ours(repo: Repo) -> None:
    install(discover(repo.path))


def remove_ours(repo: Repo) -> None:
    remove(discover(repo.path))


ORDERS = {
    "ours first": [install_ours, install_pre_commit],
    "pre-commit first": [install_pre_commit, install_ours],
    "pre-commit, ours, pre-commit": [install_pre_commit, install_ours, install_pre_commit],
    "pre-commit, ours, both again": [
        install_pre_commit,
        install_ours,
        install_pre_commit,
        install_ours,
    ],
}


def hooks_folder(repo: Repo) -> dict[str, str]:
    return {
        path.name: path.read_text() for path in repo.hooks_dir.iterdir() if path.suffix != ".sample"
    }


@pytest.mark.parametrize(
    ("steps", "with_foreign"),
    [
        *((steps, True) for steps in ORDERS.values()),
        (ORDERS["pre-commit, ours, pre-commit"], False),
    ],
    ids=[*ORDERS, "pre-commit, ours, pre-commit, alone"],
)
def test_everything_runs_once_in_any_order_of_installation(
    tmp_path: Path, runs: Runs, steps: list[Callable[[Repo], None]], with_foreign: bool
) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", ".pre-commit-config.yaml": OWN_HOOKS})
    if with_foreign:
        repo.hook("post-commit", FOREIGN)
    for step in steps:
        step(repo)
    states = state(discover(repo.path))
    assert [hook.state for hook in states] == ["installed"] * len(TEMPLATES)
    before = "runs post-commit.before-skillmesh first"
    called = "called by post-commit of pre-commit"
    last = steps[-1] is install_ours and len(steps) == 2
    assert states[0] == HookState("post-commit", "installed", chained=before if last else called)
    said = repo.run("commit", "--quiet", "--allow-empty", "-m", "x")
    assert said.returncode == 0
    assert "bug" not in said.stderr
    counted = (tmp_path / "count").read_text().split()
    assert sorted(counted) == ["foreign", "framework"][not with_foreign :]
    assert runs(repo) == [repo.path]

    remove_ours(repo)
    (tmp_path / "count").unlink()
    repo.git("commit", "--quiet", "--allow-empty", "-m", "y")
    assert sorted((tmp_path / "count").read_text().split()) == sorted(counted)
    assert runs(repo) == [repo.path]
    uninstall_pre_commit(repo)
    assert hooks_folder(repo) == ({"post-commit": FOREIGN} if with_foreign else {})


def test_pre_commit_leaves_first(tmp_path: Path, runs: Runs) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n", ".pre-commit-config.yaml": OWN_HOOKS})
    repo.hook("post-commit", FOREIGN)
    for step in (install_ours, install_pre_commit, uninstall_pre_commit):
        step(repo)
    repo.git("commit", "--quiet", "--allow-empty", "-m", "x")
    assert (tmp_path / "count").read_text() == "foreign\n"
    assert runs(repo) == [repo.path]
    remove_ours(repo)
    assert hooks_folder(repo) == {"post-commit": FOREIGN}
