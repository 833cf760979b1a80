"""Summaries of all sessions, kept between runs: a list of thousands reads only what has changed.

In: a repository, a commit of its memory. Out: what `MemoryReader.sessions` says. A summary is kept
under the tree of its session's folder, so it is never stale. The file may be deleted at any time,
and is when a session is forgotten.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..files import replace_file
from ..git.repository import Repository
from .layout import Head
from .reading import MemoryReader, Summary

_SCHEMA = 2
_OF_HEAD = tuple(field.name for field in fields(Head))


def summaries(repository: Repository, memory: str) -> tuple[Summary, ...]:
    """Return all sessions, the one that was active last at the end. Raises `Damaged`."""
    before = _stored(repository)
    now: dict[str, Summary] = {}
    found = MemoryReader(repository, memory).sessions(before, now)
    if now.keys() != before.keys():
        _store(repository, now)
    return found


def drop_summaries(repository: Repository) -> None:
    """Delete what is kept, because a session was forgotten."""
    with suppress(OSError):
        _path(repository).unlink()


def _path(repository: Repository) -> Path:
    return repository.state_dir / "sessions.json"


def _stored(repository: Repository) -> dict[str, Summary]:
    try:
        document = json.loads(_path(repository).read_bytes())
        rows = document["sessions"] if document["schema"] == _SCHEMA else {}
        return {
            tree: Summary(Head(*head), int(count), str(opening), str(events), str(listed))
            for tree, (head, count, opening, events, listed) in rows.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _store(repository: Repository, found: Mapping[str, Summary]) -> None:
    rows: dict[str, list[Any]] = {
        tree: [
            [getattr(one.head, name) for name in _OF_HEAD],
            one.exchanges, one.opening, one.events, one.listed,
        ]
        for tree, one in found.items()
    }  # fmt: skip
    text = json.dumps({"schema": _SCHEMA, "sessions": rows}, separators=(",", ":"))
    with suppress(OSError):  # the answer is right without it
        replace_file(_path(repository), text.encode(), 0o600)
