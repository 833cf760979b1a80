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
from ..git.repository import Repository, discover
from .terminal import Style, wants_colour


@dataclass
class Context:
    """State of one run of the command line."""

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

    def shown_path(self, path: str) -> str:
        """Return a path of the repository as seen from the folder the user stands in."""
        prefix = self.repository.prefix
        return os.path.relpath(path, prefix) if prefix else path
