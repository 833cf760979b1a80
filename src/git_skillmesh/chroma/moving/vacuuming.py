"""Give space of a local store back to the disk, by Chroma's own program and under our lock.

In: a `Target`. Out: the bytes before and after. `chroma vacuum` purges what its log keeps of
writes that are long done, and rewrites the SQLite file; it ends with 0 also where it failed, so
what it prints decides.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ...errors import Busy, Damaged, Unavailable, UsageError
from .. import client as clients
from ..locking import acquire_in_turn
from ..pipe import LOCK_WAIT_S
from ..target import Target
from .openers import openers

_LONGEST_S = 3600
# What the program `chroma` does, without the two seconds of importing all of Chroma before.
_PROGRAM = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(sys.argv[1:])"


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """Bytes of the folder."""

    before: int
    after: int


def vacuum(target: Target) -> Vacuumed:
    """Shrink a store. Raises `UsageError` for a server, `Busy`, `Unavailable`, `Damaged`."""
    if target.kind != "persistent":
        raise UsageError(f"{target.describe()} is no folder", "a server does this by itself")
    if not clients.database_of(target).is_file():
        raise Unavailable(f"there is no Chroma store in {target.store}")
    busy = Busy(f"another process has the Chroma store {target.store} open", "try again later")
    lock = acquire_in_turn(target.lock_file, False, LOCK_WAIT_S, busy)
    try:
        others = openers(target)
        if others:
            raise Busy(f"{others[0]} has the Chroma store {target.store} open", "end it first")
        before = _size(target.store)
        _run(target)
        return Vacuumed(before, _size(target.store))
    finally:
        os.close(lock)


def _run(target: Target) -> None:
    arguments = ["chroma", "vacuum", "--path", os.fspath(target.store), "--force"]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"chroma vacuum did not end in {_LONGEST_S // 60} minutes") from None
    if done.returncode or "complete" not in done.stdout:
        said = " ".join((done.stderr or done.stdout).split())
        raise Damaged(
            f"chroma vacuum failed on {target.store}: {said[:200]}", "git skillmesh doctor --repair"
        )


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
