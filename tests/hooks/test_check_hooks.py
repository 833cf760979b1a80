"""Commits as people make them: what blocks stops them, a broken tool does not."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.hooks.install import Report
from git_skillmesh.learnings.model import Matcher, MatcherKind, State
from testing.learnings import files_of, literal, made, with_examples
from testing.repos import Repo, make_repo, run

Install = Callable[[Repo], Report]
RULES = files_of(
    literal("no-print", "print(", languages=("python",)),
    literal("no-todo", "TODO", State.WARN),
    made("subject", Matcher(MatcherKind.MESSAGE, regex=r"\bwip\b", ignore_case=True), State.BLOCK),
)
SAID = """\
a.py
  1:1 warning no-print (blocks)
    About no-print
      1 │ print(1)
        │ ^^^^^^

1 blocking
1 file, 3 learnings; exit code 1
"""


@pytest.fixture
def repo(tmp_path: Path, install_hooks: Install) -> Repo:
    repo = make_repo(tmp_path, files={**RULES, "a.py": "x = 1\n", "b.py": "y = 1\n"})
    install_hooks(repo)
    # Only the two hooks that are tested here.
    for name in ("post-commit", "post-merge", "post-checkout", "post-rewrite", "pre-push"):
        (repo.hooks_dir / name).unlink()
    return repo


def test_a_finding_that_blocks_stops_the_commit(repo: Repo) -> None:
    head = repo.head
    repo.write("a.py", "print(1)\nx = 1\n")
    repo.git("add", "a.py")
    result = repo.run("commit", "-m", "one")
    assert (result.returncode, repo.head) == (1, head)
    assert result.stderr == SAID.replace("print(1)\n", "print(1)\n", 1).replace(
        "        │ ^^^^^^\n", "        │ ^^^^^^\n      2 │ x = 1\n"
    )
    repo.write("a.py", "# TODO\nx = 1\n")
    result = repo.run("commit", "-q", "-a", "-m", "two")
    assert result.returncode == 0
    assert "1 warning\n1 file, 3 learnings; exit code 0\n" in result.stderr
    repo.write("a.py", "x = 2\n")
    assert repo.run("commit", "-q", "-a", "-m", "three").stderr == ""


@pytest.mark.parametrize("options", [["-a"], ["a.py"], ["--include", "a.py"]])
def test_what_git_stages_by_itself_is_checked(repo: Repo, options: list[str]) -> None:
    repo.write("a.py", "print(1)\n")
    result = repo.run("commit", "-m", "one", *options)
    assert (result.returncode, result.stderr) == (1, SAID)


def test_what_is_not_committed_is_not_checked(repo: Repo) -> None:
    repo.write("a.py", "print(1)\n")
    repo.git("add", "a.py")
    repo.write("b.py", "y = 2\n")
    assert repo.run("commit", "-q", "-m", "one", "b.py").stderr == ""


def test_from_a_subfolder_and_a_linked_worktree(repo: Repo, tmp_path: Path) -> None:
    other = repo.worktree(tmp_path / "other", "side")
    other.write("deep/a.py", "print(1)\n")
    other.git("add", "--all")
    result = run("git", "commit", "-m", "one", cwd=other.path / "deep")
    assert (result.returncode, result.stderr) == (1, SAID.replace("a.py", "deep/a.py"))


def test_the_message_is_checked_without_its_comments(repo: Repo) -> None:
    repo.write("a.py", "x = 2\n")
    result = repo.run("commit", "-a", "-m", "WIP on it")
    assert result.returncode == 1
    assert "About subject" in result.stderr
    editor = repo.write("editor", "#!/bin/sh\nprintf 'fine\\n# wip\\n' >\"$1\"\n")
    editor.chmod(0o755)
    result = repo.run("commit", "-q", "-a", "--verbose", env={"GIT_EDITOR": os.fspath(editor)})
    assert (result.returncode, result.stderr) == (0, "")
    assert repo.git("log", "-1", "--format=%B") == "fine\n"


def test_a_broken_rule_stops_commits_until_one_mends_it(repo: Repo) -> None:
    bad = ".skillmesh/learnings/bad.yaml"
    repo.write(bad, "learning_id: bad\n")
    repo.git("add", "--all")
    result = repo.run("commit", "-m", "spoil")
    assert result.returncode == 1
    assert result.stderr.endswith("1 file, 3 learnings; exit code 10\n")
    repo.git("commit", "-q", "--no-verify", "-m", "spoil all the same")
    repo.write("a.py", "x = 2\n")
    result = repo.run("commit", "-a", "-m", "another")
    assert result.returncode == 1
    assert f"{bad}:1: matcher is missing" in result.stderr
    (repo.path / bad).unlink()
    assert repo.run("commit", "-q", "-a", "-m", "mend").returncode == 0


@pytest.mark.parametrize("commits", [0, 1])
def test_the_first_learnings_have_to_be_usable(
    tmp_path: Path, install_hooks: Install, commits: int
) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"} if commits else {})
    install_hooks(repo)
    first = repo.write(".skillmesh/learnings/first.yaml", "learning_id: first\n")
    repo.git("add", "--all")
    result = repo.run("commit", "-m", "spoil")
    assert result.returncode == 1
    assert "first.yaml:1: matcher is missing" in result.stderr
    first.unlink()
    mended = with_examples(literal("no-print", "print(", State.WARN), ["print(1)"], ["x = 1"])
    for path, text in files_of(mended).items():
        repo.write(path, text or "")
    repo.write("a.py", "print(1)\n")
    repo.git("add", "--all")
    result = repo.run("commit", "-q", "-m", "begin")
    assert result.returncode == 0
    assert "About no-print" not in result.stderr, "what it says counts from the next commit on"
    repo.write("a.py", "print(1)\nprint(2)\n")
    assert "About no-print" in repo.run("commit", "-q", "-a", "-m", "go on").stderr


@pytest.mark.parametrize("name", ["pre-commit", "commit-msg"])
@pytest.mark.parametrize("broken", ["python", "program", "crash"])
def test_a_broken_tool_lets_the_commit_pass(repo: Repo, name: str, broken: str) -> None:
    path = repo.hooks_dir / name
    text = path.read_text()
    python = next(line for line in text.splitlines() if line.startswith("python="))
    program = next(line for line in text.splitlines() if line.startswith("program="))
    crash = repo.write(".git/crash.py", "import nothing_like_that\n")
    replaced = {
        "python": (python, "python=/nowhere/python", "cannot start /nowhere/python"),
        "program": (program, "program=/nowhere/x.py", f"cannot start {sys.executable}"),
        "crash": (program, f"program={crash}", "the program failed (1)"),
    }[broken]
    path.write_text(text.replace(replaced[0], replaced[1]))
    repo.write("a.py", "x = 2\n")
    result = repo.run("commit", "-q", "-a", "-m", "one")
    assert result.returncode == 0
    assert f"git skillmesh: nothing checked, {replaced[2]}" in result.stderr


def test_without_learnings_python_is_not_started(tmp_path: Path, install_hooks: Install) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    install_hooks(repo)
    for name in ("pre-commit", "commit-msg"):
        path = repo.hooks_dir / name
        path.write_text(path.read_text().replace("python=", "python=/nowhere/"))
    repo.write("a.py", "print(1)\n")
    result = repo.run("commit", "-q", "-a", "-m", "one")
    assert (result.returncode, result.stderr) == (0, "")


def test_a_hook_that_was_there_comes_first(tmp_path: Path, install_hooks: Install) -> None:
    repo = make_repo(tmp_path, files={**RULES, "a.py": "x = 1\n"})
    repo.hook("pre-commit", "#!/bin/sh\necho theirs\nexit $(cat code)\n")
    install_hooks(repo)
    repo.write("a.py", "print(1)\n")
    repo.write("code", "3")
    result = repo.run("commit", "-a", "-m", "one")
    assert (result.returncode, result.stderr) == (1, "theirs\n")
    repo.write("code", "0")
    result = repo.run("commit", "-a", "-m", "one")
    assert (result.returncode, result.stderr) == (1, f"theirs\n{SAID}")


def test_the_command_for_hook_managers(repo: Repo) -> None:
    program = (sys.executable, "-m", "git_skillmesh.hooks")
    repo.write("a.py", "print(1)\n")
    repo.git("add", "a.py")
    result = run(*program, "pre-commit", cwd=repo.path)
    assert (result.returncode, result.stdout, result.stderr) == (1, SAID, "")
    message = repo.write(".git/MESSAGE", "wip\n")
    assert run(*program, "commit-msg", message, cwd=repo.path).returncode == 1
    assert run(*program, "commit-msg", "nowhere", cwd=repo.path).returncode == 0
    assert run(*program, "pre-commit", cwd=repo.path.parent).returncode == 0
