"""Whose the lines of indexed files are, read without anything that searching needs.

In: a repository. Out: `Origins`, as the catalogue has them. Nothing here imports numpy: what shows
lists of origins begins sooner without.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ..git.repository import Repository
from .database import damage_reported, open_database


class Counted(NamedTuple):
    """How many lines of a file version (path and blob) come of an exchange."""

    path: str
    blob: str
    session: str
    exchange: str
    lines: int


class Origins(NamedTuple):
    """All counts, by file version; `state` is the HEAD and the notes they were made from.

    It is None where they never were.
    """

    state: tuple[str | None, str | None] | None
    counts: tuple[Counted, ...]


def catalogue_place(repository: Repository) -> Path:
    """Return the file of the catalogue of code, whether there is one or not."""
    return repository.state_dir / "index" / "catalogue.db"


def origins_of(repository: Repository) -> Origins | None:
    """Return the origins that the index knows, None without an index. Raises `Damaged`."""
    try:
        database = open_database(catalogue_place(repository), write=False)
    except FileNotFoundError:
        return None
    with closing(database), damage_reported():
        found = database.execute(
            "SELECT value FROM meta WHERE name = ?", (provenance_name(repository),)
        ).fetchone()
        head, notes = json.loads(found[0]) if found else (None, None)
        return Origins((head, notes) if found else None, tuple(_counts(database)))


def _counts(database: sqlite3.Connection) -> Iterator[Counted]:
    rows = database.execute(
        "SELECT f.path, f.blob, o.session, o.exchange, sum(o.lines)"
        " FROM origins o JOIN files f ON f.id = o.file"
        " GROUP BY o.file, o.session, o.exchange ORDER BY o.file"
    )
    for path, blob, session, exchange, lines in rows:
        yield Counted(os.fsdecode(path), bytes(blob).hex(), session, exchange, lines)


def view_name(repository: Repository) -> str:
    """Return the name of the worktree whose HEAD is meant, "" for the main one."""
    return repository.git_dir.name if repository.git_dir != repository.common_dir else ""


def provenance_name(repository: Repository, view: str = "") -> str:
    """Return under which name is kept what was done last; each worktree has a HEAD of its own."""
    return f"provenance {view or view_name(repository)}"
