"""Folders that cannot be written, also where the tests run as root.

In: a folder. Out: a read-only folder, and processes that have to respect that. Needs Linux.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .repos import Result

# linux/prctl.h and linux/capability.h: what lets root ignore the permissions of files.
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


def respect_permissions() -> None:
    """Give up root's right to ignore permissions; for `preexec_fn`."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


def run_respecting_permissions(
    folder: Path, *args: str, env: Mapping[str, str] | None = None
) -> Result:
    """Run `git-skillmesh ARGS` so that a file without write permission cannot be written."""
    done = subprocess.run(
        [sys.executable, "-m", "git_skillmesh", *args],
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        check=False,
        timeout=120,
        preexec_fn=respect_permissions,
    )
    return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the write permission from everything below a folder for the duration of the block."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
