"""Blames of files of HEAD, kept and bounded: nobody waits long for one, and it goes on meanwhile.

In: a commit and a path. Out: a `Blaming`, which may not be done yet. A few run at once; the oldest
make room.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping

from ..git.blaming import Blaming
from ..git.graphs import path_graph
from ..git.repository import Repository
from . import kept

_MOST_KEPT = 64
_AT_ONCE = 3
# The folder that judging exchanges keeps git's index of paths in, too.
_GRAPH = "path-graph"


class Blames:
    """The blames of one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Blaming] = OrderedDict()
        self._env: Mapping[str, str] | None = None

    def of(self, commit: str, path: str, seconds: float) -> Blaming:
        """Return the blame of a file of a commit, after waiting for it at most so long."""
        with self._lock:
            blaming = self._kept.get((commit, path))
            if blaming is None:
                running = [one for one in self._kept.items() if not one[1].done]
                for key, one in running[: max(len(running) - _AT_ONCE + 1, 0)]:
                    one.stop()
                    del self._kept[key]
                if self._env is None:
                    self._env = path_graph(self._repository, self._repository.state_dir / _GRAPH)
                blaming = Blaming(self._repository, commit, path, self._env)
                self._kept[commit, path] = blaming
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)[1].stop()
            else:
                self._kept.move_to_end((commit, path))
        blaming.wait(seconds)
        return blaming

    def index_paths(self, commit: str) -> None:
        """Let git index which commits touched which paths: blames are many times faster then."""
        folder = self._repository.state_dir / _GRAPH
        done = kept.read(self._repository, "paths").get("head") == commit
        env = path_graph(self._repository, folder) if done else {}
        if not env and (env := path_graph(self._repository, folder, commit)):
            kept.write(self._repository, "paths", {"head": commit})
        with self._lock:
            self._env = env

    def close(self) -> None:
        """End what is running."""
        with self._lock:
            for one in self._kept.values():
                one.stop()
            self._kept.clear()
