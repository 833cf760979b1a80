"""Which other processes have a local store open: programs that know nothing of our lock.

In: a folder. Out: process ids and names, as far as `/proc` tells them to this user; nothing on
systems without it.
"""

import os
from pathlib import Path

from ..target import Target

_PROC = Path("/proc")


def openers(target: Target) -> list[str]:
    """Return "NAME (process N)" for each other process that has the store's database open."""
    if target.kind != "persistent" or not _PROC.is_dir():
        return []
    database = os.path.realpath(target.store / "chroma.sqlite3")
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid() and _has(folder, database):
            found.append(f"{_name(folder)} (process {folder.name})")
    return sorted(found)


def _has(folder: Path, database: str) -> bool:
    try:
        return any(os.fspath(link.readlink()) == database for link in (folder / "fd").iterdir())
    except OSError:
        return False  # it is gone, or somebody else's


def _name(folder: Path) -> str:
    try:
        name = (folder / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "a program"
    return "".join(c for c in name if c.isprintable())[:40] or "a program"
