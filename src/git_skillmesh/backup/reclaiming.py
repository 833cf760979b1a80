"""What would give room back: `prune`, `chroma vacuum`, `git gc`, `adapters gc`.

In: a repository and its settings. Out: `Offer`s, estimated without doing anything. docs/backup.md
says how good they are; the tests hold them against what was really given back.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ..chroma.footprint import vacuumable
from ..chroma.target import target_of
from ..config import Config
from ..errors import SkillmeshError
from ..git.bundles import reached_objects
from ..git.notes import REF as NOTES
from ..git.refs import list_refs
from ..git.repository import Repository
from ..index.learnings import learning_store
from ..index.maintenance import GRACE_SECONDS, prunable
from ..index.store import Store
from ..sessions.serving import adapters_folder

_KEEP_ADAPTERS = 3
_PREFIX = "refs/skillmesh"


@dataclass(frozen=True, slots=True)
class Offer:
    """A command and the bytes it would give back; `least` says that it may be more."""

    command: str
    size: int
    what: str
    least: bool = False


def offers(repository: Repository, config: Config) -> list[Offer]:
    """Return what there is to gain, largest first. Raises `GitFailed`, `Damaged`."""
    found = [_prune(repository), _vacuum(repository, config)]
    found += [_git_gc(repository), _adapters(repository, config)]
    return sorted((one for one in found if one.size), key=lambda one: -one.size)


def _prune(repository: Repository) -> Offer:
    size = versions = 0
    for store in (Store(repository), learning_store(repository)):
        catalogue = store.reader_if_any()
        if catalogue is None:
            continue
        try:
            found = prunable(catalogue, store, GRACE_SECONDS)
        finally:
            catalogue.close()
        size, versions = size + found.size, versions + found.versions
    return Offer("git skillmesh prune", size, f"{versions:,} file versions that no tree needs")


def _vacuum(repository: Repository, config: Config) -> Offer:
    target = target_of(config, repository)
    if target is None or target.kind != "persistent":
        return Offer("chroma vacuum", 0, "")
    command = f"chroma vacuum --path {target.store}"
    return Offer(command, vacuumable(target), "free pages and the log of Chroma's database", True)


def _git_gc(repository: Repository) -> Offer:
    """Loose objects of ours take whole blocks each, in a pack only what they are compressed."""
    what = "objects of the memory and the links that lie in files of their own"
    loose = {
        oid: found
        for oid, found in _loose_objects(repository).items()
        if found.st_blocks * 512 > found.st_size
    }
    refs = list_refs(repository, _PREFIX, NOTES) if loose else {}
    if not refs:
        return Offer("git gc", 0, what, True)
    ours = reached_objects(repository, refs)
    files = [found for oid, found in loose.items() if oid in ours]
    return Offer("git gc", sum(one.st_blocks * 512 - one.st_size for one in files), what, True)


def _loose_objects(repository: Repository) -> dict[str, os.stat_result]:
    found: dict[str, os.stat_result] = {}
    objects = repository.common_dir / "objects"
    for number in range(256):
        first = f"{number:02x}"
        try:
            with os.scandir(objects / first) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        found[first + entry.name] = status
        except OSError:
            continue
    return found


def _adapters(repository: Repository, config: Config) -> Offer:
    from ..training.adapters.collecting import collect
    from ..training.adapters.store import Store as Adapters

    command, what = "git skillmesh adapters gc", "adapters that nobody needs"
    folder = adapters_folder(repository, config)
    if not Path(folder).is_dir():
        return Offer(command, 0, what)
    try:
        return Offer(command, collect(Adapters(folder), _KEEP_ADAPTERS, dry_run=True).size, what)
    except SkillmeshError:
        return Offer(command, 0, what)
