"""A proxy in front of a server that remembers every request and its answer.

In: the address of a server. Out: `RecordingProxy` with an address of its own on the loopback
interface and `seen`, what went through it.
"""

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request: `operation` is the end of its path, `asked` and `answered` its JSON."""

    method: str
    path: str
    asked: Any
    answered: Any

    @property
    def operation(self) -> str:
        """What is done to a collection: get, query, delete, …"""
        return self.path.partition("?")[0].rsplit("/", 1)[-1]


class RecordingProxy:
    """Passes on to `upstream`; leaving the block ends it."""

    def __init__(self, upstream: str) -> None:
        self.seen: list[Exchange] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kept = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in ("host", "accept-encoding", "connection")
                }
                request = urllib.request.Request(  # noqa: S310
                    upstream + self.path, data=body or None, method=self.command, headers=kept
                )
                try:
                    with _OPENER.open(request, timeout=30) as reply:
                        status, data = reply.status, reply.read()
                except urllib.error.HTTPError as refused:
                    status, data = refused.code, refused.read()
                proxy.seen.append(Exchange(self.command, self.path, _json(body), _json(data)))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "RecordingProxy":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
