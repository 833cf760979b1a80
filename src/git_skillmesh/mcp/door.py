"""Where the hooks of agents ask a running server: a socket that is open to this user alone.

In: a `Host`. Out: `Door`: answers of skilled.py to prompts, from what the server keeps ready. A
hook is a new process with each prompt, and would load for a third of a second what is here already.

It answers with what the hook itself would find, or not at all: for another working tree, another
version, or a question that cannot be read.
"""

import json
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..briefing.asking import FOLDER, LONGEST_PATH, is_private, of_this_user, received
from ..errors import SkillmeshError
from .host import Host

if TYPE_CHECKING:
    from ..registry.model import Registry
    from ..registry.retriever import SkillRetriever

# A client that only looks what a server can do is gone by then, and this costs it nothing.
_AFTER = 0.3
_TO_ASK = 1.0


class Door:
    """One thread that waits for hooks, from a moment after `open` until `close`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._end = threading.Event()
        self._socket: socket.socket | None = None
        self._place: Path | None = None
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)
        self._registry: Registry | None = None
        self._retriever: SkillRetriever | None = None

    def open(self, after: float = _AFTER) -> None:
        """Begin to wait for hooks, after so many seconds."""
        self._after = after
        self._thread.start()

    def close(self) -> None:
        """Take the socket away."""
        self._end.set()
        if self._place is not None:
            with suppress(OSError):
                self._place.unlink()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def _run(self) -> None:
        if self._end.wait(self._after):
            return
        try:
            waiting = self._socket = self._begun()
        except (OSError, SkillmeshError):
            return  # no repository, or nowhere to write: hooks find out by themselves
        while waiting is not None and not self._end.is_set():
            try:
                connection, _ = waiting.accept()
            except OSError:
                return
            with connection, suppress(OSError, ValueError, RecursionError, SkillmeshError):
                if of_this_user(connection):
                    question = json.loads(received(connection, time.monotonic() + _TO_ASK))
                    connection.sendall(json.dumps(self._answer(question)).encode())

    def _begun(self) -> socket.socket | None:
        """Return the socket, None where none can be. Raises `OSError`, `SkillmeshError`."""
        state = self._host.repository.state_dir
        folder = state / FOLDER
        place = folder / str(os.getpid())
        if not hasattr(socket, "AF_UNIX") or len(os.fsencode(place)) > LONGEST_PATH:
            return None
        if not state.is_dir():
            return None  # nothing was ever indexed here: hooks are silent
        folder.mkdir(mode=0o700, exist_ok=True)
        if not is_private(folder):
            return None
        _clear(folder)
        place.unlink(missing_ok=True)
        waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            waiting.bind(os.fspath(place))
            place.chmod(0o600)
            waiting.listen(4)
        except OSError:
            waiting.close()
            raise
        self._place = place
        return waiting

    def _answer(self, question: Any) -> Any:
        """Return the skills that fit, None where the hook has to find out by itself."""
        if not isinstance(question, dict) or question.get("version") != __version__:
            return None
        top, text, least = (question.get(name) for name in ("top", "text", "least"))
        own = self._host.repository.top
        if not isinstance(text, str) or not isinstance(top, str) or not isinstance(least, float):
            return None
        if own is None or os.path.realpath(own) != os.path.realpath(top):
            return None
        from ..briefing.skilled import chosen, retriever_of  # not before there is a hook

        registry = self._host.shelf.registry
        if self._retriever is None or registry is not self._registry:
            self._retriever = retriever_of(registry.cards, self._host.repository.state_dir)
            self._registry = registry
        return [list(one) for one in chosen(self._retriever, text, least)]


def _clear(folder: Path) -> None:
    """Remove what servers have left that were killed."""
    for place in folder.iterdir():
        if place.name.isdigit() and not _runs(int(place.name)):
            with suppress(OSError):
                place.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
