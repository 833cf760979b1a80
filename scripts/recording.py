#!/usr/bin/env python3
"""Record docs/recording.cast, .svg and .txt: real commands, typed into a real shell on a terminal.

In: the repository of the examples with its conversations and a learning, made anew. Out: an
asciicast (version 2), the same as a moving picture that refers to nothing outside, and the text of
the screen. Pauses are set here, so that two recordings differ only where the program says something
else; the name of the temporary folder is replaced by `~`.
"""

import fcntl
import json
import os
import pty
import select
import shutil
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [os.fspath(ROOT), os.fspath(ROOT / "src")]

from scripts.terminal_picture import draw, shown  # noqa: E402
from testing.commands import program_folder  # noqa: E402
from testing.environment import TOKEN, sealed, stop_hooks, wait_for_hooks  # noqa: E402
from testing.serving import make_story  # noqa: E402

COLUMNS, ROWS = 104, 32
PROMPT = "\x1b[1;32m$\x1b[0m "
COMMANDS = (
    "git skillmesh init",
    "git skillmesh query -n 2 how long to wait after a failed scan",
    "git skillmesh why src/parcels/tracking.py:17",
    "echo 'prices = requests.get(PRICES)' > src/parcels/prices.py",
    "git add src && git commit -m 'Ask for prices'",
)
# Seconds: for a key, before Enter, after an answer, between the first lines of one.
KEY, THINK, READ, LINE = 0.03, 0.5, 1.8, 0.2
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Event:
    """What appeared on the terminal, and when."""

    time: float
    text: str


class Shell:
    """bash on a terminal of its own; `typed` returns what the terminal shows after a command."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        ready, go = os.pipe()
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.read(ready, 1)
            os.chdir(folder)
            words = ["bash", "--noprofile", "--norc", "--noediting", "-i"]
            os.execvpe("bash", words, {**environment, "PS1": PROMPT})  # noqa: S606
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.write(go, b"x")
        self._until_prompt()

    def typed(self, command: str) -> str:
        """Type a command; return what the terminal shows until it is the user's turn again."""
        os.write(self._terminal, f"{command}\n".encode())
        return self._until_prompt().removeprefix(f"{command}\r\n")

    def close(self) -> None:
        """End the shell."""
        os.close(self._terminal)
        os.waitpid(self._child, 0)

    def _until_prompt(self) -> str:
        said = b""
        deadline = time.monotonic() + _PATIENCE
        while not said.endswith(PROMPT.encode()):
            if not select.select([self._terminal], [], [], deadline - time.monotonic())[0]:
                raise TimeoutError(said.decode(errors="replace"))
            said += os.read(self._terminal, 65536)
        return said.decode()


def record(folder: Path) -> list[Event]:
    """Type the commands in a repository made in `folder` and return what was seen."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = sealed(os.environ, folder / "home")
    token = environment[TOKEN] = f"recording-{os.getpid()}"
    path = f"{program_folder(folder / 'bin')}{os.pathsep}{os.environ['PATH']}"
    environment |= {"TERM": "xterm-256color", "PATH": path}
    saved = dict(os.environ)
    os.environ.update(environment)
    try:
        repo = make_story(folder)
        repo.git("config", "skillmesh.chroma.impl", "off")
        shell = Shell(repo.path, environment)
        try:
            seen = [Event(0.0, PROMPT)]
            for command in COMMANDS:
                _add(seen, command, shell.typed(command).replace(os.fspath(folder), "~"))
                wait_for_hooks(token)
        finally:
            shell.close()
            stop_hooks(token)
    finally:
        os.environ.clear()
        os.environ.update(saved)
    return seen


def _add(seen: list[Event], command: str, answer: str) -> None:
    """Append a command as somebody types it, and its answer line by line."""
    now = seen[-1].time + READ / 2
    for key in command:
        now += KEY
        seen.append(Event(round(now, 3), key))
    now += THINK
    seen.append(Event(round(now, 3), "\r\n"))
    lines = answer.removesuffix(PROMPT).splitlines(keepends=True)
    for number, line in enumerate(lines):
        now += LINE / (1 + number)  # a pause, then ever faster
        seen.append(Event(round(now, 3), line))
    seen.append(Event(round(now + LINE, 3), PROMPT))
    if lines:
        seen.append(Event(round(now + LINE + READ, 3), ""))


def cast(events: list[Event]) -> str:
    """Return an asciicast of version 2."""
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "git skillmesh",
              "env": {"SHELL": "/bin/bash", "TERM": "xterm-256color"}}  # fmt: skip
    lines = [header, *([one.time, "o", one.text] for one in events)]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def written(events: list[Event]) -> str:
    """Return the whole session as plain text."""
    return shown([(one.time, one.text) for one in events], COLUMNS)


def main() -> None:
    """Record."""
    folder = Path(tempfile.mkdtemp(prefix="skillmesh-recording-"))
    try:
        events = record(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    docs = ROOT / "docs"
    (docs / "recording.cast").write_text(cast(events), encoding="utf-8")
    (docs / "recording.txt").write_text(written(events), encoding="utf-8")
    (docs / "recording.svg").write_text(
        draw([(one.time, one.text) for one in events], COLUMNS, ROWS), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
