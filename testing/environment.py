"""The sealed environment in which tests run, and the background workers started from it.

In: the environment of whoever started the tests. Out: one in which nothing of that person's git
configuration, home folder, language or clock is visible, and a way to see and stop what a test
left running.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import git_skillmesh

TOKEN = "SKILLMESH_TEST_TOKEN"  # noqa: S105  # inherited by whatever a test starts; names it
COMMIT_DATE = "2024-03-01T12:00:00+00:00"
# Repositories of tests need not survive a power failure, and waiting for the disk is most of what a
# commit takes.
GIT_CONFIG = f"""\
[init]
\tdefaultBranch = main
\ttemplateDir = {Path(__file__).parent / "template"}
[protocol "file"]
\tallow = always
[core]
\tfsync = none
[commit]
\tgpgSign = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[advice]
\tdetachedHead = false
"""

_FOREIGN = ("GIT_", "XDG_", "CHROMA_", "EMBEDDING_", "SKILLMESH_", "PRE_COMMIT", "PYTHON", "LC_")
_FOREIGN_NAMES = frozenset(
    ("LOG_LEVEL", "LANGUAGE", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "PAGER",
     "CDPATH", "ENV", "BASH_ENV", "SKIP", "VIRTUAL_ENV", "TMUX", "CI")
)  # fmt: skip


def sealed(outside: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment for tests whose home is `home`, and write its git configuration."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / ".gitconfig"
    config.write_text(GIT_CONFIG)
    kept = {
        name: value
        for name, value in outside.items()
        if not name.startswith(_FOREIGN) and name not in _FOREIGN_NAMES
    }
    kept |= {
        "HOME": os.fspath(home),
        "XDG_CONFIG_HOME": os.fspath(home / ".config"),
        "XDG_CACHE_HOME": os.fspath(home / ".cache"),
        "XDG_DATA_HOME": os.fspath(home / ".local" / "share"),
        "XDG_STATE_HOME": os.fspath(home / ".local" / "state"),
        "PRE_COMMIT_HOME": os.fspath(home / ".cache" / "pre-commit"),
        "GIT_CONFIG_GLOBAL": os.fspath(config),
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": os.fspath(home.parents[1]),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "true",
        "GIT_SEQUENCE_EDITOR": "true",
        "GIT_PAGER": "cat",
        "EDITOR": "true",
        "TERM": "dumb",
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }
    for who in ("AUTHOR", "COMMITTER"):
        kept[f"GIT_{who}_NAME"] = "Ada Example"
        kept[f"GIT_{who}_EMAIL"] = "ada@example.org"
        kept[f"GIT_{who}_DATE"] = COMMIT_DATE
    source = Path(git_skillmesh.__file__).parents[1]
    if source.name != "site-packages":
        kept["PYTHONPATH"] = os.fspath(source)
    return kept


_STARTS = frozenset(("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"))
_started = 0


def _count(event: str, arguments: object) -> None:
    global _started
    if event in _STARTS:
        _started += 1


sys.addaudithook(_count)


def processes_started() -> int:
    """Return how many processes this one has started: a test that started none left none."""
    return _started


def newest_process() -> int:
    """Return the process id that was given last: later ones are larger, until they begin anew."""
    said = _words("/proc/loadavg")
    return int(said[0].split()[-1]) if said else 0


def hook_processes(token: str, after: int = 0) -> list[int]:
    """Return the process ids of shims and workers that descend from the test named `token`.

    A process inherits the token in its environment, so a worker is seen from the moment in which
    its shim forks. Needs Linux's /proc.
    """
    return [pid for pid, _ in processes_of(token, _is_hook, after)]


def _is_hook(command: list[bytes]) -> bool:
    # A warm interpreter's own options and name come before, see testing/warm.
    return any(b"hooks/" in word or b"/post-" in word for word in command[1:5])


def processes_of(
    token: str, wanted: Callable[[list[bytes]], bool] = lambda command: True, after: int = 0
) -> list[tuple[int, list[bytes]]]:
    """Return (process id, command line) of everything that carries `token` and is `wanted`.

    What was there already when `after` was the newest process is not looked at.
    """
    mark = f"{TOKEN}={token}".encode()
    if after and newest_process() < after:
        after = 0  # the numbers have begun anew
    found = []
    for process in os.listdir("/proc"):  # noqa: PTH208  # after each test, so that it has to be quick
        if not process.isdigit() or int(process) <= after:
            continue
        command = _words(f"/proc/{process}/cmdline")
        # A command line costs the kernel less than an environment, and nearly all are others'.
        if wanted(command) and mark in _words(f"/proc/{process}/environ"):
            found.append((int(process), command))
    return found


def _words(path: str) -> list[bytes]:
    """Return what a file of /proc holds; nothing where the process is gone or somebody else's."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return []
    try:
        content = b""
        while part := os.read(file, 1 << 16):
            content += part
        return content.split(b"\0")
    except OSError:
        return []
    finally:
        os.close(file)


def wait_for_hooks(token: str, seconds: float = 300, after: int = 0) -> None:
    """Wait until no shim and no worker of that test runs. Raises TimeoutError.

    `after` is what was the newest process before any of them could be.
    """
    deadline = time.monotonic() + seconds
    # A process that is just being started has no command line yet: none is only none twice.
    seen_none = 0
    while seen_none < 2:
        running = hook_processes(token, after)
        seen_none = 0 if running else seen_none + 1
        if time.monotonic() > deadline:
            raise TimeoutError(f"background work still runs after {seconds} s: {running}")
        if running:
            _wait_for_end(running[0], deadline - time.monotonic())
        else:
            time.sleep(0.01)


def _wait_for_end(pid: int, seconds: float) -> None:
    """Wait until a process has ended, without looking for it again and again."""
    try:
        descriptor = os.pidfd_open(pid)
    except (ProcessLookupError, AttributeError):
        time.sleep(0.02)
        return
    try:
        select.select([descriptor], [], [], max(seconds, 0))
    finally:
        os.close(descriptor)


def stop_hooks(token: str, after: int = 0) -> None:
    """Kill what is left of that test, which began when `after` was the newest process."""
    for pid in hook_processes(token, after):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
