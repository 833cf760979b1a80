"""The skills, kept ready between calls.

In: the shipped registry and the repository's own. Out: cards, and what routes to them; both are
read again as soon as a file of them has changed. Several threads may ask at once.
"""

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotARepository
from ..git.repository import Repository
from ..registry.loading import FOLDER, shipped
from ..registry.model import Registry
from .host import Host

if TYPE_CHECKING:
    from ..registry.router import Routing

_Stamp = tuple[tuple[str, int, int], ...]


class Shelf:
    """The skills of one repository, or the shipped ones where there is none."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._stamp: _Stamp | None = None
        self._registry: Registry | None = None
        self._route: object = None

    @property
    def registry(self) -> Registry:
        """The cards as their files are now."""
        with self._lock:
            return self._current()

    def route(self, task: str, most: int) -> "Routing":
        """Return the cards that fit a task."""
        from ..registry.choosing import NAME, open_retriever
        from ..registry.retriever import SkillRetriever

        with self._lock:
            registry = self._current()
            if not isinstance(self._route, SkillRetriever):
                self._route = open_retriever(registry, NAME, "auto", self._repository(), None)
            return self._route.route(task, most)

    def _current(self) -> Registry:
        from ..registry.loading import skills_of

        repository = self._repository()
        top = repository.top if repository else None
        stamp = _stamp_of(top)
        if self._registry is None or stamp != self._stamp:
            self._registry, self._stamp, self._route = skills_of(top), stamp, None
        return self._registry

    def _repository(self) -> Repository | None:
        try:
            return self._host.repository
        except NotARepository:
            return None


def _stamp_of(top: Path | None) -> _Stamp:
    """Return what changes with the files of skills: their names, sizes and times."""
    found = [shipped(), *(() if top is None else _files(top / FOLDER))]
    return tuple(_state(path) for path in found)


def _files(folder: Path) -> list[Path]:
    return [
        Path(where, name) for where, _, names in os.walk(folder) for name in (*sorted(names), ".")
    ]


def _state(path: Path) -> tuple[str, int, int]:
    try:
        info = path.lstat()
    except OSError:
        return str(path), 0, 0
    return str(path), info.st_size, info.st_mtime_ns
