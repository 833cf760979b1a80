"""`git-skillmesh-hook agent`: note that an agent's conversation has grown.

In: the payload of a hook of Claude Code, Codex, Cursor or Gemini CLI on standard input. Out: a line
in `.git/skillmesh/live/`, and a detached worker once the agent has answered. sessions/live.py
takes the lines out again.

The agent waits for this, so it loads as little as an interpreter can, asks no git, writes nothing
to standard output, and gives up whatever goes wrong.
"""

from __future__ import annotations

import os
import sys
import time
from fcntl import LOCK_NB, LOCK_SH, flock
from select import select

from ..monitoring.record import record
from .lightjson import write
from .payload import AGENTS, agent_of, folders_of, may_start_work, read_payload, record_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = "live"
OFF = "off"  # a file in that folder: the settings say that nothing is to be captured
# A payload with a whole file in it has some MB. More is read, so that the agent can write it, and
# not kept: the transcript has it, and the next payload names that.
MOST_BYTES = 8_000_000
_MOST_READ = 256_000_000
_PATIENCE_SECONDS = 2.0
# A record is one write; what makes it longer than this is left out.
LONGEST_RECORD = 1_000_000
# What nobody takes out of the buffer: then only names are noted, in the end nothing.
FULL_BYTES = 32_000_000
_OVERFULL_BYTES = FULL_BYTES + 4_000_000


def main(arguments: Sequence[str]) -> None:
    """Note one payload: the last argument if it is JSON (Codex's `notify`), or standard input."""
    began = time.perf_counter()
    asked = arguments[0] if arguments and arguments[0] in AGENTS else ""
    last = arguments[-1] if arguments else ""
    data = last.encode("utf-8", "replace") if last.startswith("{") else read_standard_input()
    payload = read_payload(data) if len(data) <= MOST_BYTES else None
    if payload is None:
        return
    agent = agent_of(payload, asked)
    if not agent:
        return
    for folder in folders_of(payload, agent):
        found = find_repository(folder or os.getcwd())
        if found:
            top, common = found
            noted = _append(common, agent, record_of(payload, agent, top, os.environ, _now()))
            if noted and may_start_work(payload):
                _start_worker(top)
            state = os.path.join(common, "skillmesh")
            record(
                state, "hook", "agent", "ok" if noted else "nothing", time.perf_counter() - began
            )
            return


def find_repository(folder: str) -> tuple[str, str] | None:
    """Return (working tree, common git directory) around a folder, as git finds them."""
    here = os.path.realpath(folder)
    while True:
        common = _common_dir(here)
        if common:
            return here, common
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above


def _common_dir(folder: str) -> str:
    """Return the directory that all working trees share, "" if `folder` is not the root of one."""
    git_dir = os.path.join(folder, ".git")
    if not os.path.isdir(git_dir):
        line = _first_line(git_dir)  # a linked worktree, or a submodule
        if not line.startswith("gitdir: "):
            return ""
        git_dir = os.path.join(folder, line[8:])
    if not os.path.exists(os.path.join(git_dir, "HEAD")):
        return ""
    shared = _first_line(os.path.join(git_dir, "commondir"))
    return os.path.normpath(os.path.join(git_dir, shared)) if shared else git_dir


def _first_line(path: str) -> str:
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(number, "rb") as stream:
            return os.fsdecode((stream.read(8192) or b"").partition(b"\n")[0].rstrip(b"\r"))
    except OSError:
        return ""


def _append(common: str, agent: str, entry: dict[str, object]) -> bool:
    """Add a record to the buffer; False where nothing is to be captured or can be written."""
    state = os.path.join(common, "skillmesh")
    folder = os.path.join(state, FOLDER)
    try:
        if not os.path.isdir(state):
            # `init` has been here, and somebody has deleted the caches.
            os.stat(os.path.join(common, "skillmesh-init.json"))
            os.mkdir(state)
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
        if os.path.exists(os.path.join(folder, OFF)) or not _is_ours(os.lstat(folder)):
            return False
        line = write(entry)
        if len(line) > LONGEST_RECORD:
            line = write({**entry, "said": _shortened(entry.get("said"))})
        return _write(os.path.join(folder, f"{agent}.jsonl"), line, entry)
    except OSError:  # read-only, full, no rights, no folder of ours
        return False


def _write(path: str, line: str, entry: dict[str, object]) -> bool:
    # Without waiting, should it be a pipe.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    for _ in range(5):
        number = os.open(path, flags, 0o600)
        try:
            # The lock is shared, so hooks do not wait for each other. The drain renames the file
            # and then waits until nobody holds one: a record is in the old file or in a new one.
            flock(number, LOCK_SH | LOCK_NB)
            here = os.fstat(number)
            if os.stat(path, follow_symlinks=False).st_ino != here.st_ino:
                continue
            if not _is_ours(here) or here.st_size > _OVERFULL_BYTES:
                return False
            if here.st_size > FULL_BYTES:
                line = write({name: value for name, value in entry.items() if name != "said"})
            # The line feed before it ends what a full disk may have cut off.
            os.write(number, f"\n{line}\n".encode())
            return True
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            os.close(number)
    return False


def _is_ours(found: os.stat_result) -> bool:
    """Whether nobody else can read what is written there."""
    return found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _shortened(said: object) -> dict[str, object]:
    """Return what was said without what is too long, the output of commands first of all."""
    if not isinstance(said, dict):
        return {}
    kept: dict[str, object] = {}
    room = LONGEST_RECORD - 2000
    for name in sorted(said, key=lambda name: len(write(said[name]))):
        room -= len(write(said[name]))
        if room > 0:
            kept[name] = said[name]
    return kept


def read_standard_input() -> bytes:
    """Return all of standard input, as far as it comes in time and is not more than fits."""
    parts, size, deadline = [], 0, time.monotonic() + _PATIENCE_SECONDS
    try:
        while size < _MOST_READ and not os.isatty(0):
            if not select([0], [], [], max(0.0, deadline - time.monotonic()))[0]:
                break  # an agent that does not close the pipe has perhaps said all
            part = os.read(0, 1 << 16)
            if not part:
                break
            size += len(part)
            if size <= MOST_BYTES + (1 << 16):
                parts.append(part)
    except (OSError, ValueError):  # closed
        pass
    return b"".join(parts) if size <= MOST_BYTES else b""


def _start_worker(folder: str) -> None:
    """Start the detached worker for a repository: `subprocess` would cost as much as the hook."""
    from .main import PROGRAM

    os.chdir(folder)
    null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
    actions = [null, (os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]
    command = [sys.executable, "-I", PROGRAM, "worker", "agent"]
    os.posix_spawn(sys.executable, command, os.environ, file_actions=actions)


def _now() -> str:
    now = time.time()
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{seconds}.{int(now * 1000) % 1000:03}Z"
