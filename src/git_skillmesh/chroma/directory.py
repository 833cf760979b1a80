"""The list of the repositories of a shared store: which there are, and what they are called.

In: a repository and what it has mirrored. Out: its record in `skillmesh_repositories`, and the
records of all as `Listed`. The list is a convenience: rows are found by their `repo_id`,
listed or not.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config import Config
from ..errors import Unavailable
from ..git.repository import Repository, main_repository, normalise_url
from ..index.identity import repo_id
from .claims import is_claim
from .followed import followed
from .mirror import Outcome
from .pipe import WriterWhenNeeded
from .prepare import clean
from .reader import ChromaReader
from .schemas import CHATS, CODE, DIRECTORY, LEARNINGS, THOUGHTS
from .target import Target

# What a repository has rows in, in the order in which a list shows it.
MIRRORED = (CODE, CHATS, LEARNINGS, THOUGHTS)
_LONGEST = 100
# Rows of repositories that no record names are looked for one repository at a time.
_MOST_UNNAMED = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A repository of a store: `rows` by collection as of `time`, when it mirrored last.

    `name` is empty where none was recorded, `commit` and `branch` are what its code follows.
    """

    repo_id: str
    name: str = ""
    commit: str = ""
    branch: str = ""
    time: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.name or self.repo_id


def is_shared(target: Target, repository: Repository) -> bool:
    """Whether other repositories may use the store: all but the folder that nobody configured."""
    own = main_repository(repository).state_dir / "chroma"
    return target.kind != "persistent" or target.store != own


def owner_of(repository: Repository, config: Config, target: Target | None) -> str:
    """Return whose rows are whose in a shared store: the repository's id, "" in one of its own."""
    if target is None or not is_shared(target, repository):
        return ""
    return repo_id(main_repository(repository), config)


def name_of(repository: Repository, config: Config) -> str:
    """Return the configured name, else the end of the origin's address, else the folder's name."""
    name = config["reponame"]
    if not name:
        origin = repository.git.run_unchecked("config", "--get", "remote.origin.url").stdout
        address = os.fsdecode(origin).strip()
        if address:
            parts = normalise_url(address, repository.git.cwd).split("/")
            # Of a folder on somebody's disk nothing but its own name is anybody's business.
            name = "/".join(parts[-2:] if parts[0] else parts[-1:])
        else:
            folder = main_repository(repository)
            name = (folder.top or folder.common_dir).name
    return "".join(c if c.isprintable() else "?" for c in clean(name))[:_LONGEST]


def announce(
    repository: Repository, config: Config, target: Target,
    outcomes: Mapping[str, Outcome | None], writers: WriterWhenNeeded,
) -> None:  # fmt: skip
    """Record the repository, where others may look for it, if anything was written or it is new.

    `outcomes` are those of the collections by name, None where there is nothing of one. What this
    run has not seen, as the numbers of what only others have, stays as it was recorded; where
    nothing was, what is known here is. Raises like `mirror`.
    """
    if not is_shared(target, repository):
        return
    main = main_repository(repository)
    what = followed(main, config)
    branch = what.branch.shown if what.branch else main.branch() or ""
    identity = {
        "repo_id": repo_id(main, config),
        "repo_name": name_of(main, config),
        "branch": clean(branch)[:_LONGEST],
        "origins": ",".join(main.ids_of_remotes()),
    }
    known = repository.state_dir / "announced.json"
    said = json.dumps([target.fingerprint, identity], sort_keys=True)
    if not writers.started and _read(known) == said:
        return
    done = {name: one for name, one in outcomes.items() if one is not None}
    stands = {
        "commit_sha": what.commit or "",
        "updated_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    seen: dict[str, Any] = {
        f"rows_{name}": outcome.rows for name, outcome in done.items() if outcome.looked
    }
    if CODE in done and done[CODE].looked and not done[CODE].note:
        seen |= stands
    first = {**stands, **{f"rows_{name}": outcome.rows for name, outcome in done.items()}}
    writers.writer().ask("register", record=identity | seen, first=first)
    with suppress(OSError):  # it would only be said again
        known.write_text(said, encoding="utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def recorded(reader: ChromaReader) -> list[Listed]:
    """Return the repositories that have a record, by name. Raises like `ChromaReader`."""
    try:
        records = ((one["id"], one["metadata"] or {}) for one in reader.get(DIRECTORY))
        found = [_listed(number, meta) for number, meta in records if not is_claim(meta)]
    except Unavailable as error:
        _only_missing(error)
        found = []
    return sorted(found, key=lambda one: (not one.name, one.name, one.repo_id))


def listed(reader: ChromaReader) -> list[Listed]:
    """Return all repositories that have rows, those without a record last: they are looked for.

    Raises like `ChromaReader`.
    """
    found = {one.repo_id: one for one in recorded(reader)}
    for name in MIRRORED:
        for number in _unnamed(reader, name, found):
            found[number] = Listed(number, rows=_counted(reader, number))
    return list(found.values())


def _listed(number: str, meta: Mapping[str, Any]) -> Listed:
    def text(key: str) -> str:
        return str(meta.get(key, ""))[:_LONGEST]

    rows = {name: count for name in MIRRORED if isinstance(count := meta.get(f"rows_{name}"), int)}
    return Listed(
        number, text("repo_name"), text("commit_sha"), text("branch"), time=text("updated_at"),
        rows=rows,
    )  # fmt: skip


def _unnamed(reader: ChromaReader, collection: str, known: Iterable[str]) -> list[str]:
    """Return repositories that have rows in a collection and are not known, some at most."""
    seen = list(known)
    found: list[str] = []
    while len(found) < _MOST_UNNAMED:
        where = {"repo_id": {"$nin": seen}} if seen else {"repo_id": {"$ne": ""}}
        try:
            record = reader.first(collection, where)
        except Unavailable as error:
            _only_missing(error)
            break
        number = str((record or {}).get("repo_id", ""))
        if not number or number in seen:
            break
        seen.append(number)
        found.append(number)
    return found


def _counted(reader: ChromaReader, number: str) -> dict[str, int]:
    counts = {}
    for collection in MIRRORED:
        try:
            counts[collection] = reader.count(collection, number)
        except Unavailable as error:
            _only_missing(error)
    return counts


def _only_missing(error: Unavailable) -> None:
    """Go on where a collection does not exist; raise for everything else."""
    if "no collection" not in error.what:
        raise error
