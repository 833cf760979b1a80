"""The explorer over HTTP: on this machine only, and only for who has the token.

In: stores, a port. Out: the page and its documents, until it is stopped. Each connection has a
thread; a request that is no GET or HEAD of something known gets a status of 4xx and no more.
"""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote

from ..errors import SkillmeshError
from ..loopback import LoopbackServer
from .access import HEADERS, Access
from .documents import Documents
from .static import PAGE, assets

# Connections at a time: a browser opens six.
_MOST_CONNECTIONS = 48
_IDLE_SECONDS = 30.0
_LONGEST_TARGET = 8_192
_NO_TOKEN = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>git skillmesh</title>
<h1>The token is missing</h1>
<p>Open the address that <code>git skillmesh explore</code> has printed.</p>
</html>
"""
# From here the page is reached as from this server itself, cookie and all.
_ENTER = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>git skillmesh</title>
<meta http-equiv="refresh" content="0;url=/"><a href="/">Enter</a>
</html>
"""


class Server(LoopbackServer):
    """Listens on loopback. Raises `Unavailable` when the port is taken."""

    def __init__(
        self, documents: Documents, port: int, failed: Callable[[Exception], None]
    ) -> None:
        self.documents = documents
        self.failed = failed
        super().__init__(port, _Handler, _MOST_CONNECTIONS)
        self.access = Access(self.port)

    @property
    def url(self) -> str:
        """The address of the page."""
        return self.root

    @property
    def entrance(self) -> str:
        """The address that gives a browser the token."""
        return f"{self.url}?token={self.access.token}"

    def entrance_once(self) -> str:
        """Return an address that does so once."""
        return f"{self.url}?ticket={self.access.ticket()}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True

    def version_string(self) -> str:
        """Return what the server calls itself."""
        return "git-skillmesh"

    def log_message(self, *args: Any) -> None:
        """Log nothing: addresses hold what was asked."""

    def parse_request(self) -> bool:
        """Read the head of a request; what is none of HTTP/1 is refused."""
        if not super().parse_request():
            return False
        if self.request_version not in ("HTTP/1.0", "HTTP/1.1"):
            self.request_version = "HTTP/1.1"
            self._refuse(400, "not HTTP/1")
            return False
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self._refuse(400, "a request has no body here")
            return False
        if self.command not in ("GET", "HEAD"):
            self._refuse(405, "only GET and HEAD")
            return False
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what cannot be read: it is the asker's mistake, whatever it is."""
        self.request_version = "HTTP/1.1"
        self._refuse(code if 400 <= code < 500 else 400, "the request cannot be read")

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self._answer()

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def _answer(self) -> None:
        access = self.server.access
        target, _, query = self.path.partition("?")
        asked = _asked(query)
        linked = target == "/" and access.comes_from_elsewhere(self.headers)
        refused = access.check(self.headers, linked)
        if refused:
            self._refuse(*refused)
        elif len(self.path) > _LONGEST_TARGET or not target.startswith("/"):
            self._refuse(400, "not an address of this server")
        elif target == "/" and access.admits(asked.get("token", ""), asked.get("ticket", "")):
            self._admit(linked)
        elif linked:
            self._refuse(403, "other pages may not ask")
        elif not access.has_cookie(self.headers):
            self._send(401, _NO_TOKEN, "text/html; charset=utf-8")
        elif target.startswith("/api/") and target.endswith(".json"):
            self._document(unquote(target[5:-5], errors="replace"), asked)
        elif (name := target[1:] or PAGE) in assets():
            asset = assets()[name]
            self._send(200, asset.data, asset.kind)
        else:
            self._refuse(404, "no such page")

    def _admit(self, linked: bool) -> None:
        """Give the cookie, and lead to the page under an address without the token."""
        headers = {"Set-Cookie": self.server.access.set_cookie()}
        if linked:
            self._send(200, _ENTER, "text/html; charset=utf-8", headers)
        else:
            self._send(303, b"", "text/plain", {"Location": "/", **headers})

    def _document(self, path: str, asked: dict[str, str]) -> None:
        try:
            data = self.server.documents.json(path, asked)
        except SkillmeshError as error:
            self._refuse(503, str(error))
        except Exception as error:  # the one place that catches everything
            self.server.failed(error)
            self._refuse(500, "internal error; the command has written where the details are")
        else:
            if data is None:
                self._refuse(404, "no such document")
            else:
                self._send(200, data, "application/json")

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True
        data = json.dumps({"error": " ".join(why.split())}).encode()
        self._send(status, data, "application/json", {"Connection": "close"})

    def _send(
        self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        with suppress(ConnectionError, socket.timeout):
            self.send_response(status, HTTPStatus(status).phrase)
            for name, value in {
                "Content-Type": kind,
                "Content-Length": str(len(data)),
                "Cache-Control": "no-store",
                **HEADERS,
                **(headers or {}),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
            return
        self.close_connection = True


def _asked(query: str) -> dict[str, str]:
    """Return the parameters of an address, each once."""
    try:
        found = parse_qs(query, errors="replace", max_num_fields=16)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}
