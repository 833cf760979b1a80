"""The program under measurement, in an environment of its own.

In: a scratch folder. Out: `Bench`, which makes repositories there and runs `git skillmesh` in them
as a user would. What is measured is a copy: the trees that are named on the command line are never
written to.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import git_skillmesh
from benchmarks.measure import Cost, run
from testing.environment import TOKEN, sealed
from testing.repos import Repo

# A repository of Chroma collections is written by a process of its own after the local tier;
# what is measured here is the local tier.
_SETTINGS = {"skillmesh.chroma.impl": "off", "skillmesh.repoid": "benchmark"}


def common_arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all measurements share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--scratch", type=Path, metavar="DIR", help="where repositories are made (a temporary one)"
    )
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="where the JSON goes (benchmarks/results)"
    )
    return parser


@dataclass(frozen=True)
class Bench:
    """`folder` holds everything a measurement writes; `env` is what its processes see."""

    folder: Path
    env: dict[str, str]

    def repository(self, tree: Path, name: str = "") -> Repo:
        """Return a repository with the files of `tree`: a clone, or a copy if it is no repository.

        A clone has the history of the original, and its HEAD.
        """
        path = self.folder / (name or tree.name)
        if path.exists():
            shutil.rmtree(path)
        if (tree / ".git").exists() or (tree / "objects").is_dir():
            self.git("clone", "--quiet", os.fspath(tree.resolve()), os.fspath(path))
            repo = Repo(path)
        else:
            shutil.copytree(tree, path, symlinks=True)
            repo = self.new_repository(path)
        self.configure(repo)
        return repo

    def new_repository(self, path: Path) -> Repo:
        """Make a repository of a folder's files, with one commit."""
        path.mkdir(parents=True, exist_ok=True)
        repo = Repo(path)
        self.git("init", "--quiet", "--initial-branch=main", cwd=path)
        self.configure(repo)
        self.git("add", "--all", cwd=path)
        self.git("commit", "--quiet", "-m", "first", cwd=path)
        return repo

    def configure(self, repo: Repo) -> None:
        """Write the settings under which everything is measured."""
        for name, value in _SETTINGS.items():
            self.git("config", name, value, cwd=repo.path)

    def git(self, *words: str, cwd: Path | None = None) -> Cost:
        """Run git."""
        return run(["git", *words], cwd or self.folder, self.env)

    def skillmesh(
        self, repo: Repo, *words: str, accept: Sequence[int] = (0,), memory: bool = False
    ) -> Cost:
        """Run `git skillmesh` and return what it cost."""
        command = ["git", "skillmesh", *words]
        return run(command, repo.path, self.env, accept=accept, memory=memory)

    def index(self, repo: Repo, *, memory: bool = False, anew: bool = False) -> "Indexed":
        """Index the local tier; `anew` deletes it before."""
        if anew:
            shutil.rmtree(repo.path / ".git" / "skillmesh", ignore_errors=True)
        cost = self.skillmesh(repo, "index", "--chroma", "off", "--json", memory=memory)
        return Indexed(cost, json.loads(cost.output))


@dataclass(frozen=True, slots=True)
class Indexed:
    """What one `git skillmesh index` cost and reported."""

    cost: Cost
    report: dict[str, Any]

    @property
    def chunks(self) -> int:
        """Chunks made in this run."""
        return int(self.report["chunks_made"])


@dataclass(frozen=True, slots=True)
class Sizes:
    """The files, chunks and bytes of source in an index, and the bytes it takes on disk."""

    files: int
    chunks: int
    source: int
    index: int


def sizes(repo: Repo) -> Sizes:
    """Read the sizes of a repository's index."""
    from git_skillmesh.git.repository import discover
    from git_skillmesh.index.store import Store

    store = Store(discover(repo.path))
    catalogue = store.reader()
    row = catalogue.rows(
        "SELECT count(*), total(chunks), total(bytes) FROM files WHERE skip IS NULL"
    )[0]
    catalogue.close()
    return Sizes(int(row[0]), int(row[1]), int(row[2]), store.size())


@contextmanager
def workplace(scratch: Path | None) -> Iterator[Bench]:
    """Give a scratch folder with a sealed environment; delete it unless the caller named it."""
    folder = scratch or Path(tempfile.mkdtemp(prefix="skillmesh-benchmark-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    env = sealed(os.environ, folder / "home" / "user")
    env[TOKEN] = f"benchmark-{os.getpid()}"
    programs = Path(sys.executable).parent
    if not (programs / "git-skillmesh").exists():
        programs = _launcher(folder)
    env["PATH"] = os.fspath(programs) + os.pathsep + env["PATH"]
    del env["GIT_AUTHOR_DATE"], env["GIT_COMMITTER_DATE"]
    try:
        yield Bench(folder, env)
    finally:
        if scratch is None:
            shutil.rmtree(folder, ignore_errors=True)


def _launcher(folder: Path) -> Path:
    """Write a `git-skillmesh` for a Python that has the package but not its commands."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    source = Path(git_skillmesh.__file__).parents[1]
    program = programs / "git-skillmesh"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {os.fspath(source)!r})\n"
        "from git_skillmesh.cli.main import run\nrun()\n"
    )
    program.chmod(0o755)
    return programs
