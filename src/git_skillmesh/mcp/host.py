"""What the tools of one server share: the repository and its settings.

In: a folder. Out: `Host`. Tools run in threads of their own, several at once; what is kept here
between calls has to bear that.
"""

import os
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Config, load
from ..errors import UsageError
from ..git.repository import Repository, discover

if TYPE_CHECKING:
    from .engine import Engine
    from .shelf import Shelf


class Host:
    """One repository, for as long as a server runs.

    Clients start servers in any folder: without a repository there the server runs all the same,
    and each tool says what is missing until there is one. `go_on` lets background work begin, after
    something was stored.
    """

    def __init__(
        self, folder: Path | None, overrides: Mapping[str, str] | None = None,
        go_on: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.go_on = go_on
        self._overrides = dict(overrides or {})
        self._repository: Repository | None = None
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def repository(self) -> Repository:
        """The repository around the folder. Raises `NotARepository`."""
        known = self._repository
        if known is None or not known.git_dir.is_dir():
            known = self._repository = discover(self.folder)
        return known

    @property
    def config(self) -> Config:
        """The settings in force now. Raises `ConfigurationError`."""
        return load(self.repository, self._overrides)

    @cached_property
    def shelf(self) -> "Shelf":
        """The skills, kept ready."""
        from .shelf import Shelf

        return Shelf(self)

    @property
    def engine(self) -> "Engine":
        """What searches, with what it keeps open between calls."""
        with self._lock:
            if self._engine is None:
                from .engine import Engine  # numpy and all rooms: not before they are needed

                self._engine = Engine(self)
            return self._engine

    def close(self) -> None:
        """Close what is kept open."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def tree_path(self, name: str) -> str:
        """Return a path that an agent named, absolute or from the root, as one from the root.

        Raises `UsageError` for what lies outside of the repository.
        """
        if "\0" in name:
            raise UsageError("not a path: it has a NUL")
        top = os.path.realpath(self.repository.top or "/")
        path = os.path.normpath(name.removeprefix("file://") if name else ".")
        if Path(path).is_absolute():
            folder, base = os.path.split(path)
            path = os.path.relpath(os.path.realpath(folder) + f"/{base}", top)
        if path == ".." or path.startswith("../"):
            raise UsageError(f"{name} is outside of this repository")
        return "" if path == "." else path
