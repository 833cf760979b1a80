"""Know without looking whether a working tree has changed.

In: a repository. Out: `Watch`: "nothing has happened", or "look again". It never says the first of
a tree in which something did happen: who hears that nothing has happened may give the answer of
before. Where the kernel cannot tell (other systems, file systems that other machines write to, too
many folders), the answer is always: look again.

Watched is what decides over the answer of `git status`: every folder that git does not ignore,
the index, the rules of what is ignored, and the settings. Each event costs one look, so that what
is watched need not be understood. Where HEAD and other refs lead to is not watched: that is
quickly asked.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from . import inotify
from .inotify import Event, Inotify, Unwatchable, only_written_here
from .repository import Repository

# A folder costs the kernel about a kilobyte.
_MOST_FOLDERS = 50_000
# What the kernel does not tell of (writes through a mapping, or through another name of a file)
# is seen by a look at the latest after this time.
_TRUSTED_SECONDS = 30.0
# Names in the git directory that say something about the working tree; the others are git's own.
_TELLING = (b"index", b"config", b"sharedindex")
# After these the folders to watch may be others.
_RULES = frozenset({b".gitignore", b".git"})
_FOLDERS_MOVED = (
    inotify.MOVED_FROM | inotify.MOVED_TO | inotify.CREATE | inotify.DELETE_SELF | inotify.MOVE_SELF
)
_ATTEMPTS = 3

Stamp = tuple[int, int, int, int] | None


class Watch:
    """Watches one working tree. Not for use by several threads.

    `problem` says why there is nothing but looking again, "" where it can be watched.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._queue: Inotify | None = None
        # The number of a watch on a folder of git → how the names begin that count there.
        self._of_git: dict[int, tuple[bytes, ...]] = {}
        self._settings: dict[str, Stamp] = {}
        self._looked = 0.0
        self._anew = True
        self.problem = ""

    def quiet(self) -> bool:
        """Whether nothing has happened since the last `begin`."""
        if self._queue is None or self._anew:
            return False
        if time.monotonic() - self._looked > _TRUSTED_SECONDS or self._heard(self._queue):
            return False
        return all(_stamp(path) == stamp for path, stamp in self._settings.items())

    def begin(self) -> None:
        """Call before looking: what happens from now on makes the watch unquiet."""
        self._looked = time.monotonic()
        if self.problem:
            return
        if self._queue is not None:
            self._heard(self._queue)
            if any(_stamp(path) != stamp for path, stamp in self._settings.items()):
                self._anew = True
        if self._anew:
            self.close()
            try:
                self._queue = self._started()
            except Unwatchable as error:
                self.problem = str(error)
            self._anew = False

    def close(self) -> None:
        """Watch nothing any more."""
        if self._queue is not None:
            self._queue.close()
            self._queue = None

    def _heard(self, queue: Inotify) -> bool:
        """Whether there are events that say something about the tree."""
        heard = False
        for event in queue.events():
            heard |= self._says_something(event)  # each: some say that folders are others now
        return heard

    def _says_something(self, event: Event) -> bool:
        if event.mask & inotify.IGNORED:
            return False
        telling = self._of_git.get(event.watch)
        if telling is not None:
            return event.name.startswith(telling) and not event.name.endswith(b".lock")
        folders = event.mask & inotify.IS_FOLDER and event.mask & _FOLDERS_MOVED
        if folders or event.mask & inotify.OVERFLOW or event.name in _RULES:
            self._anew = True
        return True

    def _started(self) -> Inotify:
        """Return a queue of events of all folders that count. Raises `Unwatchable`."""
        self._settings = {path: _stamp(path) for path in _setting_files(self._repository)}
        for _ in range(_ATTEMPTS):
            queue = Inotify()
            try:
                ignored = _ignored_folders(self._repository)
                self._watch_git(queue)
                self._watch_tree(queue, ignored)
                # A rule that was taken back before its folder was watched leaves one out.
                if ignored <= _ignored_folders(self._repository):
                    return queue
            except BaseException:
                queue.close()
                raise
            queue.close()
        raise Unwatchable("what is ignored keeps changing")

    def _watch_git(self, queue: Inotify) -> None:
        self._of_git = {}
        common, own = self._repository.common_dir, self._repository.git_dir
        folders = {own: _TELLING, common: _TELLING, common / "info": (b"",), own / "info": (b"",)}
        for folder, telling in folders.items():
            name = os.fsencode(folder)
            if folder.is_dir() and not only_written_here(name):
                raise Unwatchable("other machines may write to the repository")
            number = queue.watch(name)
            if number is not None:
                self._of_git[number] = telling

    def _watch_tree(self, queue: Inotify, ignored: frozenset[bytes]) -> None:
        if self._repository.top is None:
            return
        top = os.fsencode(self._repository.top)
        devices: set[int] = set()
        count = 0
        # Settings and skills count even where git ignores them.
        for start in (top, top + b"/.skillmesh"):
            for folder in _folders(start, ignored - {start}):
                if queue.watch(folder) is None:
                    continue
                count += 1
                if count > _MOST_FOLDERS:
                    raise Unwatchable(f"more than {_MOST_FOLDERS} folders")
                try:
                    device = os.lstat(folder).st_dev
                except OSError:
                    continue
                if device not in devices and not only_written_here(folder):
                    raise Unwatchable("other machines may write to the working tree")
                devices.add(device)


def _folders(top: bytes, ignored: frozenset[bytes]) -> Iterator[bytes]:
    """Yield a folder and those below that git does not ignore.

    Each is listed after it was yielded, so that what comes after the watch is an event. Of a
    repository inside there is only the top.
    """
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        yield folder
        try:
            with os.scandir(folder) as entries:
                below = list(entries)
        except OSError:
            continue
        if folder != top and any(entry.name == b".git" for entry in below):
            continue
        for entry in below:
            if entry.is_dir(follow_symlinks=False) and entry.name != b".git":
                path = os.path.join(folder, entry.name)  # noqa: PTH118 - bytes
                if path not in ignored:
                    waiting.append(path)


def _ignored_folders(repository: Repository) -> frozenset[bytes]:
    """Return the folders all of whose files git ignores, as absolute paths."""
    if repository.top is None:
        return frozenset()
    out = repository.git.run(
        "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"
    )
    top = os.fsencode(repository.top)
    return frozenset(top + b"/" + name[:-1] for name in out.split(b"\0") if name.endswith(b"/"))


def _setting_files(repository: Repository) -> set[str]:
    """Return the files outside of the working tree that say what git reads and ignores."""
    top = repository.git.cwd
    environ = repository.git.env
    home = environ.get("HOME", "/")
    base = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    found = {f"{home}/.gitconfig", "/etc/gitconfig", "/etc/gitattributes"}
    found |= {f"{base}/git/{name}" for name in ("config", "ignore", "attributes")}
    found |= {
        environ[name] for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM") if name in environ
    }
    listed = repository.git.run_unchecked("config", "--list", "--show-origin", "-z").stdout
    fields = os.fsdecode(listed).split("\0")
    for origin, setting in zip(fields[::2], fields[1::2], strict=False):
        if origin.startswith("file:"):
            found.add(origin.removeprefix("file:"))
        key, _, value = setting.partition("\n")
        if key in ("core.excludesfile", "core.attributesfile"):
            found.add(f"{home}/{value[2:]}" if value.startswith("~/") else value)
    return {os.fspath(top / Path(path)) for path in found}


def _stamp(path: str) -> Stamp:
    try:
        info = os.stat(path)  # noqa: PTH116 - each search asks this of ten files
    except OSError:
        return None
    return info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_size
