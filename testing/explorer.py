"""The explorer of a repository, asked without a server, and its server, asked over a socket.

In: a folder. Out: `Asked`: documents, each held against the contract. `request`: what a server
answers to bytes.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from git_skillmesh.explorer.documents import Documents
from git_skillmesh.explorer.server import Server
from git_skillmesh.explorer.stores import Stores
from git_skillmesh.mcp.host import Host

from .contract import misfits

# Kind of a path → the interface of its document.
KINDS = {
    "overview": "Overview", "timeline": "Timeline", "sessions": "Sessions", "session": "Session",
    "exchange": "Exchange", "commit": "Commit", "file": "File", "map": "Area",
    "learnings": "Learnings", "learning": "Learning", "search": "Found",
}  # fmt: skip


class Asked:
    """Answers of one repository."""

    def __init__(self, folder: Path) -> None:
        self.stores = Stores(Host(folder))
        # Nothing is left out for being slow, however busy the machine is.
        self.documents = Documents(self.stores, patience=40)

    def get(self, path: str, **parameters: str) -> Any:
        """Return a document that fits the contract, None if there is none."""
        data = self.documents.json(path, parameters)
        if data is None:
            return None
        document = json.loads(data)
        assert misfits(KINDS[path.partition("/")[0]], document) == []
        return document

    def everything(self) -> Iterator[tuple[str, Any]]:
        """Yield every document that can be reached from the first ones, and its path."""
        seen: set[str] = set()
        waiting = ["overview", "learnings", "timeline/0", "sessions/0", "map/_root"]
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            document = self.get(path)
            assert document is not None, path
            yield path, document
            waiting += _named(document)


def _named(value: Any) -> Iterator[str]:
    """Yield the paths of what a document names and can be opened."""
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    if not isinstance(value, dict):
        return
    if "sha" in value and "subject" in value:
        yield f"commit/{value['sha']}"
    if value.get("n"):
        yield f"exchange/{value['key']}"
    if "exchanges" in value and "agent" in value and "key" in value:
        yield f"session/{value['key']}"
    if "severity" in value:
        yield f"learning/{value['key']}"
    if "folder" in value:
        yield f"{'map' if value['folder'] else 'file'}/{value['file']['key']}"
    for one in value.values():
        yield from _named(one)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said: status, headers by their names in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Open:
    """A server that is listening, and what went wrong in it."""

    def __init__(self, asked: Asked) -> None:
        self.errors: list[Exception] = []
        self.server = Server(asked.documents, 0, self.errors.append)

    def raw(self, data: bytes, seconds: float = 10) -> bytes:
        """Send bytes and return all that comes back until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=seconds) as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            found = b""
            try:
                while block := link.recv(1 << 16):
                    found += block
            except ConnectionResetError:
                pass
        return found

    def get(self, target: str, method: str = "GET", **headers: str) -> Reply:
        """Ask as a browser that has the cookie; `headers` go over its own, "" takes one away."""
        port, access = self.server.port, self.server.access
        sent = {
            "Host": f"127.0.0.1:{port}",
            "Cookie": f"{access.cookie}={access.token}",
            "Connection": "close",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in sent.items() if value]
        return reply_of(self.raw("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")))


def reply_of(data: bytes) -> Reply:
    """Return the first answer in bytes."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    headers = {name.lower(): value for name, _, value in pairs}
    return Reply(int(first.split(" ")[1]), headers, body)


@contextmanager
def listening(asked: Asked) -> Iterator[Open]:
    """Give a server that answers."""
    found = Open(asked)
    thread = threading.Thread(target=found.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        thread.join()
