"""An OpenAI-compatible server that answers what a test has written down, and what it was asked.

In: replies. Out: its address, and the requests that came: a real socket on this machine.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers one request after the other with the replies of the server, the last one for ever."""

    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.kept.append(("GET", self.path, dict(self.headers), {}))
        listed = [{"id": name} for name in self.server.models]
        self.say(200, json.dumps({"object": "list", "data": listed}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kept = self.server.kept
        kept.append(("POST", self.path, dict(self.headers), body))
        number = sum(one[0] == "POST" for one in kept) - 1
        replies = self.server.replies
        try:
            replies[min(number, len(replies) - 1)](self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def say(self, status: int, body: bytes, **headers: str) -> None:
        """Answer with these bytes."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    replies: Sequence[Reply]
    models: Sequence[str]
    kept: list[tuple[str, str, dict[str, str], dict[str, Any]]]


@dataclass
class Served:
    """A running server: its `url`, and what it was sent: method, path, headers, body."""

    url: str
    requests: list[tuple[str, str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the questions."""
        return [body for method, _, _, body in self.requests if method == "POST"]


@contextmanager
def serving(*replies: Reply, models: Sequence[str] = ("tiny",)) -> Iterator[Served]:
    """Run a server as long as the block."""
    server = _Server(("127.0.0.1", 0), Handler)
    server.replies, server.models, server.kept = replies, models, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_address[1]}/v1", server.kept)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answers(text: object, finish: str = "stop", **more: object) -> Reply:
    """Answer with a text, or with JSON of anything else."""
    said = text if isinstance(text, str) else json.dumps(text)
    choice = {"message": {"role": "assistant", "content": said}, "finish_reason": finish}
    return raw(200, json.dumps({"choices": [choice], **more}).encode())


def finds(*findings: dict[str, object]) -> Reply:
    """Answer with findings."""
    return answers({"findings": list(findings)})


def raw(status: int, body: bytes = b"{}", **headers: str) -> Reply:
    """Answer with a status and bytes."""
    return lambda handler: handler.say(status, body, **headers)


def drops(handler: Handler) -> None:
    """End the connection without an answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def drips(handler: Handler) -> None:
    """Begin an answer and never end it, a byte at a time."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(300):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def sleeps(seconds: float, then: Reply) -> Reply:
    """Answer late."""

    def reply(handler: Handler) -> None:
        time.sleep(seconds)
        then(handler)

    return reply
