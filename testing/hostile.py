"""A proxy in front of a Chroma server that does what servers and networks do at their worst.

In: the address of the server, and a plan: what to do with each request. Out: `HostileProxy`, on a
real socket; `seen` says what was asked of it.
"""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# What may be done with a request: (method, path, how many requests came before) → one of these.
# pass, "late/2" (2 s later), hang, drip (a byte at a time), drip-headers, half (of the answer),
# garbage, lost (done, but the answer does not come), lose (not even done), or a status: "500",
# "503/2" with a Retry-After of 2 s, "302/ADDRESS" with where to go.
Plan = Callable[[str, str, int], str]
_STOPPING_S = 5.0


def always(what: str) -> Plan:
    """Do the same with all requests."""
    return lambda method, path, number: what


class HostileProxy:
    """A proxy; `plan` may be changed at any time."""

    def __init__(self, upstream: str, port: int = 0) -> None:
        self.plan: Plan = always("pass")
        self.seen: list[tuple[str, str, str]] = []
        self._upstream = urlsplit(upstream)
        self._stopping = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with suppress(OSError):
                    super().handle_one_request()

            def do_GET(self) -> None:
                proxy.answer(self)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @contextmanager
    def running(self) -> Iterator["HostileProxy"]:
        """Serve while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(_STOPPING_S)

    def count(self, what: str) -> int:
        """Return with how many requests this was done."""
        return sum(1 for *_, done in self.seen if done == what)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Do what the plan says."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        what = self.plan(handler.command, handler.path, len(self.seen))
        self.seen.append((handler.command, handler.path, what))
        if what.startswith("late/"):
            self._stopping.wait(float(what.partition("/")[2]))
        if what == "pass" or what.startswith("late/"):
            self._send(handler, *self._ask(handler, body))
            return
        handler.close_connection = True
        if what in ("lost", "half"):
            status, data = self._ask(handler, body)
            if what == "half":
                self._head(handler, status, len(data))
                handler.wfile.write(data[: len(data) // 2])
        elif what == "garbage":
            self._send(handler, 200, b"\x00\x1b[31mwhat?\x1b]0;title\x07" * 20)
        elif what == "hang":
            self._stopping.wait(60)
        elif what == "drip":
            self._head(handler, 200, 1_000_000)
            self._drip(handler)
        elif what == "drip-headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            self._drip(handler)
        elif what[0].isdigit():
            status_text, _, after = what.partition("/")
            name = "Location" if status_text.startswith("3") else "Retry-After"
            more = {name: after} if after else {}
            self._send(handler, int(status_text), b"<html>nginx is sorry</html>", more)
        with suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RDWR)

    def _ask(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        upstream = http.client.HTTPConnection(
            self._upstream.hostname or "", self._upstream.port, timeout=30
        )
        headers = {k: v for k, v in handler.headers.items() if k.lower() not in ("connection",)}
        try:
            upstream.request(handler.command, handler.path, body, headers)
            reply = upstream.getresponse()
            return reply.status, reply.read()
        except OSError:
            return 502, b"<html>bad gateway</html>"
        finally:
            upstream.close()

    def _head(self, handler: BaseHTTPRequestHandler, status: int, length: int) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.flush()

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        status: int,
        data: bytes,
        headers: dict[str, str] | None = None,
    ) -> None:
        handler.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not self._stopping.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()
