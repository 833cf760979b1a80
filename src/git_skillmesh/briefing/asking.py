"""Ask a running `git skillmesh mcp` which skills fit: it has them ready, a hook would load numpy.

In: the folder of caches, a question. Out: what the server says, or None: then the hook finds out by
itself. A server has a socket `ask/PID` in that folder, which is open to nobody else. It is of
another process of this user on this machine, so this asks no network.

Whoever is asked has to be this user: the folder, and what the kernel says of the other end.
"""

import _socket  # `socket` takes longer to load than the whole question
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import Any, cast

from .. import __version__

FOLDER = "ask"
LONGEST = 64 * 1024
# What the kernel takes as the path of a socket.
LONGEST_PATH = 100
# Seconds, for all servers together: a hook has found out by itself in as long.
_TO_CONNECT = 0.05
_TO_ANSWER = 0.5
_CREDENTIALS = 12  # struct ucred of <sys/socket.h>: pid, uid, gid


def ask(state: Path, question: dict[str, Any]) -> Any:
    """Return the answer of the first server that has one, None where there is none."""
    folder = state / FOLDER
    data = json.dumps({**question, "version": __version__}).encode()
    if len(data) > LONGEST:
        return None
    try:
        if not is_private(folder):
            return None
        # The one that has started last is likely that of the agent which asks.
        places = sorted(folder.iterdir(), key=lambda place: -place.lstat().st_mtime_ns)
    except OSError:
        return None
    end = time.monotonic() + _TO_ANSWER
    for place in places:
        if time.monotonic() > end:
            return None
        try:
            answer = _asked(os.fspath(place), data, end)
        except (OSError, ValueError, RecursionError):
            continue
        if answer is not None:
            return answer
    return None


def is_private(folder: Path) -> bool:
    """Whether it is a folder of this user that is open to nobody else. Raises `OSError`."""
    info = folder.lstat()
    own = stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid()
    return own and not info.st_mode & 0o077


def _asked(path: str, data: bytes, end: float) -> Any:
    """Raises `OSError`, `ValueError`."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        return None
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(_TO_CONNECT)
        connection.connect(path)
        if not of_this_user(connection):
            return None
        connection.sendall(data)
        connection.shutdown(_socket.SHUT_WR)
        return json.loads(received(connection, end))
    finally:
        connection.close()


def received(connection: Any, end: float) -> bytes:
    """Return all that the other end sends until `end` (monotonic).

    Raises `OSError`, `ValueError` (too much).
    """
    found = b""
    while True:
        connection.settimeout(max(end - time.monotonic(), 0.001))
        part = cast("bytes", connection.recv(LONGEST))
        if not part:
            return found
        found += part
        if len(found) > LONGEST:
            raise ValueError("too much was said")


def of_this_user(connection: Any) -> bool:
    """Whether the other end is a process of this user; where no kernel says it, the folder does."""
    peer = getattr(_socket, "SO_PEERCRED", None)
    if peer is None:
        return True
    told = connection.getsockopt(_socket.SOL_SOCKET, peer, _CREDENTIALS)
    return int.from_bytes(told[4:8], sys.byteorder) == os.getuid()
