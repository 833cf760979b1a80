"""What every command gets: the repository, the configuration, and where to print.

In: parsed global options. Out: `Context`. Commands print through it and nowhere else.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..config import Config, load
from ..errors import UsageError
from ..git.repository import Repository, discover
from .terminal import Style, wants_colour


@dataclass
class Context:
    """State of one run of the command line."""

    command: str = ""
    folder: Path | None = None
    json: bool = False
    quiet: bool = False
    colour: str = "auto"
    overrides: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def repository(self) -> Repository:
        """The repository around the folder. Raises `NotARepository`."""
        return discover(self.folder)

    @cached_property
    def config(self) -> Config:
        """The settings in force. Raises `ConfigurationError`."""
        return load(self.repository, self.overrides)

    @cached_property
    def style(self) -> Style:
        """Colours for standard output."""
        return Style(wants_colour(sys.stdout, self.colour))

    @cached_property
    def on_screen(self) -> bool:
        """Whether standard output is a terminal, be it through a pager."""
        return sys.stdout.isatty()

    @cached_property
    def width(self) -> int:
        """The columns of standard output, bounded in a pipe."""
        from .columns import screen_width

        return screen_width()

    def out(self, text: str = "") -> None:
        """Print a line of the result."""
        print(text)

    def out_json(self, document: Any) -> None:
        """Print the result for machines: one JSON document, ASCII, keys as documented."""
        print(json.dumps(document, indent=2, default=os.fspath))

    def out_bytes(self, data: bytes) -> None:
        """Write bytes of the result as they are."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)

    def note(self, text: str) -> None:
        """Print a line about the work on standard error."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def go_on(self) -> bool:
        """Let the worker bring links, indexes and Chroma up to date, where `init` installed it.

        Returns whether it did.
        """
        from ..hooks.main import start_worker

        if not (self.repository.common_dir / "skillmesh-init.json").is_file():
            return False
        start_worker("go-on", self.repository.git.cwd)
        return True

    def shown_path(self, path: str) -> str:
        """Return a path of the repository as seen from the folder the user stands in."""
        prefix = self.repository.prefix
        return os.path.relpath(path, prefix) if prefix else path

    def asked_commit(self, at: str | None) -> str:
        """Return the commit to ask of, "" for the working tree. Raises `UsageError`."""
        return self.repository.asked_commit(at or "")

    def tree_path(self, name: str) -> str:
        """Return a path that the user typed as one from the root. Raises `UsageError`."""
        top = self.repository.top
        if "\0" in name:
            raise UsageError(f"not a path: {name}")
        if Path(name).is_absolute():
            # A link on the way to the repository is no way out of it; one inside of it counts.
            folder, base = os.path.split(os.path.normpath(name))
            path = os.path.relpath(os.path.realpath(folder) + f"/{base}", top or "/")
        else:
            path = os.path.normpath(self.repository.prefix + name)
        if path == ".." or path.startswith("../"):
            raise UsageError(f"{name} is outside of this repository")
        return "" if path == "." else path
