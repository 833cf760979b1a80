"""Where else a repository lies.

In: a repository. Out: its working trees, and its name at the origin.
"""

import os
import re

from .repository import Repository


def only_worktree(repository: Repository) -> str | None:
    """Return the root of the main working tree as git names it, None where others are linked."""
    try:
        if any((repository.common_dir / "worktrees").iterdir()):
            return None
    except FileNotFoundError:
        pass
    except OSError:
        return None
    return os.fspath(repository.common_dir).removesuffix("/.git")


def worktrees(repository: Repository) -> list[str]:
    """Return the roots of all working trees of a repository, the main one first."""
    only = only_worktree(repository)
    if only is not None:
        return [only]
    out = os.fsdecode(repository.git.run("worktree", "list", "--porcelain"))
    return [line[9:] for line in out.split("\n") if line.startswith("worktree ")]


def origin_name(repository: Repository) -> str:
    """Return the name of the repository at its origin, "" without one."""
    url = os.fsdecode(repository.git.run_unchecked("config", "remote.origin.url").stdout).strip()
    return name_at(url)


def name_at(url: str) -> str:
    """Return the name that a repository has at an address."""
    return re.split(r"[/:]", url.rstrip("/").removesuffix(".git"))[-1]


def remote_names(repository: Repository) -> list[str]:
    """Return the names of the remotes."""
    return os.fsdecode(repository.git.run("remote")).splitlines()
