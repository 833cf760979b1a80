"""A page's commands typed into one shell, as a person who follows it does.

In: a folder, an environment, commands. Out: what each shows, both streams in the order of writing.
Folders, variables and functions last from one command to the next.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_PATIENCE = 120  # seconds for one command
_LOOP = """\
while IFS= read -r -d '' command <&8; do
    eval "$command" < /dev/null 8<&- 9>&-
    printf '\\0' >&9
done
"""


class Shell:
    """bash, waiting for the next command; close it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        commands, self._commands = os.pipe()
        self._ends, ends = os.pipe()
        self._output = os.memfd_create("output")
        self._seen = 0
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec 8<&{commands} 9>&{ends} {commands}<&- {ends}>&-\n{_LOOP}"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            pass_fds=(commands, ends),
        )
        os.close(commands)
        os.close(ends)

    def type(self, command: str) -> str:
        """Run a command and return what it shows. Work that it left in the background goes on."""
        os.write(self._commands, command.encode() + b"\0")
        assert os.read(self._ends, 1) == b"\0", f"the shell has gone: {command}"
        said = os.pread(self._output, 1 << 26, self._seen)
        self._seen += len(said)
        return said.decode()

    def close(self) -> None:
        """End the shell."""
        for descriptor in (self._commands, self._ends, self._output):
            os.close(descriptor)
        self._process.wait(_PATIENCE)
