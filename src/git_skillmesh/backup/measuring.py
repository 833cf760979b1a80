"""What takes how much room: caches, what is no cache, and what lies in git objects.

In: a repository and its settings. Out: `Item`s. Bytes of files are those that the disk gives away
for them; objects of git count as git has stored them. Nothing is opened but folders and two
databases.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..chroma.footprint import Collection, collections_in
from ..chroma.target import Target, target_of
from ..config import Config
from ..display import plural
from ..git.bundles import disk_usage
from ..git.notes import REF as NOTES
from ..git.refs import list_refs
from ..git.remotes import TRACKING
from ..git.repository import Repository
from ..monitoring.record import FOLDER as RECORD
from ..sessions.layout import REF as MEMORY
from ..sessions.serving import adapters_folder
from .gathering import NIGHTLY
from .manifest import HOME

_BLOCK = 512  # what st_blocks counts in, whatever the disk's own blocks are
_RECORD, _OVERHEAD = 250, 10_000
CACHE, KEPT, GIT = "cache", "kept", "git"
# What lies in the folder of caches, by name; what is not listed is "other".
_CACHES = {
    "code": ("index",),
    "conversations": ("chats", "capture.db", "openings.json", "sessions.json"),
    "learnings": ("learnings", "rules", "analysis.json", "review.json"),
    "thoughts": ("thoughts.idx",),
    "skills": ("skills",),
    "Chroma": ("chroma", "chroma.lock", "chroma.lock.turn", "mirror.db"),
    "linking": ("linking.db",),
    "training": ("training.db", "path-graph", "datasets"),
    "logs": ("log", "last-error.json"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """Something that takes room.

    `kind` is "cache" (made again by `git skillmesh index`), "kept" (nothing makes it again) or
    "git" (objects). `note` says what there is to say.
    """

    name: str
    kind: str
    size: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sizes:
    """All items, and the collections of a local Chroma store."""

    items: tuple[Item, ...]
    collections: tuple[Collection, ...]

    @property
    def caches(self) -> int:
        """Bytes of everything that can be made again."""
        return sum(item.size for item in self.items if item.kind == CACHE)

    def of(self, name: str) -> int:
        """Return the bytes of an item, 0 where there is none."""
        return sum(item.size for item in self.items if item.name == name)


def measure(repository: Repository, config: Config) -> Sizes:
    """Measure everything. Raises `ConfigurationError`, `GitFailed`."""
    target = target_of(config, repository)
    local = target if target is not None and target.kind == "persistent" else None
    collections = tuple(collections_in(local)) if local is not None else ()
    items = [*_cache_items(repository, local, collections), *_kept_items(repository, config)]
    items += _git_items(repository)
    return Sizes(tuple(item for item in items if item.size), collections)


def _cache_items(
    repository: Repository, local: Target | None, collections: Sequence[Collection]
) -> list[Item]:
    sizes = {
        entry.name: size_of(Path(entry.path))
        for entry in _entries(repository.state_dir)
        if entry.name != RECORD
    }
    if local is not None and local.store.parent != repository.state_dir:
        for path in (local.store, local.lock_file):
            sizes["chroma"] = sizes.get("chroma", 0) + size_of(path)
    found = {
        what: sum(sizes.pop(part, 0) + _beside(sizes, part) for part in parts)
        for what, parts in _CACHES.items()
    }
    own = [one for one in collections if one.own]
    if own:
        documents, count = sum(one.rows for one in own), plural(len(own), "collection")
        note = f"{documents:,} documents of your own in {count}: nothing else holds them"
    else:
        note = ""
    items = [
        Item(what, CACHE, size, note if what == "Chroma" else "") for what, size in found.items()
    ]
    return [*items, Item("other", CACHE, sum(sizes.values()))]


def _beside(sizes: dict[str, int], name: str) -> int:
    """Take out what SQLite keeps beside a database."""
    return sum(sizes.pop(name + suffix, 0) for suffix in ("-wal", "-shm", "-journal"))


def _kept_items(repository: Repository, config: Config) -> list[Item]:
    items = []
    if repository.top is not None:
        note = f"{HOME} of the working tree: learnings, skills, settings"
        items.append(Item("files", KEPT, size_of(repository.top / HOME), note))
    folder = adapters_folder(repository, config)
    items.append(Item("adapters", KEPT, size_of(folder)))
    nightly = repository.common_dir / NIGHTLY
    items.append(Item("training at night", KEPT, size_of(nightly), "data sets, logs, state"))
    record = repository.state_dir / RECORD
    return [*items, Item("monitoring", KEPT, size_of(record), "the record of what was done")]


def _git_items(repository: Repository) -> list[Item]:
    refs = list_refs(repository, MEMORY, NOTES, f"{TRACKING}/")
    tracked = [name for name in refs if name.startswith(f"{TRACKING}/")]
    items = []
    for name, what in ((MEMORY, "memory"), (NOTES, "links")):
        if name in refs:
            items.append(Item(what, GIT, disk_usage(repository, [name]), name))
    ours = {tip for name, tip in refs.items() if name not in tracked}
    more = [name for name in tracked if refs[name] not in ours]
    if more:
        size = disk_usage(repository, [*more, *(f"^{tip}" for tip in sorted(ours))])
        items.append(Item("of remotes", GIT, size, "what remotes have and this repository has not"))
    return items


def backup_estimate(sizes: Sizes) -> int:
    """Return about how many bytes a backup has at most, without the weights of adapters.

    A bundle packs objects at least as well as they lie; collections are compressed, vectors hardly.
    """
    own = sum(one.content_bytes + one.rows * _RECORD for one in sizes.collections if one.own)
    return sizes.of("memory") + sizes.of("links") + sizes.of("files") + own + _OVERHEAD


def size_of(path: Path) -> int:
    """Return the bytes on disk of a file or of all that is in a folder; links are not followed."""
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    total = found.st_blocks * _BLOCK
    todo = [os.fspath(path)] if not _is_link(path) and path.is_dir() else []
    while todo:
        for entry in _entries(todo.pop()):
            try:
                total += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
            except OSError:
                continue  # gone meanwhile
    return total


def _is_link(path: Path) -> bool:
    return path.is_symlink()


def _entries(folder: str | Path) -> "Iterable[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
