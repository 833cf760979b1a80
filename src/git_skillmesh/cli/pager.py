"""The user's pager, as git would choose and start it.

In: what a command prints. Out: the same in the pager, on a terminal; nothing changes in a pipe.
"""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .context import Context

# As git sets it: colours stay, and what fits on the screen is just printed.
_LESS = "FRX"
_NOT_FOUND = 127


@contextmanager
def paged(context: Context) -> Iterator[None]:
    """Send what the block prints through the pager (GIT_PAGER, core.pager, PAGER, less)."""
    command = "" if context.json or not sys.stdout.isatty() else _chosen(context)
    if command in ("", "cat"):
        yield
        return
    _ = (
        context.style,
        context.width,
        context.on_screen,
    )  # those of the terminal, not of the pipe to the pager
    environment = {"LESS": _LESS, "LV": "-c", **os.environ}
    # A pager is a line for the shell: `less -R`, `delta | less`. It is the user's own.
    process = subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE, env=environment)
    if process.stdin is None:
        raise OSError("no pipe to the pager")
    screen = sys.stdout
    sys.stdout = io.TextIOWrapper(process.stdin, "utf-8", errors="backslashreplace")
    try:
        with suppress(BrokenPipeError):  # the user has left the pager
            yield
            sys.stdout.flush()
    finally:
        pipe, sys.stdout = sys.stdout, screen
        with suppress(BrokenPipeError):
            pipe.close()
        _wait(process)
        if process.returncode == _NOT_FOUND:
            context.note(f"the pager {command!r} was not found; GIT_PAGER=cat does without")


def _chosen(context: Context) -> str:
    found = context.repository.git.run_unchecked("var", "GIT_PAGER")
    return os.fsdecode(found.stdout).strip()


def _wait(process: "subprocess.Popen[bytes]") -> None:
    """Wait for the pager, which has its own answer to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
