"""What the tools of one server share: the repository and its settings.

In: a folder. Out: `Host`. Tools run in threads of their own, several at once; what is kept here
between calls has to bear that.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from ..config import Config, load
from ..errors import UsageError
from ..git.repository import Repository, discover


class Host:
    """One repository, for as long as a server runs."""

    def __init__(self, folder: Path | None, overrides: Mapping[str, str] | None = None) -> None:
        """Raises `NotARepository`."""
        self.repository: Repository = discover(folder)
        self._overrides = dict(overrides or {})

    @property
    def config(self) -> Config:
        """The settings in force now. Raises `ConfigurationError`."""
        return load(self.repository, self._overrides)

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
