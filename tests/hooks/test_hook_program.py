"""`git-skillmesh-hook`, as pre-commit and hook managers call it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.hooks.main import CHECKS, HOOKS
from testing.repos import Repo, Result, make_repo, run

pytestmark = pytest.mark.usefixtures("cold_start")  # how the program starts is what is tested

Runs = Callable[[Repo], list[Path]]
PROGRAM = (sys.executable, "-m", "git_skillmesh.hooks")
KNOWN = (
    "post-commit, post-merge, post-checkout, post-rewrite, pre-push, pre-commit, commit-msg, agent,"
    " context"
)


@pytest.mark.parametrize("name", [name for name in HOOKS if name not in ("pre-push", *CHECKS)])
def test_a_hook_starts_the_worker_and_returns(tmp_path: Path, runs: Runs, name: str) -> None:
    repo = make_repo(tmp_path, files={"deep/a.txt": "1\n"})
    result = run(*PROGRAM, name, "ignored", "--arguments", cwd=repo.path / "deep")
    assert result == Result(0, "", "")
    assert runs(repo) == [repo.path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pre-receive"], f"git-skillmesh-hook: unknown hook 'pre-receive'; known: {KNOWN}\n"),
        (["a\nb"], f"git-skillmesh-hook: unknown hook 'a\\nb'; known: {KNOWN}\n"),
        ([], f"git-skillmesh-hook: no hook named; known: {KNOWN}\n"),
    ],
)
def test_an_unknown_hook_is_said_in_one_line(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    assert run(*PROGRAM, *arguments, cwd=tmp_path) == Result(0, "", said)


def test_what_git_says_of_rewritten_commits_is_kept(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"deep/a.txt": "1\n"})
    pairs = f"{'a' * 40} {'b' * 40}\n{'c' * 40} {'b' * 40}\n"
    result = run(*PROGRAM, "post-rewrite", "rebase", cwd=repo.path / "deep", stdin=pairs)
    assert result == Result(0, "", "")
    said = (repo.state_dir / "rewritten").read_text()
    assert said == pairs
    assert run(*PROGRAM, "post-rewrite", cwd=repo.path) == Result(0, "", "")
    assert run(*PROGRAM, "post-commit", cwd=repo.path, stdin=pairs) == Result(0, "", "")


def test_help(tmp_path: Path) -> None:
    usage = (
        "usage: git-skillmesh-hook {post-commit|post-merge|post-checkout|post-rewrite|pre-push|"
        "pre-commit|commit-msg}"
        " [ARGUMENT…]\n"
        "       git-skillmesh-hook agent [claude-code|codex|cursor|gemini|copilot] <PAYLOAD\n"
        "       git-skillmesh-hook context [--explain] [AGENT] <PAYLOAD\n"
    )
    assert run(*PROGRAM, "--help", cwd=tmp_path) == Result(0, usage, "")


def test_outside_a_repository_nothing_is_disturbed(tmp_path: Path) -> None:
    assert run(*PROGRAM, "post-commit", cwd=tmp_path) == Result(0, "", "")
    said = run(*PROGRAM, "worker", cwd=tmp_path)
    assert (said.returncode, said.stdout) == (0, "")
    assert said.stderr == (
        f"git-skillmesh-hook worker: not a git repository: {tmp_path}: "
        "run this inside one, or use -C (nothing else is affected)\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_closed_standard_error_is_no_trouble(tmp_path: Path) -> None:
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *PROGRAM, "pre-receive"]
    assert run(*command, cwd=tmp_path) == Result(0, "", "")


def test_only_the_standard_library_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; before = set(sys.modules); import git_skillmesh.hooks.main, "
        "git_skillmesh.hooks.worker; print(*{name.partition('.')[0] for name in sys.modules} "
        "- sys.stdlib_module_names - {name.partition('.')[0] for name in before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["git_skillmesh"]
