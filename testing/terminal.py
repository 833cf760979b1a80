"""The program on a pseudo-terminal, and somebody who types.

In: a repository, arguments, lines to type. Out: what the terminal showed, and the exit code.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence

from testing.repos import Repo, Result

WIDTH = 80
INTERRUPT, END = "\x03", "\x04"  # Ctrl-C, Ctrl-D
_PATIENCE = 300  # seconds without a word; a busy machine takes its time
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROMPT = re.compile(rb": (?:\x1b\[[0-9;]*m)*\Z")


def talk(
    repo: Repo,
    *words: str,
    typed: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    rows: int = 60,
    width: int = WIDTH,
) -> tuple[str, int]:
    """Run a command that asks; each line is typed when it waits for one. Return text and code.

    What is not answered gets an end of input.
    """
    ready, go = os.pipe()
    child, controller = pty.fork()
    if child == 0:
        os.read(ready, 1)
        os.chdir(repo.path)
        environment = {**os.environ, "TERM": "xterm-256color", **(env or {})}
        command = [sys.executable, "-m", "git_skillmesh", *words]
        os.execve(sys.executable, command, environment)  # noqa: S606
    fcntl.ioctl(controller, termios.TIOCSWINSZ, struct.pack("HHHH", rows, width, 0, 0))
    os.write(go, b"x")
    answers, shown, seen = [*typed], b"", 0
    while True:
        if not select.select([controller], [], [], _PATIENCE)[0]:
            os.kill(child, signal.SIGKILL)
            break
        try:
            block = os.read(controller, 65536)
        except OSError:  # Linux says so when the program has gone
            break
        shown += block
        if _PROMPT.search(shown[seen:]):
            seen = len(shown)
            answer = answers.pop(0) if answers else END
            line = answer if answer in (INTERRUPT, END) else f"{answer}\n"
            os.write(controller, line.encode())
    _, status = os.waitpid(child, 0)
    for descriptor in (controller, ready, go):
        os.close(descriptor)
    return shown.decode(errors="replace").replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


def plain(shown: str) -> str:
    """Return what a terminal shows without its colours and movements of the cursor."""
    return _ANSI.sub("", shown)


def at_a_terminal(repo: Repo, *args: str, typed: str = "") -> Result:
    """Run the program as somebody who sits in front of it; both streams are the terminal."""
    near, far = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", *args],
        cwd=repo.path, stdin=far, stdout=far, stderr=far, start_new_session=True,
    )  # fmt: skip
    os.close(far)
    os.write(near, typed.encode())
    said = b""
    while True:
        try:
            block = os.read(near, 4096)
        except OSError:  # the other side is closed
            break
        if not block:
            break
        said += block
    os.close(near)
    shown = said.decode().replace("\r\n", "\n").removeprefix(typed)
    return Result(process.wait(timeout=60), shown, "")
