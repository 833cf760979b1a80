"""The skills that a command works on, inside of a repository or not.

In: options. Out: a `Registry`, the repository if there is one.
"""

import argparse
from pathlib import Path

from ..errors import NotARepository, UsageError
from ..files import expanded
from ..git.repository import Repository
from ..registry.choosing import NAME
from ..registry.loading import load_registry, skills_of
from ..registry.model import Registry
from .context import Context


def repository_of(context: Context) -> Repository | None:
    """Return the repository around the folder, None outside of one."""
    try:
        return context.repository
    except NotARepository:
        if context.folder is not None and not context.folder.is_dir():
            raise UsageError(f"no such folder: {context.folder}") from None
        return None


def top_of(context: Context) -> Path | None:
    """Return the folder of the working tree, None where there is none."""
    repository = repository_of(context)
    return repository.top if repository else None


def place_of(name: str, context: Context) -> Path:
    """Return a path that the user typed."""
    if "\0" in name:
        raise UsageError("not a path: it has a NUL character")
    return (context.folder or Path()) / expanded(name)


def registry_of(args: argparse.Namespace, context: Context) -> Registry:
    """Return the registry that is named, else the shipped one with the repository's own skills."""
    named = getattr(args, "registry", None)
    if named is None:
        return skills_of(top_of(context))
    return load_registry(place_of(named, context))


def key_of(args: argparse.Namespace, context: Context) -> str:
    """Return the name under which an index of the registry is kept."""
    named = getattr(args, "registry", None)
    return NAME if named is None else str(place_of(named, context).resolve())
