"""Refs and notes: what there is, and what it points at.

In: patterns of ref names. Out: names and ids.
"""

import os
import re

from .repository import Repository
from .trees import list_tree

_OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?$")


def matching_refs(repository: Repository, *patterns: str) -> dict[str, str]:
    """Return name → object id of the refs that match (as of git-for-each-ref)."""
    out = repository.git.run("for-each-ref", "--format=%(objectname) %(refname)", *patterns)
    lines = (line.split(" ", 1) for line in os.fsdecode(out).splitlines())
    return {name: oid for oid, name in lines}


def notes_of(repository: Repository, ref: str) -> dict[str, str]:
    """Return annotated object → blob of its note, whatever the fan-out of the notes tree."""
    paths = list_tree(repository, ref)
    joined = ((path.replace("/", ""), oid) for path, oid in paths.items())
    return {annotated: oid for annotated, oid in joined if _OBJECT.match(annotated)}


def worktrees(repository: Repository) -> list[str]:
    """Return the roots of all working trees of a repository, the main one first."""
    out = os.fsdecode(repository.git.run("worktree", "list", "--porcelain"))
    return [line[9:] for line in out.split("\n") if line.startswith("worktree ")]


def origin_name(repository: Repository) -> str:
    """Return the name of the repository at its origin, "" without one."""
    url = os.fsdecode(repository.git.run_unchecked("config", "remote.origin.url").stdout).strip()
    return re.split(r"[/:]", url.rstrip("/").removesuffix(".git"))[-1]
