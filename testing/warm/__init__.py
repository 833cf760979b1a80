"""Processes of the program that start warm: forked from one that has loaded its modules.

In: a folder, and perhaps that of one that serves several. Out: `Warm`, whose folder `bin` stands
for that of the interpreter. `bin/python -m git_skillmesh …`, the hooks' program, the writer of
Chroma and the framework pre-commit run there in real processes, with arguments, environment,
folder, streams, exit code and signals of their own; only the imports, most of what a short command
costs, are done once for all. All else (`-c`, scripts, other modules), and whatever was given other
limits or languages, or more rights, starts cold, as for a user. Who has given up capabilities of
root's gets a process that gave up the same.
"""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from git_skillmesh.hooks.main import PROGRAM

_HERE = Path(__file__).parent
# What every process gets: these, in place of the interpreter's own, are the warm start.
_PROGRAMS = {
    "python": (),
    "git-skillmesh": ("-m", "git_skillmesh"),
    "git-skillmesh-hook": ("-m", "git_skillmesh.hooks"),
}
COLD = "SKILLMESH_COLD_START"  # in the environment: start as for a user


class Warm:
    """The warm interpreter of one session of tests."""

    def __init__(self, folder: Path, shared: Path | None = None) -> None:
        self.real = sys.executable
        self.bin = folder / "bin"
        self._shared = shared
        served = shared or folder
        self.sockets = {name: served / name for name in ("light", "chroma", "framework")}
        self._servers: list[subprocess.Popen[bytes]] = []

    @property
    def python(self) -> str:
        """The interpreter to start."""
        return os.fspath(self.bin / "python")

    @staticmethod
    def possible() -> bool:
        """Whether this system tells of processes what is needed: Linux does."""
        return hasattr(os, "pidfd_open") and Path("/proc/self/ns/mnt").exists()

    def start(self) -> None:
        """Write the programs, and start what they ask unless that is shared with other sessions."""
        self.bin.mkdir(parents=True)
        for path in Path(self.real).parent.iterdir():
            if path.name not in _PROGRAMS:
                (self.bin / path.name).symlink_to(path)
        client = (_HERE / "client.py").read_text()
        for name, before in _PROGRAMS.items():
            self._write(self.bin / name, client, before)
        if self._shared is None:
            self.serve()

    def serve(self, environment: Mapping[str, str] | None = None) -> None:
        """Start what the programs ask, which loads nothing until it is asked."""
        for name, path in self.sockets.items():
            command = [self.real, "-P", os.fspath(_HERE / "server.py"), name, os.fspath(path)]
            self._servers.append(
                subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
            )
        for server in self._servers:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            server.stdout.close()

    def _write(self, path: Path, client: str, before: tuple[str, ...]) -> None:
        values = {
            "REAL": self.real,
            "BEFORE": list(before),
            "LIGHT": os.fspath(self.sockets["light"]),
            "CHROMA": os.fspath(self.sockets["chroma"]),
            "FRAMEWORK": os.fspath(self.sockets["framework"]),
            "PYTHON": self.python,
            "HOOKS": PROGRAM,
            "COLD": COLD,
            "SEARCH": os.environb.get(b"PYTHONPATH", b"").split(b":"),
        }
        constants = "".join(f"{name} = {value!r}\n" for name, value in values.items())
        path.write_text(f"#!{self.real} -IS\n" + client.replace("# constants\n", constants))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def stop(self) -> None:
        """End everything."""
        for server in self._servers:
            assert server.stdin is not None
            server.stdin.close()
        for server in self._servers:
            server.wait(10)
        shutil.rmtree(self.bin.parent, ignore_errors=True)
