"""Which file of the repository a path of a transcript means.

In: paths as an agent wrote them, on this machine or on another. Out: paths relative to the root
with `/`, or absolute ones where they lie outside. Nothing here looks at the disk.
"""

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import PurePath

from .records import Misfit

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class Roots:
    """What is known of the repository: where it lies and how it is called.

    `tops` are the roots of its working trees. `names` are the folder names under which a clone on
    another machine is recognised. `inside` says that the transcript was found in the repository
    itself, so that the folder its session started in is the root.
    """

    tops: tuple[str, ...]
    names: frozenset[str] = frozenset()
    inside: bool = False
    _foreign: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, *tops: str | PurePath, inside: bool = False) -> "Roots":
        """Return the roots of a repository that is known by the name of its folder."""
        cleaned = tuple(dict.fromkeys(clean(str(top)) for top in tops))
        names = frozenset(posixpath.basename(top) for top in cleaned[:1]) - {""}
        return cls(cleaned, names, inside)

    def relative(self, path: str, directory: str = "", home: str = "") -> str:
        """Return what `path` means to an agent that stands in `directory`.

        `home` is the folder in which its session started. Raises `Misfit` for what is no path.
        """
        path = clean(path)
        if not is_absolute(path):
            base = clean(directory or home) if directory or home else ""
            if not base:
                return path
            path = posixpath.normpath(posixpath.join(base, path))
        inner = [top for top in self.tops if _inside(path, top)]
        if not inner:
            inner = [top for top in (self._elsewhere(home), self._elsewhere(directory)) if top]
            inner = [top for top in inner if _inside(path, top)]
        if not inner:
            return path
        return path[len(max(inner, key=len)) :].lstrip("/") or "."

    def _elsewhere(self, directory: str) -> str:
        """Return the root of the clone on another machine that a folder lies in, or ""."""
        if directory not in self._foreign:
            self._foreign[directory] = self._recognise(directory)
        return self._foreign[directory]

    def _recognise(self, directory: str) -> str:
        if not directory:
            return ""
        home = clean(directory)
        if not is_absolute(home) or any(_inside(home, top) for top in self.tops):
            return ""
        folder = home
        while posixpath.basename(folder):
            if posixpath.basename(folder) in self.names:
                return folder
            folder = posixpath.dirname(folder)
        return home if self.inside else ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent stands: in `directory`, in a session that started in `home`."""

    roots: Roots
    directory: str = ""
    home: str = ""

    def relative(self, path: str) -> str:
        """Return what a path means here. Raises `Misfit`."""
        return self.roots.relative(path, self.directory, self.home)


def clean(path: str) -> str:
    """Return a path with `/` and without `.` and `..`. Raises `Misfit` for what is no path."""
    if not path or "\0" in path or "\n" in path:
        raise Misfit("not a path")
    if _DRIVE.match(path):
        path = path.replace("\\", "/")
    return re.sub("^//+", "/", posixpath.normpath(path))


def is_absolute(path: str) -> bool:
    """Whether a cleaned path is absolute, on whichever system."""
    return path.startswith("/") or _DRIVE.match(path) is not None


def _inside(path: str, top: str) -> bool:
    return path == top or path.startswith(top if top.endswith("/") else top + "/")
