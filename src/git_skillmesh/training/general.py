"""Code that has nothing to do with a repository: Python's standard library, divided in two.

In: this Python. Out: files that a base may learn from (`learnable`), and texts that it never saw,
on which an adapter shows that it has not forgotten the rest (`general_code`). Which is which is
decided by a file's name alone.
"""

import hashlib
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from ..errors import Unavailable

# One file of so many is held out.
_SHARE = 12
# Tables, tests, and copies of other projects are no code to learn from.
_LEFT_OUT = {
    "__pycache__", "_pyrepl", "encodings", "ensurepip", "idlelib", "lib-dynload", "lib2to3",
    "pydoc_data", "site-packages", "dist-packages", "test", "tests", "turtledemo",
}  # fmt: skip
_SMALLEST, _LARGEST = 1_500, 120_000


def library(folder: Path | None = None) -> Iterator[tuple[str, Path]]:
    """Yield name and path of the standard library's modules, in order of their names."""
    root = folder or Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(_modules_below(root)):
        if path.name.startswith("_sysconfigdata"):
            continue
        # Distributions link some of them to files that need not be there.
        if path.is_file() and _SMALLEST <= path.stat().st_size <= _LARGEST:
            yield path.relative_to(root).as_posix(), path


def _modules_below(root: Path) -> Iterator[Path]:
    # What is left out is often most of what is there: all packages that are installed.
    for folder, below, files in os.walk(root):
        below[:] = [name for name in below if name not in _LEFT_OUT]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))


def is_held_out(name: str) -> bool:
    """Say whether a module, named by its path in the library, is for judging only."""
    return hashlib.sha256(name.encode()).digest()[0] % _SHARE == 0


def learnable() -> Iterator[tuple[str, str]]:
    """Yield name and text of the modules that a base may learn from."""
    for name, path in library():
        if not is_held_out(name):
            yield name, path.read_text(encoding="utf-8", errors="replace")


def general_code(most: int = 32, characters: int = 3_000) -> tuple[str, ...]:
    """Return texts of held-out modules: `most` of them, each the first lines of up to so long.

    The same ones for the same Python. Raises `Unavailable` where it came without its sources.
    """
    held = [(name, path) for name, path in library() if is_held_out(name)]
    if not held:
        raise Unavailable("this Python has no sources of its standard library to judge on")
    held.sort(key=lambda one: hashlib.sha256(one[0].encode()).digest())
    return tuple(
        _first_lines(path.read_text(encoding="utf-8", errors="replace"), characters)
        for _, path in held[:most]
    )


def _first_lines(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    return text[: text.rfind("\n", 0, characters) + 1] or text[:characters]
