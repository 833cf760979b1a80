"""Real git repositories in temporary folders, and the program run on them as a user would.

In: a temporary folder. Out: `Repo`, `make_repo` and `run_skillmesh`. Environment: whatever
tests/conftest.py sealed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from git_skillmesh.git.repository import Repository, discover

from . import pristine

_opened: dict[tuple[Path, frozenset[tuple[str, str]]], Repository] = {}


@dataclass(frozen=True, slots=True)
class Result:
    """What a process answered."""

    returncode: int
    stdout: str
    stderr: str


def run(
    *command: str | os.PathLike[str],
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = 300,
) -> Result:
    """Run a program; `env` is added to the environment of the test."""
    done = subprocess.run(
        [os.fspath(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=os.fsencode(stdin),
        capture_output=True,
        check=False,
        timeout=timeout,
    )
    return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


def run_skillmesh(
    cwd: Path, *args: str, env: Mapping[str, str] | None = None, stdin: str = ""
) -> Result:
    """Run `git-skillmesh ARGS` in a folder with the interpreter of the tests."""
    return run(sys.executable, "-m", "git_skillmesh", *args, cwd=cwd, env=env, stdin=stdin)


_DATES: list[Iterator[str]] = []


@contextmanager
def dated(*dates: str) -> Iterator[None]:
    """Give the commits that are made inside these dates, one each, instead of the usual one."""
    left = iter(dates)
    _DATES.append(left)
    try:
        yield
    finally:
        _DATES.pop()
    assert next(left, None) is None, "fewer commits than dates"


@dataclass(frozen=True)
class Repo:
    """A repository: `path` is the root of a working tree, or a bare repository."""

    path: Path

    def run(self, *args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        """Run `git ARGS` and return whatever happened."""
        return run("git", *args, cwd=self.path, env=env, stdin=stdin)

    def git(self, *args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> str:
        """Run `git ARGS` and return its output without the last newline; it has to succeed."""
        result = self.run(*args, env=env, stdin=stdin)
        assert result.returncode == 0, f"git {' '.join(args)}: {result.stdout}{result.stderr}"
        return result.stdout.removesuffix("\n")

    def skillmesh(
        self, *args: str, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> Result:
        """Run `git-skillmesh ARGS` at the root of this repository."""
        return run_skillmesh(self.path, *args, env=env, stdin=stdin)

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file of the working tree, and the folders it needs."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def read(self, path: str) -> str:
        """Return the text of a file of the working tree."""
        return (self.path / path).read_text()

    def commit(
        self, message: str = "change", files: Mapping[str, str | bytes | None] | None = None
    ) -> str:
        """Write `files` (None deletes), commit everything there is, return the commit's id."""
        for name, content in (files or {}).items():
            if content is None:
                (self.path / name).unlink()
            else:
                self.write(name, content)
        self.git("add", "--all")
        when = next(_DATES[-1]) if _DATES else None
        date = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when} if when else None
        self.git("commit", "--quiet", "--allow-empty", "-m", message, env=date)
        return self.head

    @property
    def head(self) -> str:
        """The id of the commit HEAD points at."""
        return self._loose("HEAD") or self.git("rev-parse", "HEAD")

    def _loose(self, name: str) -> str:
        """Return what a loose ref says, without a process; "" for packed ones and worktrees."""
        try:
            text = (self.path / ".git" / name).read_text().strip()
        except OSError:
            return ""
        if text.startswith("ref: "):
            return self._loose(text[5:])
        return text if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", text) else ""

    @property
    def git_dir(self) -> Path:
        """The git directory, private to a linked worktree."""
        if (self.path / ".git").is_dir():
            return (self.path / ".git").resolve()
        return Path(self.git("rev-parse", "--absolute-git-dir"))

    @property
    def common_dir(self) -> Path:
        """The git directory that all worktrees share."""
        if (self.path / ".git").is_dir():
            return (self.path / ".git").resolve()
        return (self.path / self.git("rev-parse", "--git-common-dir")).resolve()

    @property
    def state_dir(self) -> Path:
        """The folder of all caches."""
        return self.common_dir / "skillmesh"

    @property
    def hooks_dir(self) -> Path:
        """The folder git takes its hooks from."""
        return (self.path / self.git("rev-parse", "--git-path", "hooks")).resolve()

    def hook(self, name: str, text: str, mode: int = 0o755) -> Path:
        """Write a hook of somebody else."""
        self.hooks_dir.mkdir(parents=True, exist_ok=True)
        path = self.hooks_dir / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def worktree(self, path: Path, branch: str) -> "Repo":
        """Add a linked worktree on a new branch."""
        self.git("worktree", "add", "--quiet", "-b", branch, os.fspath(path))
        return Repo(path)

    def clone(self, path: Path, *options: str) -> "Repo":
        """Clone this repository ("--bare", "--depth=1", "--filter=blob:none", …)."""
        self.git("clone", "--quiet", *options, self.path.as_uri(), os.fspath(path))
        return Repo(path)

    def copy(self, path: Path) -> "Repo":
        """Copy the repository with its caches and hooks, which costs less than making it again."""
        shutil.copytree(self.path, path, symlinks=True)
        return Repo(path)

    def opened(self) -> Repository:
        """Return what the program finds here; git is asked once for each environment."""
        key = (self.path, frozenset(os.environ.items()))
        if key not in _opened:
            _opened[key] = discover(self.path)
        return _opened[key]

    def submodule(self, other: "Repo", name: str) -> "Repo":
        """Add another repository as a submodule and commit that."""
        self.git("submodule", "--quiet", "add", os.fspath(other.path), name)
        self.git("commit", "--quiet", "-m", f"add {name}")
        return Repo(self.path / name)


def make_repo(
    folder: Path,
    name: str = "repo",
    *,
    bare: bool = False,
    object_format: str = "sha1",
    files: Mapping[str, str | bytes | None] | None = None,
) -> Repo:
    """Make `folder/name` a repository on branch main; with `files` it has a first commit."""
    path = folder / name
    path.mkdir(parents=True)
    repo = Repo(path)

    def by_git() -> None:
        options = ["--bare"] if bare else []
        repo.git(
            "init", "--quiet", f"--object-format={object_format}", "--initial-branch=main", *options
        )
        if files is not None:
            repo.commit("first", files)

    if _DATES:
        by_git()  # a date of its own
    else:
        pristine.make(path, bare, object_format, files, by_git)
    return repo
